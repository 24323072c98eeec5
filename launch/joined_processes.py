"""Runs of several processes: how they find each other, and what they report if one is lost."""

import contextlib
import faulthandler
import logging as python_logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

from absl import logging

from launch.options import FLAGS
from launch.terminal import say_error
from zsl_jax.errors import InputError
from zsl_jax.interruption import STOPPED, listening

LOST = (
    "error: another process of this run ended or cannot be reached ({reason}); nothing before the "
    "last checkpoint is lost: start all processes again with the same command (their number may "
    "differ), and the run resumes from there"
)
SECONDS_TO_HEAR, SECONDS_TO_END = 1, 10


@contextlib.contextmanager
def joined_processes() -> Iterator[None]:
    """Joins the run given by the flags; does nothing for a single process.

    Process 0 writes logs, metrics and the model; the others log only warnings. If a process is
    told to end, all of them do; if one is lost, the others end with one sentence and status 1.
    """
    given = _place_in_run()
    if given is None:
        yield
        return
    from zsl_jax.runtime import processes, shared_signals

    processes.start(**given)
    faulthandler.disable()  # JAX aborts a process whose coordinator is lost, with a line of its own
    if not processes.is_first():
        logging.set_verbosity(logging.WARNING)
        python_logging.getLogger("absl").setLevel(python_logging.WARNING)
    told = threading.Event()  # that this process is to end
    try:
        with _watching_others(told):
            try:
                yield
                processes.wait()
            except (RuntimeError, ValueError) as error:
                # The other one may have been told to end, of which a thread tells this one.
                if processes.tells_of_a_lost_process(error) and shared_signals.pass_on_signal():
                    told.wait(SECONDS_TO_HEAR)
                raise
    except InputError as error:
        _leave(f"error: {error}", 2)
    except (RuntimeError, ValueError) as error:
        if not processes.tells_of_a_lost_process(error):
            raise
        if told.is_set():  # the others ended first; the thread that told them ends this process
            time.sleep(SECONDS_TO_END)
        _leave(LOST.format(reason=str(error).strip().partition("\n")[0]), 1)


def _place_in_run() -> dict[str, Any] | None:
    """The arguments of `processes.start`; None for a single process."""
    given = {name: FLAGS[name].value for name in ("coordinator", "num_processes", "process_id")}
    missing = [name for name, value in given.items() if value is None]
    if not FLAGS.pod and missing:
        if len(missing) == len(given):
            return None
        raise InputError(
            "--coordinator, --num_processes and --process_id belong together; give all three, or "
            "--pod on a TPU pod slice"
        )
    return given


@contextlib.contextmanager
def _watching_others(told: threading.Event) -> Iterator[None]:
    """Shares signals with the other processes, and ends this one if another is lost."""
    from zsl_jax.runtime import heartbeats, shared_signals

    def stop(number: signal.Signals) -> str:
        told.set()
        shared_signals.tell_others(number)
        return STOPPED

    def report_lost(numbers: list[int]) -> None:
        reason = f"no heartbeat of process {numbers[0]} for {heartbeats.TIMEOUT:.0f} seconds"
        if not told.is_set():
            _leave(LOST.format(reason=reason), 1)

    with (
        shared_signals.following_others(),
        heartbeats.watching_processes(report_lost),
        listening(stop),
    ):
        yield


def _leave(message: str, status: int) -> None:
    """Ends at once: the shutdown of jax.distributed would wait for processes that are lost."""
    say_error(message)
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    os._exit(status)
