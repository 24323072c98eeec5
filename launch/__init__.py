"""The programs; each is run as `python -m launch.NAME`."""

import signal
import sys

# Until `interruption.watch_signals`, Ctrl-C ends a program as SIGTERM does, without waiting for
# Python, which may be loading a library. Nothing is written by then.
if sys.argv[0] == "-m" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
