"""What a training reports: how far it has come, its updates, and its E steps."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float


class Expectation(NamedTuple):
    """An E step over the corpus; the means are over the words of all processes.

    Attributes:
      posterior: [N, K] float32, Q.
      log_confusion: [U, V, K], log φ that it was computed with.
      objective: J per word.
      bound: Eq. 2 per word at the present parameters and the Q of the round before (in the first
        round at its own Q, where the bound is tight for soft EM).
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
