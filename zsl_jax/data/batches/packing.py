"""Rows of a fixed length, packed with windows, and the batches made of them.

The plan depends on the windows' lengths and the random generator alone: a generator made from
(seed, epoch) gives the same batches again.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from zsl_jax.data.batches.subwords import Windows
from zsl_jax.errors import InputError
from zsl_jax.types import TokenBatch

# So many windows are sorted by length before they are packed. Without, short corpora of long
# sentences leave twice the room unused; with more, the same sentences meet again in later epochs.
POOL = 64


class PackingPlan(NamedTuple):
    """Which windows share a row, as CSR: row r holds `window_ids[offsets[r]:offsets[r + 1]]`.

    Attributes:
      window_ids: [M] int64, every window exactly once.
      offsets: [R+1] int64, where the rows begin.
    """

    window_ids: Int[np.ndarray, " M"]
    offsets: Int[np.ndarray, " R+1"]

    @property
    def num_rows(self) -> int:
        """Number of rows, R."""
        return len(self.offsets) - 1


def pack_rows(
    lengths: Int[np.ndarray, " M"], row_length: int, rng: np.random.Generator | None
) -> PackingPlan:
    """Puts windows into rows by best fit: each into the fullest row that still has room for it.

    The windows come in pools, the longest of a pool first. With a generator the pools are random
    and the rows are shuffled afterwards, so that other sentences meet in every epoch. Without one
    the pools are consecutive windows, and the rows roughly follow the order of the corpus.

    Args:
      lengths: [M], subwords of each window, from 1 to `row_length`.
      row_length: Subwords of a row.
      rng: Source of the order, or None.

    Returns:
      The plan; no row is longer than `row_length`.

    Raises:
      InputError: A window is longer than a row.
    """
    lengths = np.asarray(lengths)
    if len(lengths) and lengths.max() > row_length:
        raise InputError(
            f"a row of {row_length} subwords cannot hold a window of {lengths.max()}; "
            "make rows longer or windows shorter"
        )
    order = np.arange(len(lengths)) if rng is None else rng.permutation(len(lengths))
    order = order[np.lexsort((-lengths[order], np.arange(len(order)) // POOL))]
    row_of = _best_fit(lengths[order].tolist(), row_length)
    num_rows = int(row_of.max()) + 1 if len(row_of) else 0
    if rng is not None:
        row_of = rng.permutation(num_rows)[row_of]
    by_row = np.argsort(row_of, kind="stable")
    counts = np.bincount(row_of, minlength=num_rows)
    return PackingPlan(order[by_row], np.concatenate([[0], np.cumsum(counts)]))


def _best_fit(lengths: list[int], row_length: int) -> Int[np.ndarray, " M"]:
    """[M], the row of each window, rows numbered as they are opened.

    `rows_with_room[n]` lists the rows with n subwords left, and bit n of `rooms` is set while it is
    not empty: the lowest bit from the window's length upwards is the best fit.
    """
    rows_with_room: list[list[int]] = [[] for _ in range(row_length + 1)]
    rooms = 0
    num_rows = 0
    row_of = []
    for length in lengths:
        fitting = rooms >> length
        if fitting:
            room = length + (fitting & -fitting).bit_length() - 1
            rows = rows_with_room[room]
            row = rows.pop()
            if not rows:
                rooms ^= 1 << room
        else:
            room = row_length
            row = num_rows
            num_rows += 1
        row_of.append(row)
        room -= length
        rows_with_room[room].append(row)
        rooms |= 1 << room
    return np.array(row_of, np.int64)


def rows_for_words(num_rows: int, num_words: int, batch_words: int) -> int:
    """The rows of a batch that make a full one hold about `batch_words` words.

    Args:
      num_rows: Rows that the whole text fills.
      num_words: Words of the whole text.
      batch_words: Words wanted.

    Returns:
      At least one row, and no more than the whole text fills.
    """
    wanted = round(batch_words * num_rows / max(num_words, 1))
    return max(1, min(wanted, num_rows))


class PackedBatches:
    """Every window exactly once, in batches of one shape; its length is the number of batches.

    Epochs of other random orders may differ by a batch. A batch is made when it is asked for, of a
    plan that is made at the start: the same index gives the same batch again.
    """

    def __init__(
        self,
        windows: Windows,
        row_length: int,
        rows_per_batch: int,
        rng: np.random.Generator | None = None,
    ):
        """Plans the rows.

        Args:
          windows: The corpus in subwords.
          row_length: Subwords of a row, S.
          rows_per_batch: Rows of a batch, R.
          rng: Mixes the windows for training; None keeps the order of the corpus for prediction.

        Raises:
          InputError: A window is longer than a row.
        """
        self._windows = windows
        self._shape = (rows_per_batch, row_length)
        self.plan = pack_rows(windows.lengths, row_length, rng)

    def __len__(self) -> int:
        """Number of batches."""
        return -(-self.plan.num_rows // self._shape[0])

    def __iter__(self) -> Iterator[TokenBatch]:
        """The batches in order."""
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> TokenBatch:
        """Batch `index`, int32 [R, S]; empty rows (segment 0, word id -1) fill up the last one.

        Beyond the last one all rows are empty.
        """
        first = index * self._shape[0]
        bounds = self.plan.offsets[first : first + self._shape[0] + 1]
        if len(bounds) < 2:
            return empty_rows(*self._shape)
        rows = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))
        window_ids = self.plan.window_ids[bounds[0] : bounds[-1]]
        return _fill(self._windows, window_ids, rows, self._shape)


class SideBySide:
    """Batches of several parts of a text, row under row, as batches of the whole.

    Each part keeps its own plan, so that it does not matter which process has which parts.
    """

    def __init__(
        self, parts: Sequence[PackedBatches], num_words: Sequence[int], length: int, multiple: int
    ):
        """Puts parts together.

        Args:
          parts: Batches of each part, in the part's own numbering of words.
          num_words: Words of each part; those of the first come first in the whole.
          length: Number of batches; a part that has fewer is filled up with empty rows.
          multiple: Empty rows fill up every batch to a multiple of this.
        """
        self._parts = parts
        self._first_words = np.cumsum([0, *num_words[:-1]])
        self._length = length
        self._multiple = multiple

    def __len__(self) -> int:
        """Number of batches."""
        return self._length

    def __getitem__(self, index: int) -> TokenBatch:
        """Batch `index` of every part, and empty rows."""
        found = [
            batch._replace(word_ids=np.where(batch.word_ids >= 0, batch.word_ids + first, -1))
            for batch, first in zip(
                (part[index] for part in self._parts), self._first_words, strict=True
            )
        ]
        rows = sum(len(batch.token_ids) for batch in found)
        found.append(empty_rows(-rows % self._multiple, found[0].token_ids.shape[1]))
        return TokenBatch(
            *(np.concatenate(arrays).astype(np.int32) for arrays in zip(*found, strict=True))
        )


def empty_rows(rows: int, row_length: int) -> TokenBatch:
    """Rows without any window."""
    nothing = np.zeros((rows, row_length), np.int32)
    return TokenBatch(nothing, nothing, nothing, nothing - 1)


def _fill(
    windows: Windows,
    window_ids: Int[np.ndarray, " W"],
    rows: Int[np.ndarray, " W"],
    shape: tuple[int, int],
) -> TokenBatch:
    """One batch: the windows side by side in their rows (ascending), from the left."""
    lengths = windows.offsets[window_ids + 1] - windows.offsets[window_ids]
    first_of_row = np.searchsorted(rows, rows)  # index of the first window in the same row
    ends = np.cumsum(lengths)
    before = ends - lengths
    places = rows * shape[1] + before - before[first_of_row]
    inside = np.arange(lengths.sum()) - np.repeat(before, lengths)
    target = inside + np.repeat(places, lengths)
    source = inside + np.repeat(windows.offsets[window_ids], lengths)
    segments = np.arange(1, len(rows) + 1) - first_of_row
    return TokenBatch(
        token_ids=_scattered(windows.token_ids[source], target, shape, 0),
        positions=_scattered(inside, target, shape, 0),
        segments=_scattered(np.repeat(segments, lengths), target, shape, 0),
        word_ids=_scattered(windows.word_ids[source], target, shape, -1),
    )


def _scattered(
    values: Int[np.ndarray, " T"],
    target: Int[np.ndarray, " T"],
    shape: tuple[int, int],
    empty: int,
) -> Int[np.ndarray, "R S"]:
    """Values at their places among the flat places of a batch, and `empty` in all others."""
    flat = np.full(shape[0] * shape[1], empty, np.int32)
    flat[target] = values
    return flat.reshape(shape)
