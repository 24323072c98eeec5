"""A training that resumes where an earlier process with the same command had to stop."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from zsl_jax.labels import LabelSet
from zsl_jax.training.hooks import Hooks
from zsl_jax.training.records import Progress
from zsl_jax.training.setup import ResumePoint, Training
from zsl_jax.training.state import TrainState
from zsl_jax.workflows.trainable_part import TrainingSetup


class Saving(NamedTuple):
    """Where and how often states are saved.

    Attributes:
      folder: Of the checkpoints of one training.
      every_steps: Updates between two of them; None saves at the end of a round only.
      before: Called before each save, with all earlier updates reported.
    """

    folder: Path
    every_steps: int | None = None
    before: Callable[[], None] = lambda: None


@contextlib.contextmanager
def resumable(
    fit: TrainingSetup, label_set: LabelSet, hooks: Hooks, saving: Saving | None
) -> Iterator[tuple[Training, ResumePoint]]:
    """Yields a training and the state to start it from; states are saved on the way.

    Args:
      fit: A training that is ready to run.
      label_set: The target's labels.
      hooks: Called during training.
      saving: None keeps nothing and starts at the beginning.

    Yields:
      The training with its hooks, and where it starts.
    """
    if saving is None:
        yield fit.training._replace(hooks=hooks), ResumePoint(fit.state)
        return
    from zsl_jax.training.checkpoints import Checkpoints, Saver, saving_on_signals  # loads Orbax

    checkpoints = Checkpoints(saving.folder, fit.training.devices, fit.state, label_set.names)
    saver = Saver(checkpoints, saving.every_steps)

    def keep(state: TrainState, progress: Progress) -> None:
        saving.before()
        saver.keep(state, progress)

    hooks = hooks._replace(wants_state=saver.wants_state, keep=keep)
    try:
        with saving_on_signals(saver):
            yield fit.training._replace(hooks=hooks), checkpoints.start()
        checkpoints.wait()
    finally:
        checkpoints.close()
