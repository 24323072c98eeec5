"""How often and how long XLA compiled."""

import functools
from typing import NamedTuple

import jax

_EVENT = "/jax/core/compile/backend_compile_duration"
_seconds: list[float] = []


class Compilation(NamedTuple):
    """Programs compiled so far in this process, and the seconds that took."""

    programs: int
    seconds: float


def compilations() -> Compilation:
    """What was compiled since `watch_compilations` was called first."""
    return Compilation(len(_seconds), sum(_seconds))


def compiled() -> dict[str, float]:
    """How often and how long XLA compiled in this process, for result.json."""
    count, seconds = compilations()
    return {"compilations": count, "compile_seconds": round(seconds, 2)}


@functools.cache
def watch_compilations() -> None:
    """Start counting; calling it again changes nothing."""
    jax.monitoring.register_event_duration_secs_listener(_listen)


def _listen(event: str, duration_secs: float, **kwargs: str | int) -> None:
    if event == _EVENT:
        _seconds.append(duration_secs)
