"""Handles SIGTERM, Ctrl-C and SIGHUP: a thread ends the program, or lets a training save first.

An exception raised by a signal handler appears wherever the main thread happens to be: a JAX
callback swallows it, and it does not interrupt a long computation. Here no handler raises anything.
A dedicated thread reads signal numbers from a pipe, removes unfinished files and ends the process.
"""

import contextlib
import logging
import os
import select
import signal
import threading
from collections.abc import Callable, Iterator
from typing import NoReturn

from zsl_jax.atomic_file import committing, drop_unfinished

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # SIGHUP: the terminal is closed
STOPPED = "stopped; no file is left half-written"

# Called with a signal; returns None if the program saves and ends by itself, else a last message.
Listener = Callable[[signal.Signals], str | None]
_listeners: list[Listener] = []


def watch_signals() -> None:
    """Lets SIGTERM, Ctrl-C and SIGHUP end this process from now on, unless they are ignored."""
    numbers, wakeup = os.pipe()
    os.set_blocking(wakeup, False)
    signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: None)
    threading.Thread(target=_watch, args=(numbers,), name="signals", daemon=True).start()


@contextlib.contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Passes the first signal to a listener; the second one ends the process.

    Args:
      listener: Function that handles the signal; called in another thread.
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
            message = STOPPED if saves or not _listeners else _answer(signal.Signals(number))
            if message is not None:
                end(f"{message}\n", 128 + number)
            saves = True


def _answer(number: signal.Signals) -> str | None:
    try:
        return _listeners[-1](number)
    except Exception as error:  # this thread must survive, or later signals would be lost
        return f"{STOPPED} ({error})"


def end(message: str, status: int) -> NoReturn:
    """Ends the process at once, but not between two files that belong together."""
    with committing:
        drop_unfinished()
        logging.disable()  # the message is the last word
        if select.select([], [2], [], 0.1)[1]:  # stderr may have no reader
            with contextlib.suppress(OSError):
                os.write(2, message.encode(errors="backslashreplace"))
        os._exit(status)
