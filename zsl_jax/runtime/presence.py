"""Notices that another process of the run has gone.

A barrier does not fail at once when a process is lost, and JAX, which notices it in the end, aborts
the others with a dump of its own. So every process counts in a place of its own in the run's store,
and looks whether the others still do.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import jax
from orbax.checkpoint import multihost

# Seconds between two counts; seconds without one after which a process is lost, well below those
# after which JAX aborts; seconds after which this process has been paused itself.
_BEAT, PATIENCE, _PAUSE = 2.0, 30.0, 10.0
_ALIVE = "zsl_jax/alive"


class Presence:
    """What one process knows of the others."""

    def __init__(self, store: Any, index: int):
        """Starts counting.

        Args:
          store: The client of the run's store, as of `jax.distributed`.
          index: Number of this process.
        """
        self._store, self._own, self._count = store, f"{_ALIVE}/{index}", 0
        self._seen: dict[str, tuple[str, float]] = {}
        self._last = -float("inf")

    def lost(self, now: float) -> list[int]:
        """Counts on, and returns the processes that have not done so for too long.

        A process that has not counted yet is not among them.

        Args:
          now: Seconds.

        Raises:
          jax.errors.JaxRuntimeError: The store cannot be reached.
        """
        self._count += 1
        self._store.key_value_set(self._own, str(self._count), allow_overwrite=True)
        was_paused = now - self._last > _PAUSE  # perhaps the others, too, with the whole machine
        self._last = now
        for key, count in self._store.key_value_dir_get(_ALIVE):
            if was_paused or self._seen.get(key, ("", now))[0] != count:
                self._seen[key] = count, now
        silent = [key for key, (_, since) in self._seen.items() if now - since > PATIENCE]
        return sorted(int(key.rpartition("/")[2]) for key in silent)


@contextlib.contextmanager
def noticing_lost_processes(on_lost: Callable[[list[int]], None]) -> Iterator[None]:
    """Calls a function, in a thread, if other processes of the run are lost.

    Args:
      on_lost: Called once, with their numbers.
    """
    done = threading.Event()
    presence = Presence(multihost.get_jax_distributed_client(), jax.process_index())

    def watch() -> None:
        with contextlib.suppress(jax.errors.JaxRuntimeError):  # the store is lost: JAX says so
            while not (lost := presence.lost(time.monotonic())):
                if done.wait(_BEAT):
                    return
            on_lost(lost)

    thread = threading.Thread(target=watch, name="presence of others", daemon=True)
    thread.start()
    try:
        yield
    finally:  # JAX aborts a process that ends while a thread is in its store
        done.set()
        thread.join()
