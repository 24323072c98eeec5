"""Sentences to show: the most doubtful ones, and examples of the sources' confusions."""

import heapq
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from zsl_jax.data.predictions.label_table import SOURCE
from zsl_jax.report.labelled_words import LabelledWords

NUM_DOUBTFUL = 50
NUM_EXAMPLES = 2


class Excerpt(NamedTuple):
    """One sentence of n words.

    Attributes:
      number: Its place in the text, from 1.
      words: Its words.
      ids: [n, C], the labels of each labelling.
      probs: [n, K], Q (or P) of each word.
      place: A word to point at, from 0.
    """

    number: int
    words: tuple[str, ...]
    ids: Int[np.ndarray, "n C"]
    probs: Float[np.ndarray, "n K"]
    place: int = 0

    @property
    def expected_errors(self) -> float:
        """How many of its labels are wrong, if Q is right: Σ 1 − max Q."""
        return float((1 - self.probs.max(axis=1)).sum())


class BestExcerpts:
    """The best few of many, with the first of equals."""

    def __init__(self, limit: int):
        self._limit, self._heap, self._count = limit, [], 0  # type: ignore[var-annotated]

    def wants(self, value: float) -> bool:
        """Whether an excerpt of this value would be kept."""
        return len(self._heap) < self._limit or value > self._heap[0][0]

    def add(self, value: float, item: Excerpt) -> None:
        """Keeps an excerpt, and drops the one of least value where there are too many."""
        self._count -= 1
        heapq.heappush(self._heap, (value, self._count, item))
        if len(self._heap) > self._limit:
            heapq.heappop(self._heap)

    def ranked(self) -> list[Excerpt]:
        """The excerpts, that of the largest value first."""
        return [item for *_, item in sorted(self._heap, reverse=True)]


def keep_doubtful(block: LabelledWords, doubt: np.ndarray, best: BestExcerpts) -> None:
    """Keeps the sentences whose sum of `doubt`, [N] of the block's words, is largest."""
    sums = block.sums(doubt)
    for sentence in np.argsort(-sums, kind="stable")[:NUM_DOUBTFUL].tolist():
        if block.sentences[sentence] and best.wants(float(sums[sentence])):
            best.add(float(sums[sentence]), _excerpt(block, sentence))


def keep_examples(
    block: LabelledWords, confusion: tuple[str, str, str], found: BestExcerpts
) -> None:
    """Keeps the sentences in which Q is surest of the label that the source does not give."""
    source, predicted, inferred = confusion
    given, true = (block.label_names.index(name) for name in (predicted, inferred))
    column = block.columns.index(f"{SOURCE}{source}")
    rows = np.flatnonzero((block.ids[:, column] == given) & (block.ids[:, 0] == true))
    taken: set[int] = set()
    for row in rows[np.argsort(-block.probs[rows, true], kind="stable")].tolist():
        sentence = int(np.searchsorted(block.starts, row, side="right")) - 1
        value = float(block.probs[row, true])
        if len(taken) == NUM_EXAMPLES or not found.wants(value):
            break
        if sentence not in taken:
            taken.add(sentence)
            found.add(value, _excerpt(block, sentence, row - int(block.starts[sentence])))


def _excerpt(block: LabelledWords, sentence: int, place: int = 0) -> Excerpt:
    words = block.sentences[sentence]
    first = int(block.starts[sentence])
    rows = slice(first, first + len(words))
    number = block.first + sentence + 1
    return Excerpt(number, words, block.ids[rows].copy(), block.probs[rows].copy(), place)
