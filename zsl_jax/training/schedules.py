"""Learning rates and λ as functions of training progress."""

from typing import NamedTuple

import numpy as np

from zsl_jax.training.config import TrainConfig


class StepSchedule(NamedTuple):
    """The values that change from one update to the next, as float32 scalars.

    Attributes:
      learning_rate: Learning rate of the encoder.
      head_learning_rate: Learning rate of the head.
      confusion_learning_rate: Learning rate of the logits of σ.
      mix: λ, the share of the fixed matrix ψ in φ.
    """

    learning_rate: np.float32
    head_learning_rate: np.float32
    confusion_learning_rate: np.float32
    mix: np.float32


def rate_factor(progress: float, warmup: float, decay: str) -> float:
    """Factor on the highest rate: rises from 0 to 1 over the warm-up, then falls to 0 or stays 1.

    >>> [rate_factor(progress, 0.1, "linear") for progress in (0.05, 0.1, 1.0)]
    [0.5, 1.0, 0.0]
    >>> [rate_factor(progress, 0.1, "constant") for progress in (0.05, 0.1, 1.0)]
    [0.5, 1.0, 1.0]
    """
    if progress < warmup:
        return progress / warmup
    after = {"linear": (1.0 - progress) / (1.0 - warmup), "constant": 1.0}
    return after[decay]


def schedule_at(progress: float, config: TrainConfig) -> StepSchedule:
    """The rates of the update after `progress` (0 to 1) of training.

    Raises:
      ValueError: The head has no learning rate; see `workflows.size_defaults.with_head_rate`.
    """
    optimizer = config.optimizer
    if optimizer.head_learning_rate is None:
        raise ValueError(
            "optimizer.head_learning_rate is None; size_defaults.with_head_rate sets it"
        )
    factor = rate_factor(progress, optimizer.warmup, optimizer.decay)
    return StepSchedule(
        np.float32(factor * optimizer.learning_rate),
        np.float32(factor * optimizer.head_learning_rate),
        np.float32(factor * config.confusion_learning_rate),
        np.float32(config.mix(progress)),
    )
