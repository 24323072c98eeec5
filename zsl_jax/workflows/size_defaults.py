"""Settings that follow from the sizes of text and encoder where none is given.

A small text needs small batches, since too few updates leave a tagger that gives every word one
label, and a new head of a small encoder needs a high learning rate.
"""

import dataclasses
import math

import numpy as np

from zsl_jax.training.config import (
    FEWEST_WORDS,
    HEAD_STEP,
    HIGHEST_HEAD_RATE,
    MOST_WORDS,
    TrainConfig,
    TransferConfig,
)

WORDS_FROM_SOURCE = 30_000
WORDS_FROM_ENCODER = 100_000
MOST_EPOCHS = 10
FEWEST_UPDATES = 400


def with_epochs(config: TransferConfig, num_words: int, from_source: bool) -> TransferConfig:
    """The settings with epochs per round, so that the tagger sees enough words of a small text.

    Training that restarts in each round sees them in every round, other training in all rounds
    together, unless `rounds` says how many passes it has.

    Args:
      config: The settings; epochs that are given stay.
      num_words: Of the text.
      from_source: Whether training starts from a source model rather than the encoder.

    >>> from zsl_jax.training.config_choices import Approach
    >>> chain, kd = TransferConfig(), TransferConfig(approach=Approach.KD)
    >>> [with_epochs(chain, 10_000, start).epochs for start in (True, False)]
    [3, 10]
    >>> [with_epochs(kd, words, False).passes for words in (5_000, 10_000, 30_000, 500_000)]
    [12, 12, 3, 3]
    """
    if config.epochs is not None or (config.rounds is not None and not config.restarts):
        return config
    wanted = WORDS_FROM_SOURCE if from_source else WORDS_FROM_ENCODER
    epochs = int(np.clip(round(wanted / max(num_words, 1)), 1, MOST_EPOCHS))
    if not config.restarts:
        epochs = math.ceil(epochs / config.num_rounds)
    return dataclasses.replace(config, epochs=epochs)


def batch_words_for(num_words: int, config: TrainConfig) -> int:
    """Words per update: those of `config`, or so few that a small text gets enough updates.

    >>> [batch_words_for(words, TrainConfig(epochs=3)) for words in (5_000, 14_000, 200_000)]
    [64, 105, 512]
    >>> batch_words_for(5_000, TrainConfig(epochs=3, batch_words=256))
    256
    """
    if config.batch_words is not None:
        return config.batch_words
    words = num_words * config.schedule_epochs / FEWEST_UPDATES
    return int(np.clip(words, FEWEST_WORDS, MOST_WORDS))


def with_head_rate(config: TrainConfig, hidden_size: int) -> TrainConfig:
    """The settings with a learning rate of the head, which falls with its width if none is given.

    >>> [
    ...     with_head_rate(TrainConfig(), size).optimizer.head_learning_rate
    ...     for size in (128, 500, 1000)
    ... ]
    [0.01, 0.004, 0.002]
    """
    optimizer = config.optimizer
    if optimizer.head_learning_rate is not None:
        return config
    rate = max(optimizer.learning_rate, min(HEAD_STEP / hidden_size, HIGHEST_HEAD_RATE))
    return dataclasses.replace(
        config, optimizer=dataclasses.replace(optimizer, head_learning_rate=rate)
    )
