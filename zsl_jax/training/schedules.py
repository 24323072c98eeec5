"""Learning rates and λ as functions of how much of the training is done."""

import math
from typing import NamedTuple

import numpy as np

from zsl_jax.training.config import TrainConfig


class StepSchedule(NamedTuple):
    """What changes from one update to the next, as float32 scalars.

    Attributes:
      learning_rate: Of the encoder.
      head_learning_rate: Of the head.
      confusion_learning_rate: Of the logits of σ.
      mix: λ, the share of the fixed matrix ψ in φ.
    """

    learning_rate: np.float32
    head_learning_rate: np.float32
    confusion_learning_rate: np.float32
    mix: np.float32


def rate_factor(progress: float, warmup_fraction: float, decay: str) -> float:
    """Factor on the highest rate: from 0 to 1 over the warm-up, then down to 0 at the end or level.

    >>> [rate_factor(progress, 0.1, "linear") for progress in (0.05, 0.1, 1.0)]
    [0.5, 1.0, 0.0]
    >>> [rate_factor(progress, 0.1, "constant") for progress in (0.05, 0.1, 1.0)]
    [0.5, 1.0, 1.0]
    """
    if progress < warmup_fraction:
        return progress / warmup_fraction
    after = {"linear": (1.0 - progress) / (1.0 - warmup_fraction), "constant": 1.0}
    return after[decay]


def mix_at(progress: float, start: float, end: float, schedule: str) -> float:
    """λ after `progress` (0 to 1) of the training.

    >>> mix_at(0.25, 1.0, 0.0, "linear"), mix_at(0.25, 1.0, 0.5, "constant")
    (0.75, 0.5)
    """
    shares = {
        "linear": lambda p: p,
        "cosine": lambda p: 0.5 - 0.5 * math.cos(math.pi * p),
        "constant": lambda p: 1.0,
    }
    return start + (end - start) * shares[schedule](progress)


def schedule_at(progress: float, config: TrainConfig) -> StepSchedule:
    """The rates of the update that follows `progress` (0 to 1) of the training.

    λ is 1 throughout for minimum risk training, whatever the schedule says.
    """
    optimizer, label_model = config.optimizer, config.label_model
    factor = rate_factor(progress, optimizer.warmup_fraction, optimizer.decay)
    mix = 1.0
    if config.approach == "lvm":
        schedule = label_model.mix_schedule
        mix = mix_at(progress, label_model.mix_start, label_model.mix_end, schedule)
    return StepSchedule(
        np.float32(factor * optimizer.learning_rate),
        np.float32(factor * (optimizer.head_learning_rate or optimizer.learning_rate)),
        np.float32(factor * optimizer.confusion_learning_rate),
        np.float32(mix),
    )
