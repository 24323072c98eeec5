"""A text in parts as training and prediction see it: batches of one shape for the devices.

A run has as many parts as it had processes when it began, or a multiple; they are packed one by
one. Whether one process has them all or each has its own, every update sees the same rows.
"""

from collections.abc import Sequence

import numpy as np

from zsl_jax.data import packing
from zsl_jax.data.hidden_batches import HiddenBatches
from zsl_jax.data.subwords import Windows
from zsl_jax.training import hosts
from zsl_jax.training.config import TrainConfig
from zsl_jax.training.devices import Devices
from zsl_jax.training.records import Batches, Corpus

# Subwords of a batch that learns nothing, on each device: what fits the cache, or fills the chip.
PREDICTION_SUBWORDS = 2_048
ACCELERATOR_SUBWORDS = 32_768


def training_corpus(
    parts: Sequence[Windows],
    config: TrainConfig,
    row_length: int,
    devices: Devices,
    states: np.ndarray | None = None,
) -> Corpus:
    """Batches for training; the order of part p in pass e is a function of (seed, e, p).

    Args:
      parts: The parts of this process.
      config: Its seed and its words a batch, of all processes together.
      row_length: Subwords of a row.
      devices: Those of all processes.
      states: [T, H], the hidden states that token ids number; None where these are subword ids.

    Returns:
      The corpus; all processes make equally many updates a pass, of equally many rows a part.
    """
    words = [part.num_words for part in parts]
    own_rows = [packing.pack_rows(part.lengths, row_length, None).num_rows for part in parts]
    num_rows, num_words, num_parts = hosts.total([sum(own_rows), sum(words), len(parts)]).tolist()
    rows = packing.rows_for_words(int(num_rows), int(num_words), config.batch_words)
    rows_a_part = max(1, round(rows / num_parts))
    before = sum(hosts.gather(len(parts))[: hosts.index()])
    multiple = len(devices.local.devices)

    def epoch(number: int) -> Batches:
        batches = [
            packing.PackedBatches(
                part, row_length, rows_a_part, np.random.default_rng((config.seed, number, index))
            )
            for index, part in enumerate(parts, start=before)
        ]
        length = max(hosts.gather(max(map(len, batches))))
        return looked_up(packing.SideBySide(batches, words, length, multiple), states)

    in_order = prediction_batches(parts, row_length, devices.local)
    return Corpus(epoch, looked_up(in_order, states), sum(words))


def looked_up(batches: packing.SideBySide, states: np.ndarray | None) -> Batches:
    """The batches, with hidden states where their token ids number the rows of `states`."""
    return batches if states is None else HiddenBatches(batches, states)


def prediction_batches(
    parts: Sequence[Windows], row_length: int, devices: Devices
) -> packing.SideBySide:
    """Batches of this process's parts in their own order."""
    on_cpu = devices.devices[0].platform == "cpu"
    subwords = PREDICTION_SUBWORDS if on_cpu else ACCELERATOR_SUBWORDS
    rows = max(1, subwords * len(devices.devices) // row_length // len(parts))
    batches = [packing.PackedBatches(part, row_length, rows) for part in parts]
    words = [part.num_words for part in parts]
    multiple = len(devices.devices)
    return packing.SideBySide(batches, words, max(map(len, batches)), multiple)
