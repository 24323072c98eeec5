"""Reads the stored checkpoints and packs their batches."""

import json
from typing import NamedTuple

import numpy as np

from tests.models.make_reference import FOLDER
from zsl_jax.models.encoder_config import EncoderConfig

LENGTH = 20  # of packed rows


class Reference(NamedTuple):
    config: EncoderConfig
    tensors: dict[str, np.ndarray]
    token_ids: np.ndarray
    mask: np.ndarray
    log_probs: np.ndarray


def read_reference(family: str) -> Reference:
    with np.load(FOLDER / f"{family}.npz") as data:
        tensors = {n.removeprefix("tensor:"): data[n] for n in data if n.startswith("tensor:")}
        config = EncoderConfig.from_huggingface(json.loads(str(data["config"])), "config.json")
        return Reference(config, tensors, data["token_ids"], data["mask"], data["log_probs"])


def one_a_row(token_ids: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, ...]:
    """token_ids, positions, segments [B, T] of a padded batch; padding has position 0."""
    positions = np.arange(mask.shape[1]) * mask
    return token_ids.astype(np.int32), positions.astype(np.int32), mask.astype(np.int32)


def packed(token_ids: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, ...]:
    """token_ids, positions, segments [R, LENGTH], sentences one after the other, and an empty row.

    The fourth array is [B, T, 2]: row and column of every token of the padded batch.
    """
    rows, row, column, segment = [], 0, 0, 0
    places = np.zeros((*mask.shape, 2), np.int64)
    for sentence, size in enumerate(mask.sum(1)):
        if column + size > LENGTH:
            row, column, segment = row + 1, 0, 0
        segment += 1
        for position in range(size):
            rows.append((row, column, token_ids[sentence, position], position, segment))
            places[sentence, position] = row, column
            column += 1
    arrays = np.zeros((3, row + 2, LENGTH), np.int32)
    for row, column, *values in rows:
        arrays[:, row, column] = values
    return (*arrays, places)
