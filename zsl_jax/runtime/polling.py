"""Calls a function regularly in a thread, beside the work of the process."""

import contextlib
import threading
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def polled(look: Callable[[], bool], interval: float, name: str) -> Iterator[None]:
    """Calls a function until it returns True, or the block ends.

    The block ends when the last call has returned: JAX aborts a process that ends while a thread
    uses the run's key-value store.

    Args:
      look: Returns True when there is nothing more to do.
      interval: Seconds between two calls.
      name: Of the thread.
    """
    done = threading.Event()

    def poll() -> None:
        while not look() and not done.wait(interval):
            pass

    thread = threading.Thread(target=poll, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
