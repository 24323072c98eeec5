"""Checkpoints of a training, by Orbax: after every round, every n updates, and on signals.

A checkpoint holds what the next update needs: the tagger, the logits of σ, the optimiser's moments,
the PRNG key, and the progress. Two states are kept: the latest, and the one that the last E step
saw, from which Q is recomputed instead of stored. Arrays are saved unsharded, from the host, so
that training can resume on any number of devices and processes.
"""

import contextlib
import hashlib
import json
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp

from zsl_jax import interruption
from zsl_jax.errors import InputError, Preempted
from zsl_jax.runtime import processes
from zsl_jax.training.devices import Devices
from zsl_jax.training.records import Progress
from zsl_jax.training.setup import ResumePoint
from zsl_jax.training.state import TrainState

LONGEST_REASON = 200  # characters


class Checkpoints:
    """The checkpoints of one training in one folder; all processes must call every method."""

    def __init__(
        self, folder: Path, devices: Devices, first: TrainState, label_names: Sequence[str]
    ):
        """Opens the folder and removes what an interrupted save left behind.

        Args:
          folder: An absolute path that all processes share, or that of a bucket from etils.epath;
            created if missing.
          devices: The devices that hold the states.
          first: The state before the first update, on the host.
          label_names: The K labels, recorded in every checkpoint.

        Raises:
          InputError: The folder cannot be created or read.
        """
        self._folder, self._devices, self._first = folder, devices, first
        self._label_names = list(label_names)
        self._wanted: set[int] = set()
        options = ocp.CheckpointManagerOptions(
            preservation_policy=self, cleanup_tmp_directories=True, enable_background_delete=False
        )
        with _explained(f"the checkpoints in {folder} cannot be opened"):
            self._manager = ocp.CheckpointManager(self._folder, options=options)

    def should_preserve(self, checkpoints: Sequence[Any], *, context: Any) -> list[bool]:
        """Returns which checkpoints to keep; called by Orbax, with the latest one last."""
        latest = max(info.step for info in checkpoints)
        return [info.step in self._wanted or info.step == latest for info in checkpoints]

    def save(self, state: TrainState, progress: Progress) -> None:
        """Saves a state under its number of updates, in the background.

        Raises:
          InputError: This save or the one before it failed.
        """
        self._wanted = {progress.step, *(step for step, _ in progress.rounds[-1:])}
        if progress.step in self._manager.all_steps():
            return
        arrays = _filled(self._devices.fetch(state))
        about = {**progress._asdict(), "label_names": self._label_names}
        items = ocp.args.Composite(
            state=ocp.args.StandardSave(arrays),
            progress=ocp.args.JsonSave({**about, "checksum": _checksum(arrays, about)}),
        )
        with _explained(self._failure(progress.step)):
            self._manager.save(progress.step, args=items)

    def start(self) -> ResumePoint:
        """The latest state, or the first one if nothing was saved.

        Raises:
          InputError: It is damaged, or belongs to a tagger with other labels or sizes.
        """
        latest = self._manager.latest_step()
        if latest is None:
            return ResumePoint(self._first)
        state, progress = self._load(latest)
        return ResumePoint(
            state, progress, lambda number: self._state_at(progress.rounds[number][0])
        )

    def wait(self) -> None:
        """Waits for the last save.

        Raises:
          InputError: The save failed.
        """
        with _explained(self._failure(None)):
            self._manager.wait_until_finished()

    def close(self) -> None:
        """Releases the folder; a save that fails at this point counts as interrupted."""
        with contextlib.suppress(Exception):
            self._manager.close()

    def _state_at(self, step: int) -> TrainState | None:
        if step == 0:
            return self._first
        return self._load(step)[0] if step in self._manager.all_steps() else None

    def _load(self, step: int) -> tuple[TrainState, Progress]:
        wanted = _filled(self._first)
        items = ocp.args.Composite(
            state=ocp.args.StandardRestore(wanted), progress=ocp.args.JsonRestore()
        )
        path = self._folder / str(step)
        with _explained(
            f"the checkpoint {path} cannot be read: delete this folder, and the same command "
            "resumes from the one before it"
        ):
            restored = self._manager.restore(step, args=items)
            about = dict(restored["progress"])
            checksum = about.pop("checksum", None)
            if checksum not in (None, _checksum(restored["state"], about)):
                raise ValueError("its contents do not match the recorded checksum")
        if about.pop("label_names") != self._label_names:
            raise InputError(f"the checkpoint {path} has other labels; {_WAY_OUT}")
        for name, array in wanted.items():
            loaded = restored["state"][name]
            if (loaded.shape, loaded.dtype) != (array.shape, array.dtype):
                raise InputError(
                    f"the checkpoint {path}: {name} is {loaded.dtype}{list(loaded.shape)}, not "
                    f"{array.dtype}{list(array.shape)}; {_WAY_OUT}"
                )
        about["rounds"] = tuple((int(at), float(value)) for at, value in about["rounds"])
        structure = jax.tree.structure(self._first)
        named = _named(self._first).items()
        leaves = [restored["state"].get(name, array) for name, array in named]
        return jax.tree.unflatten(structure, leaves), Progress(**about)

    def _failure(self, step: int | None) -> str:
        what = "the last checkpoint" if step is None else f"a checkpoint at step {step} or before"
        return (
            f"{what} could not be written to {self._folder}: make room or make it writable, then "
            "give the same command again, which resumes from the last one that was written"
        )


