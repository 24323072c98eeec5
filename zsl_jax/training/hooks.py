"""What goes into the training loop and what it reports."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
from jaxtyping import Float

from zsl_jax.training.state import TrainState
from zsl_jax.types import Batch


class Batches(Protocol):
    """A pass over the text, of which any batch can be had at any time."""

    def __len__(self) -> int:
        """Number of batches, the same in every process."""

    def __getitem__(self, index: int) -> Batch:
        """Batch `index`; every word of the text is in exactly one of them."""


class Corpus(NamedTuple):
    """This process's part of the text, as training sees it.

    Attributes:
      epoch: Shuffled batches of a pass, by its number from 0; the same number, the same batches.
      in_order: Batches for passes that learn nothing.
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
      objective: J a word.
      bound: Eq. 2 a word at the present parameters and the Q of the round before (the first round:
        at its own Q, where the bound is tight for soft EM).
      entropy: Of the tight Q, in nats a word.
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
      step: Updates done.
      epoch: The pass of the next update.
      batch: The place of the next update in that pass.
      rounds: For every E step so far: the updates done before it, and its J a word.
    """

    step: int = 0
    epoch: int = 0
    batch: int = 0
    rounds: tuple[tuple[int, float], ...] = ()


class StepRecord(NamedTuple):
    """What one update reports; the loss is a mean over the words of all processes."""

    step: int
    epoch: int
    loss: float
    gradient_norm: float
    learning_rate: float
    mix: float
    words: int
    seconds: float


class RoundRecord(NamedTuple):
    """What one E step reports; the last one follows the last round."""

    round: int
    expectation: Expectation
    moved: Float[np.ndarray, " U"]
    seconds: float


class Hooks(NamedTuple):
    """Called by the loop.

    Attributes:
      on_start: Before the first update, with what was done before an interruption.
      on_step: After every update.
      on_round: After every E step.
      on_epoch: After every pass, with its number and the state on the devices.
      wants_state: After every update, with the number of updates done and whether a round ends
        here: whether `keep` is to have the state.
      keep: The state on the devices and the progress; whoever has both can go on from here. What
        was done before is reported first.
    """

    on_start: Callable[[Progress], Any] = lambda progress: None
    on_step: Callable[[StepRecord], Any] = lambda record: None
    on_round: Callable[[RoundRecord], Any] = lambda record: None
    on_epoch: Callable[[int, TrainState], Any] = lambda epoch, state: None
    wants_state: Callable[[int, bool], bool] = lambda step, round_ends: False
    keep: Callable[[TrainState, Progress], Any] = lambda state, progress: None
