"""Blocks of words of one shape, so that texts of any length share one compiled program."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool

# A block and the values computed from it fit the CPU's caches.
BLOCK_WORDS = 16_384


class Block(NamedTuple):
    """Some consecutive words.

    Attributes:
      rows: Their slice of the flat axis of words.
      mask: [C], False for the padding of the last block.
      arrays: Each [C, ...]: the rows of the arrays given, then zeros.
    """

    rows: slice
    mask: Bool[np.ndarray, " C"]
    arrays: tuple[np.ndarray, ...]


def blocks(*arrays: np.ndarray, size: int = BLOCK_WORDS) -> Iterator[Block]:
    """Cuts arrays of N rows into blocks.

    Args:
      *arrays: At least one array, each [N, ...]; they may be memory-mapped.
      size: C, rows per block.

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