class Saver:
    """Decides when to save a state, and saves it: the hooks `wants_state` and `keep`."""

    def __init__(self, checkpoints: Checkpoints, every_steps: int | None):
        """Saves at the end of each round and, if given, after every `every_steps` updates."""
        self._checkpoints, self._every = checkpoints, every_steps
        self._lock = threading.Lock()
        self._signal: signal.Signals | None = None  # the one received
        self._is_saved = True
        self._preempted = False

    def stop(self, number: signal.Signals) -> str | None:
        """Handles a signal, in another thread: after the current update, or at once in an E step.

        Returns:
          None if there are updates that `keep` will save, else the message to print.
        """
        with self._lock:
            if not self._is_saved and (processes.count() == 1 or processes.stop_together()):
                self._signal = number
                return None
        try:
            self._checkpoints.wait()
        except InputError as error:
            return f"error: {error}"
        return f"Stopped by {number.name}; all updates are saved; {_RESUMES}"

    def wants_state(self, step: int, round_ends: bool) -> bool:
        """Returns whether to save the state after this update."""
        self._is_saved = False
        self._preempted = self._told_to_stop(step)
        return (
            round_ends or self._preempted or (self._every is not None and step % self._every == 0)
        )

    def keep(self, state: TrainState, progress: Progress) -> None:
        """Saves a state; if the process is to end, waits for the save and reports it.

        Raises:
          Preempted: A signal to end was received, and the state is saved.
        """
        self._checkpoints.save(state, progress)
        with self._lock:
            self._is_saved = True
            number = self._signal or signal.SIGTERM
            alone = processes.count() == 1  # otherwise all end after the same update
            stops = self._signal is not None if alone else self._preempted
        if stops:
            self._checkpoints.wait()
            raise Preempted(
                f"Stopped by {number.name} after step {progress.step}, which is saved; {_RESUMES}",
                128 + number,
            )

    def _told_to_stop(self, step: int) -> bool:
        if processes.count() == 1:
            return self._signal is not None
        from jax.experimental.multihost_utils import reached_preemption_sync_point

        return reached_preemption_sync_point(step)


@contextlib.contextmanager
def saving_on_signals(saver: Saver) -> Iterator[None]:
    """Lets SIGTERM or Ctrl-C end a training after its current update, instead of at once.

    If one of several processes is asked to stop, all of them stop at the same update.
    """
    with interruption.listening(saver.stop):
        yield


_RESUMES = "the same command, without `overwrite`, resumes from there"
_WAY_OUT = "name another `output`, or give `overwrite` to start over"


def _named(tree: Any) -> dict[str, np.ndarray]:
    """The leaves by path, such as "params/classifier/bias"."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(tree)
    return {
        jax.tree_util.keystr(path, simple=True, separator="/"): np.asarray(leaf)
        for path, leaf in leaves
    }


def _filled(tree: Any) -> dict[str, np.ndarray]:
    """`_named` without empty arrays, which Orbax cannot store."""
    return {name: array for name, array in _named(tree).items() if array.size}


def _checksum(arrays: Mapping[str, Any], about: Mapping[str, Any]) -> str:
    """SHA-256 of everything in a checkpoint; Orbax itself does not checksum the arrays."""
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


@contextlib.contextmanager
def _explained(problem: str) -> Iterator[None]:
    """Turns any Orbax error into one sentence that gives the root cause of its chain."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        causes: list[BaseException] = [error]
        while causes[-1].__cause__ is not None:
            causes.append(causes[-1].__cause__)
        if any(processes.tells_of_a_lost_process(cause) for cause in causes):
            raise  # the files are intact
        reason = str(causes[-1]).strip().partition("\n")[0] or type(causes[-1]).__name__
        if len(reason) > LONGEST_REASON:  # paths inside the checkpoint; the cause comes last
            reason = reason.rpartition(": ")[2]
        raise InputError(f"{problem} ({reason})") from error
