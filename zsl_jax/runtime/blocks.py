"""Blocks of words, all of one shape, so that texts of any length share one compiled program."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool

# What fits the caches together with what is computed from it.
BLOCK_WORDS = 16_384


class Block(NamedTuple):
    """Some consecutive words.

    Attributes:
      rows: Where they stand on the flat axis of words.
      mask: [C], False for the rows that fill the last block up.
      arrays: Each [C, ...]: the rows of the arrays given, then zeros.
    """

    rows: slice
    mask: Bool[np.ndarray, " C"]
    arrays: tuple[np.ndarray, ...]


def blocks(*arrays: np.ndarray, size: int = BLOCK_WORDS) -> Iterator[Block]:
    """Cut arrays of N rows into blocks.

    Args:
      *arrays: At least one, each [N, ...]; they may lie in files.
      size: C, rows of a block.

    Yields:
      The blocks in order.
    """
    num_words = len(arrays[0])
    for start in range(0, num_words, size):
        rows = slice(start, min(start + size, num_words))
        mask = np.arange(size) < rows.stop - start
        yield Block(rows, mask, tuple(_filled_up(array[rows], size) for array in arrays))


def _filled_up(rows: np.ndarray, size: int) -> np.ndarray:
    if len(rows) == size:
        return np.asarray(rows)
    return np.pad(np.asarray(rows), [(0, size - len(rows))] + [(0, 0)] * (rows.ndim - 1))
