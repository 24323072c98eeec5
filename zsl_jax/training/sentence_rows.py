"""Whole sentences packed into rows of one length, for recursions along sentences."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int

from zsl_jax.runtime.blocks import BLOCK_WORDS

SHORTEST_ROW = 128  # words


class RowBlock(NamedTuple):
    """Some rows of a text; several sentences share a row.

    Attributes:
      words: [R, S], indices of the words on the flat axis; 0 for padding.
      starts: [R, S], True for the first word of each sentence, and for padding.
      mask: [R, S], False for padding.
    """

    words: Int[np.ndarray, "R S"]
    starts: Bool[np.ndarray, "R S"]
    mask: Bool[np.ndarray, "R S"]


class SentenceRows:
    """Packs sentences into rows in their order; a sentence that does not fit starts a new row.

    A row has 128 words, or the length of the longest sentence rounded up to a power of two. All
    blocks of rows have one shape, so that one compiled program serves texts of all sizes.
    """

    def __init__(self, lengths: Sequence[int] | np.ndarray):
        """Plans the rows.

        Args:
          lengths: Words of each sentence.
        """
        lengths = np.asarray(lengths, np.int64)
        longest = int(lengths.max(initial=1))
        self._length = max(SHORTEST_ROW, 1 << (longest - 1).bit_length())
        self._rows_at_once = max(1, BLOCK_WORDS // self._length)
        rows, columns = _places(lengths.tolist(), self._length)
        first = np.cumsum(lengths) - lengths
        inside = np.arange(lengths.sum()) - np.repeat(first, lengths)
        num_rows = 1 + int(rows.max(initial=0))
        self._words = np.full((num_rows, self._length), -1, np.int32)
        places = np.repeat(rows, lengths), np.repeat(columns, lengths) + inside
        self._words[places] = np.arange(len(inside), dtype=np.int32)
        self._starts = np.ones(self._words.shape, bool)
        self._starts[places] = inside == 0

    def __iter__(self) -> Iterator[RowBlock]:
        """The blocks in order."""
        for first in range(0, len(self._words), self._rows_at_once):
            rows = slice(first, first + self._rows_at_once)
            missing = [(0, self._rows_at_once - len(self._words[rows])), (0, 0)]
            words = np.pad(self._words[rows], missing, constant_values=-1)
            starts = np.pad(self._starts[rows], missing, constant_values=True)
            yield RowBlock(np.maximum(words, 0), starts, words >= 0)


def _places(lengths: Sequence[int], row_length: int) -> tuple[np.ndarray, np.ndarray]:
    """The row of each sentence, and the column where it begins."""
    rows, columns, row, used = [], [], 0, 0
    for length in lengths:
        if used + length > row_length:
            row, used = row + 1, 0
        rows.append(row)
        columns.append(used)
        used += length
    return np.array(rows, np.int64), np.array(columns, np.int64)
