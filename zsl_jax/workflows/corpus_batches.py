"""A text in shards as training and prediction see it: batches of one shape for the devices.

A run has as many shards as it had processes when it began, or a multiple; they are packed one by
one. Whether one process has them all or each has its own, every update sees the same rows.
"""

from collections.abc import Sequence

import numpy as np

from zsl_jax.data.batches import packing
from zsl_jax.data.batches.hidden_batches import HiddenBatches
from zsl_jax.data.batches.subwords import Windows
from zsl_jax.errors import InputError
from zsl_jax.runtime import processes
from zsl_jax.training.config import TrainConfig
from zsl_jax.training.devices import Devices
from zsl_jax.training.text_batches import Batches, Corpus
from zsl_jax.workflows.size_defaults import batch_words_for

# Subwords of a batch that learns nothing, on each device: what fits the cache, or fills the chip.
PREDICTION_SUBWORDS = 2_048
ACCELERATOR_SUBWORDS = 32_768


def training_corpus(
    shards: Sequence[Windows],
    config: TrainConfig,
    row_length: int,
    devices: Devices,
    states: np.ndarray | None = None,
) -> Corpus:
    """Batches for training; the order of shard p in epoch e is a function of (seed, e, p).

    Args:
      shards: The shards of this process.
      config: Its seed, and its words per batch of all processes (or the default for their text).
      row_length: Subwords of a row.
      devices: Those of all processes.
      states: [T, H], the hidden states that token ids number; None where these are subword ids.

    Returns:
      The corpus; all processes make equally many updates per epoch, of equally many rows per shard.

    Raises:
      InputError: No process has a word, so that no epoch would end.
    """
    words = [shard.num_words for shard in shards]
    own_rows = [packing.pack_rows(shard.lengths, row_length, None).num_rows for shard in shards]
    num_rows, num_words, num_shards = processes.total(
        [sum(own_rows), sum(words), len(shards)]
    ).tolist()
    if not num_words:
        raise InputError("the text to train on has no words; give one with at least one sentence")
    batch_words = batch_words_for(int(num_words), config)
    rows = packing.rows_for_words(int(num_rows), int(num_words), batch_words)
    rows_per_shard = max(1, round(rows / num_shards))
    before = sum(processes.gather(len(shards))[: processes.index()])
    multiple = len(devices.local.devices) * config.accumulate

    def epoch(number: int) -> Batches:
        batches = [
            packing.PackedBatches(
                shard,
                row_length,
                rows_per_shard,
                np.random.default_rng((config.seed, number, index)),
            )
            for index, shard in enumerate(shards, start=before)
        ]
        length = max(processes.gather(max(map(len, batches))))
        return with_hidden_states(packing.SideBySide(batches, words, length, multiple), states)

    in_order = prediction_batches(shards, row_length, devices.local)
    return Corpus(epoch, with_hidden_states(in_order, states), sum(words))


def with_hidden_states(batches: packing.SideBySide, states: np.ndarray | None) -> Batches:
    """The batches, with hidden states where their token ids number the rows of `states`."""
    return batches if states is None else HiddenBatches(batches, states)


def prediction_batches(
    shards: Sequence[Windows], row_length: int, devices: Devices
) -> packing.SideBySide:
    """Batches of this process's shards in their own order."""
    on_cpu = devices.devices[0].platform == "cpu"
    subwords = PREDICTION_SUBWORDS if on_cpu else ACCELERATOR_SUBWORDS
    rows = max(1, subwords * len(devices.devices) // row_length // len(shards))
    batches = [packing.PackedBatches(shard, row_length, rows) for shard in shards]
    words = [shard.num_words for shard in shards]
    multiple = len(devices.devices)
    return packing.SideBySide(batches, words, max(map(len, batches)), multiple)
