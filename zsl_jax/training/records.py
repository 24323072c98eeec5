"""What goes into the training loop and what it reports."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np
from jaxtyping import Float

from zsl_jax.training.state import TrainState
from zsl_jax.types import TokenBatch


class Batches(Protocol):
    """A pass over the text whose length is known."""

    def __len__(self) -> int:
        """Number of batches."""

    def __iter__(self) -> Iterator[TokenBatch]:
        """The batches, every word in exactly one of them."""


class Corpus(NamedTuple):
    """The text as training sees it.

    Attributes:
      epoch: Shuffled batches of a pass, by its number from 0; the same number, the same batches.
      in_order: Batches for passes that learn nothing.
      num_words: N.
    """

    epoch: Callable[[int], Batches]
    in_order: Batches
    num_words: int


class Expectation(NamedTuple):
    """An E step over the corpus.

    Attributes:
      posterior: [N, K] float32, Q.
      log_confusion: [U, K, K], log φ that it was computed with.
      objective: J a word.
      bound: Eq. 2 a word at the present parameters and the Q of the round before (the first round:
        at its own Q, where the bound is tight for soft EM).
      entropy: Of the tight Q, in nats a word.
    """

    posterior: Float[np.ndarray, "N K"]
    log_confusion: Float[np.ndarray, "U K K"]
    objective: float
    bound: float
    entropy: float


class StepRecord(NamedTuple):
    """What one update reports; the loss is a mean over its words."""

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
    """Called by the loop; each returns nothing."""

    on_step: Callable[[StepRecord], Any] = lambda record: None
    on_round: Callable[[RoundRecord], Any] = lambda record: None
    on_epoch: Callable[[int, TrainState], Any] = lambda epoch, state: None
