"""Heartbeats between the processes of a run, so that a lost process is noticed everywhere.

A barrier does not fail at once when a process is lost, and JAX, whose own heartbeats reveal it in
the end, aborts the other processes with a stack trace. Here, every process increments a counter in
the run's key-value store, and checks that the others' counters move.
"""

import contextlib
import time
from collections.abc import Callable
from typing import Any

import jax
from orbax.checkpoint import multihost

from zsl_jax.runtime.polling import polled

# Seconds between two heartbeats; without one until a process counts as lost, well below those until
# JAX aborts; and between two of this process that mean that it was paused itself.
INTERVAL, TIMEOUT, PAUSE = 2.0, 30.0, 10.0
_FOLDER = "zsl_jax/heartbeats"


class Heartbeats:
    """The heartbeats of one process, and what it has seen of the others'."""

    def __init__(self, store: Any, index: int):
        """Prepares the first heartbeat.

        Args:
          store: Client of the run's key-value store, as of `jax.distributed`.
          index: Number of this process.
        """
        self._store, self._key, self._count = store, f"{_FOLDER}/{index}", 0
        self._last = -float("inf")
        self._changes: dict[str, tuple[str, float]] = {}  # a process's count, and since when

    def beat(self, now: float) -> list[int]:
        """Sends a heartbeat, and returns the processes whose last one is too old.

        A process that has not sent any yet is not among them.

        Args:
          now: Seconds.

        Returns:
          The processes' numbers in order.

        Raises:
          jax.errors.JaxRuntimeError: The store cannot be reached.
        """
        self._count += 1
        self._store.key_value_set(self._key, str(self._count), allow_overwrite=True)
        was_paused = now - self._last > PAUSE  # perhaps with the whole machine
        self._last = now
        for key, count in self._store.key_value_dir_get(_FOLDER):
            if was_paused or self._changes.get(key, ("", now))[0] != count:
                self._changes[key] = count, now
        silent = [key for key, (_, since) in self._changes.items() if now - since > TIMEOUT]
        return sorted(int(key.rpartition("/")[2]) for key in silent)


def watching_processes(
    on_lost: Callable[[list[int]], None],
) -> contextlib.AbstractContextManager[None]:
    """Sends heartbeats from a thread, and reports processes of the run that are lost.

    Args:
      on_lost: Called once, in the thread, with their numbers.
    """
    heartbeats = Heartbeats(multihost.get_jax_distributed_client(), jax.process_index())

    def look() -> bool:
        try:
            lost = heartbeats.beat(time.monotonic())
        except jax.errors.JaxRuntimeError:  # perhaps the next one succeeds; if not, JAX aborts
            return False
        if lost:
            on_lost(lost)
        return bool(lost)

    return polled(look, INTERVAL, "heartbeats")
