"""What SIGTERM and Ctrl-C do to a program: a thread ends it, or lets a training save first.

An exception that a handler raises appears wherever the main thread happens to be: in a callback of
JAX it is swallowed, and a long computation it does not reach. Here no handler raises anything. A
thread that does nothing else reads the numbers of the signals from a pipe, removes unfinished files
and ends the process.
"""

import contextlib
import os
import select
import signal
import threading
from collections.abc import Callable, Iterator
from typing import NoReturn

from zsl_jax.atomic_file import committing, drop_unfinished

SIGNALS = (signal.SIGINT, signal.SIGTERM)
STOPPED = "stopped; nothing is left half-written"

# Told of a signal: None if what runs saves and ends by itself, else what to print at the end.
Listener = Callable[[signal.Signals], str | None]
_listeners: list[Listener] = []


def watch_signals() -> None:
    """Let SIGTERM and Ctrl-C end this process from now on; a signal that is ignored stays so."""
    numbers, wakeup = os.pipe()
    os.set_blocking(wakeup, False)
    signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: None)
    threading.Thread(target=_watch, args=(numbers,), name="signals", daemon=True).start()


@contextlib.contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Ask a listener what to do at the first signal; the second one ends the process.

    Args:
      listener: Called in another thread.
    """
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def _watch(numbers: int) -> None:
    saves = False
    while True:
        for number in os.read(numbers, 1):
            if number not in SIGNALS:
                continue
            said = STOPPED if saves or not _listeners else _answer(signal.Signals(number))
            if said is not None:
                end(f"{said}\n", 128 + number)
            saves = True


def _answer(number: signal.Signals) -> str | None:
    try:
        return _listeners[-1](number)
    except Exception as error:  # this thread must live, or later signals would be lost
        return f"{STOPPED} ({error})"


def end(message: str, status: int) -> NoReturn:
    """End the process at once, but not between two files that belong together."""
    with committing:
        drop_unfinished()
        if select.select([], [2], [], 0.1)[1]:  # nobody may read it
            with contextlib.suppress(OSError):
                os.write(2, message.encode(errors="backslashreplace"))
        os._exit(status)
