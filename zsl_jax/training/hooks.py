"""Inputs of the training loop, and what it reports."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
from jaxtyping import Float

from zsl_jax.training.state import TrainState
from zsl_jax.types import Batch


class Batches(Protocol):
    """A pass over the text, with random access to its batches."""

    def __len__(self) -> int:
        """Number of batches, the same in every process."""

    def __getitem__(self, index: int) -> Batch:
        """Batch `index`; every word of the text is in exactly one of them."""


class Corpus(NamedTuple):
    """This process's shard of the text, as training sees it.

    Attributes:
      epoch: Maps an epoch's number, from 0, to its shuffled batches; the same number always gives
        the same batches.
      in_order: Batches for passes without updates.
      num_words: N, in this process.
    """

    epoch: Callable[[int], Batches]
    in_order: Batches
    num_words: int


class Expectation(NamedTuple):
    """An E step over the corpus; the means are over the words of all processes.

    Attributes:
      posterior: [N, K] float32, Q.
      log_confusion: [U, V, K], log φ that it was computed with.
      objective: J per word.
      bound: Eq. 2 a word at the present parameters and the Q of the round before (the first round:
        at its own Q, where the bound is tight for soft EM).
      entropy: Of the tight Q, in nats per word.
      model_state: What else the E step estimated, as its label model has it.
    """

    posterior: Float[np.ndarray, "N K"]
    log_confusion: Float[np.ndarray, "U V K"]
    objective: float
    bound: float
    entropy: float
    model_state: Any = None


class Progress(NamedTuple):
    """How far a training has come.

    Attributes:
      step: Number of updates done.
      epoch: Epoch of the next update.
      batch: Index of the next update's batch in that epoch.
      rounds: For every E step so far, the number of updates before it and its J per word.
    """

    step: int = 0
    epoch: int = 0
    batch: int = 0
    rounds: tuple[tuple[int, float], ...] = ()


class StepRecord(NamedTuple):
    """Report of one update; the loss is a mean over the words of all processes."""

    step: int
    epoch: int
    loss: float
    gradient_norm: float
    learning_rate: float
    mix: float
    words: int
    seconds: float


class RoundRecord(NamedTuple):
    """Report of one E step; the last one follows the last round."""

    round: int
    expectation: Expectation
    moved: Float[np.ndarray, " U"]
    seconds: float


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
