"""Functions that the training loop calls: to report, and to save."""

from collections.abc import Callable
from typing import Any, NamedTuple

from zsl_jax.training.records import Progress, RoundRecord, StepRecord
from zsl_jax.training.state import TrainState


class Hooks(NamedTuple):
    """Functions that the loop calls.

    Attributes:
      on_start: Before the first update, with the progress made before an interruption.
      on_step: After every update.
      on_round: After every E step.
      on_epoch: After every epoch, with its number and the state on the devices.
      wants_state: After every update, with the number of updates done and whether a round ends
        here; returns whether to call `keep`.
      keep: With the state on the devices and the progress, which together suffice to resume from
        here. All earlier updates are reported first.
    """

    on_start: Callable[[Progress], Any] = lambda progress: None
    on_step: Callable[[StepRecord], Any] = lambda record: None
    on_round: Callable[[RoundRecord], Any] = lambda record: None
    on_epoch: Callable[[int, TrainState], Any] = lambda epoch, state: None
    wants_state: Callable[[int, bool], bool] = lambda step, round_ends: False
    keep: Callable[[TrainState, Progress], Any] = lambda state, progress: None
