"""Which sentences to correct first: much doubt, spread over labels and sources, none twice."""

import heapq
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from zsl_jax.data.predictions.label_table import SOURCE
from zsl_jax.labels import SILENT
from zsl_jax.report.labelled_words import LabelledWords

RANDOM = "random"
DOUBTS = ("errors", "entropy", "margin", "disagreement", RANDOM)
CANDIDATES = 20  # times the wanted number: the sentences among which doubt is spread
SAME = 0.8  # the share of common words from which two sentences are near-duplicates


class Candidate(NamedTuple):
    """A sentence that may be chosen.

    Attributes:
      number: Its place in the text, from 0.
      words: Its words.
      doubt: [F], the doubt of its words, by their other labels and by the sources that differ.
    """

    number: int
    words: tuple[str, ...]
    doubt: Float[np.ndarray, " F"]


def word_doubt(block: LabelledWords, by: str) -> Float[np.ndarray, " n"]:
    """The doubt about each word's label.

    Args:
      block: Words with Q and the sources' labels.
      by: "errors" is the probability that Q's label is wrong, 1 − max Q; "entropy" is that of
        Q; "margin" is 1 minus the difference of the two largest probabilities; "disagreement" is
        the entropy of the sources' votes.
    """
    if by == "disagreement":
        return _vote_entropy(_source_ids(block), len(block.label_names))
    probs = block.probs.astype(np.float64)
    if by == "entropy":
        return -(probs * np.log(np.maximum(probs, 1e-12))).sum(axis=1)
    best = np.sort(probs, axis=1)[:, ::-1]
    if by == "margin":
        return 1 - (best[:, 0] - (best[:, 1] if best.shape[1] > 1 else 0))
    assert by == "errors", by
    return 1 - best[:, 0]


def _source_ids(block: LabelledWords) -> Int[np.ndarray, "n U"]:
    """The sources' labels; -1 where a source abstains or, if it is sparse, is silent."""
    ids = block.ids[:, [n for n, name in enumerate(block.columns) if name.startswith(SOURCE)]]
    silent = np.array([*(name == SILENT for name in block.label_names), True])
    return np.where(silent[ids], -1, ids)


def _vote_entropy(ids: Int[np.ndarray, "n U"], num_labels: int) -> Float[np.ndarray, " n"]:
    counts = np.zeros((len(ids), num_labels + 1))
    for column in ids.T:
        np.add.at(counts, (np.arange(len(ids)), column), 1)  # -1 is the last place
    shares = counts[:, :-1] / np.maximum(counts[:, :-1].sum(axis=1, keepdims=True), 1)
    return -(shares * np.log(np.maximum(shares, 1e-12))).sum(axis=1)


def _spread_doubt(block: LabelledWords, doubt: Float[np.ndarray, " n"]) -> np.ndarray:
    """[n, K + U], each word's doubt by its other labels under Q, and by sources that differ."""
    others = block.probs.astype(np.float64)
    others[np.arange(len(others)), others.argmax(axis=1)] = 0
    others /= np.maximum(others.sum(axis=1, keepdims=True), 1e-12)
    ids = _source_ids(block)
    differs = (ids >= 0) & (ids != block.ids[:, :1])
    return doubt[:, None] * np.concatenate([others, differs], axis=1)


def candidates(
    blocks: Iterable[LabelledWords], by: str, count: int, excluded: set[int]
) -> list[Candidate]:
    """The sentences with most doubt in sum.

    Args:
      blocks: The text.
      by: See `word_doubt`.
      count: How many to keep.
      excluded: Numbers of sentences that are not chosen again.
    """
    heap: list[tuple[float, int, Candidate]] = []
    for block in blocks:
        doubt = word_doubt(block, by)
        sums = block.sums(doubt)
        kinds = block.sums(_spread_doubt(block, doubt))
        for place, words in enumerate(block.sentences):
            number = block.first + place
            below = len(heap) == count and sums[place] <= heap[0][0]
            if below or not words or number in excluded:
                continue
            item = (float(sums[place]), -number, Candidate(number, words, kinds[place]))
            (heapq.heappush if len(heap) < count else heapq.heapreplace)(heap, item)
    return [item for *_, item in sorted(heap, key=lambda entry: entry[:2], reverse=True)]


def spread(found: Sequence[Candidate], count: int) -> list[Candidate]:
    """Chooses among candidates so that the doubt of every label and source is looked at.

    Greedy maximisation of Σ_f √(Σ_s doubt[s, f]): a further sentence with doubt of a kind that was
    chosen often adds less. Near-duplicates of chosen sentences are passed over.

    "A Class of Submodular Functions for Document Summarization", Hui Lin and Jeff Bilmes, ACL 2011,
    https://aclanthology.org/P11-1052

    Args:
      found: From `candidates`.
      count: How many to choose; fewer are returned if the rest has no doubt or is duplicates.
    """
    if not found:
        return []
    table = np.stack([candidate.doubt for candidate in found])
    total = np.zeros(table.shape[1])
    free = np.ones(len(found), bool)
    chosen: list[Candidate] = []
    while len(chosen) < count:
        gains = np.where(free, (np.sqrt(total + table) - np.sqrt(total)).sum(axis=1), 0)
        best = int(gains.argmax())
        if gains[best] <= 0:
            break
        free[best] = False
        if any(_is_near(found[best].words, other.words) for other in chosen):
            continue
        total += table[best]
        chosen.append(found[best])
    return chosen


def _is_near(words: Sequence[str], others: Sequence[str]) -> bool:
    """Whether two sentences have nearly the same words.

    >>> _is_near("a b c d e".split(), "A b c d e .".split()), _is_near(["a", "b"], ["a", "c"])
    (True, False)
    """
    one, other = ({word.lower() for word in sentence} for sentence in (words, others))
    return len(one & other) >= SAME * len(one | other)
