"""The ranges of words that make the windows, overlapping where a sentence is too long for one."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int


class Spans(NamedTuple):
    """The flat words `begin:end` of each window, and the window that predicts each word."""

    begin: Int[np.ndarray, " M"]
    end: Int[np.ndarray, " M"]
    owner: Int[np.ndarray, " N"]


def cut_sentences(
    sentence_lengths: Int[np.ndarray, " B"], starts: Int[np.ndarray, " N+1"], room: int
) -> Spans:
    """One window for a sentence that fits, overlapping ones for a longer sentence."""
    bounds = cumulative(sentence_lengths)
    filled = np.flatnonzero(sentence_lengths)
    begin, end = bounds[filled], bounds[filled + 1]
    long = starts[end] - starts[begin] > room
    if not long.any():
        return Spans(begin, end, np.repeat(np.arange(len(filled)), sentence_lengths[filled]))
    spans: list[tuple[int, int]] = []
    alone: list[bool] = []
    for first, last, is_long in zip(begin.tolist(), end.tolist(), long.tolist(), strict=True):
        own = _overlapping_spans(starts, first, last, room) if is_long else [(first, last)]
        spans += own
        alone += [not is_long] * len(own)
    begin, end = np.array(spans).T
    return Spans(begin, end, _owners(spans, np.array(alone), starts))


def _overlapping_spans(
    starts: Int[np.ndarray, " N+1"], first: int, last: int, room: int
) -> list[tuple[int, int]]:
    """Ranges of words, each of at most `room` subwords, that step on by half and reach the end."""
    spans: list[tuple[int, int]] = []
    final = int(np.searchsorted(starts, starts[last] - room))  # the first window that ends last
    begin = first
    while True:
        end = min(int(np.searchsorted(starts, starts[begin] + room, side="right")) - 1, last)
        spans.append((begin, end))
        if end == last:
            return spans
        half = int(np.searchsorted(starts, starts[begin] + max(room // 2, 1)))
        begin = min(max(half, begin + 1), end, final)


def _owners(
    spans: Sequence[tuple[int, int]],
    alone: Bool[np.ndarray, " M"],
    starts: Int[np.ndarray, " N+1"],
) -> Int[np.ndarray, " N"]:
    """[N], the window in which the smaller of a word's two contexts is largest; else the first.

    Of the words of windows that stand alone it is clear.
    """
    owner = np.zeros(len(starts) - 1, np.int64)
    first, last = np.array(spans)[alone].T
    owner[ranges(first, last - first)] = np.repeat(np.flatnonzero(alone), last - first)
    best = np.full(len(starts) - 1, -1, np.int64)
    for window in np.flatnonzero(~alone).tolist():
        begin, end = spans[window]
        left = starts[begin:end] - starts[begin]
        right = starts[end] - starts[begin + 1 : end + 1]
        context = np.minimum(left, right)
        better = context > best[begin:end]
        best[begin:end][better] = context[better]
        owner[begin:end][better] = window
    return owner


def cumulative(lengths: Sequence[int] | np.ndarray) -> Int[np.ndarray, " n+1"]:
    """Where each of some consecutive parts begins, and the total."""
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])


def ranges(
    begin: Int[np.ndarray, " n"], lengths: Int[np.ndarray, " n"]
) -> Int[np.ndarray, " total"]:
    """The concatenation of `begin[i] : begin[i] + lengths[i]`."""
    ends = np.cumsum(lengths)
    return np.arange(ends[-1] if len(ends) else 0) + np.repeat(begin - (ends - lengths), lengths)
