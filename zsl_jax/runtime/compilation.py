"""Counts XLA's compilations and their time."""

import functools
from typing import NamedTuple

import jax

_EVENT = "/jax/core/compile/backend_compile_duration"
_seconds: list[float] = []


class Compilation(NamedTuple):
    """Number of programs compiled so far in this process, and the seconds spent on them."""

    programs: int
    seconds: float


def compilations() -> Compilation:
    """Returns the compilations since the first call of `watch_compilations`."""
    return Compilation(len(_seconds), sum(_seconds))


def compiled() -> dict[str, float]:
    """How often and how long XLA compiled in this process, for result.json."""
    count, seconds = compilations()
    return {"compilations": count, "compile_seconds": round(seconds, 2)}


@functools.cache
def watch_compilations() -> None:
    """Starts counting; further calls have no effect."""
    jax.monitoring.register_event_duration_secs_listener(_listen)


def _listen(event: str, duration_secs: float, **kwargs: str | int) -> None:
    if event == _EVENT:
        _seconds.append(duration_secs)
