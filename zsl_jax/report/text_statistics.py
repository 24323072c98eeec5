"""One pass over the labelled text: who gives which labels, who agrees, what is doubtful."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from zsl_jax.data.predictions.label_table import SOURCE
from zsl_jax.labels import OUTSIDE, SILENT, is_bio
from zsl_jax.report.doubtful_sentences import (
    NUM_DOUBTFUL,
    NUM_EXAMPLES,
    BestExcerpts,
    Excerpt,
    keep_doubtful,
    keep_examples,
)
from zsl_jax.report.labelled_words import LabelledWords


class TextStatistics(NamedTuple):
    """The statistics of a text.

    Attributes:
      columns: C labellings: "Q" (or "P") first, then the columns of votes.parquet.
      label_names: V names; the first K of them are the target's, the others sets of these.
      num_labels: K.
      num_sentences: Of the text.
      num_words: Likewise.
      counts: [C, V], words by labelling and label.
      agreement: [C, C], for any two labellings: the share of the words with a label in both on
        which it is the same; for BIO labels, the same of entities as F₁, so that O does not count.
        NaN where there are no such words.
      expected_errors: Σ 1 − max Q over all words.
      doubtful: The sentences with most expected errors.
      examples: By source, its label, and the inferred label: sentences with such a word.
    """

    columns: tuple[str, ...]
    label_names: tuple[str, ...]
    num_labels: int
    num_sentences: int
    num_words: int
    counts: Int[np.ndarray, "C V"]
    agreement: Float[np.ndarray, "C C"]
    expected_errors: float
    doubtful: list[Excerpt]
    examples: dict[tuple[str, str, str], list[Excerpt]]

    @property
    def has_entities(self) -> bool:
        """Whether the target's labels are BIO."""
        return is_bio(self.label_names[: self.num_labels])

    @property
    def sources(self) -> list[int]:
        """The places of the sources among the labellings."""
        return [n for n, column in enumerate(self.columns) if column.startswith(SOURCE)]


def text_statistics(
    blocks: Iterable[LabelledWords], confusions: Sequence[tuple[str, str, str]]
) -> TextStatistics:
    """Reads a text once.

    Args:
      blocks: All of it.
      confusions: Source, its label, and the inferred label: of which there are to be examples.
    """
    best = BestExcerpts(NUM_DOUBTFUL)
    examples = {confusion: BestExcerpts(NUM_EXAMPLES) for confusion in confusions}
    columns, label_names = ("Q",), ()  # type: tuple[str, ...], tuple[str, ...]
    counts, agreed, shared = np.zeros((), np.int64), np.zeros(()), np.zeros(())
    size = sentences = words = 0
    errors = 0.0
    for block in blocks:
        columns, label_names, size = block.columns, block.label_names, block.probs.shape[1]
        sentences, words = sentences + len(block.sentences), words + len(block.ids)
        counts = counts + _counts(block)
        both, either = _agreements(block)
        agreed, shared = agreed + both, shared + either
        doubt = 1 - block.probs.max(axis=1)
        errors += float(doubt.sum())
        keep_doubtful(block, doubt, best)
        for confusion, found in examples.items():
            keep_examples(block, confusion, found)
    with np.errstate(invalid="ignore"):
        agreement = agreed / shared
    kept = {confusion: found.ranked() for confusion, found in examples.items()}
    return TextStatistics(
        columns, label_names, size, sentences, words, counts, agreement, errors, best.ranked(), kept
    )


def _counts(block: LabelledWords) -> Int[np.ndarray, "C V"]:
    size = len(block.label_names)
    return np.stack([np.bincount(column[column >= 0], minlength=size) for column in block.ids.T])


def _agreements(block: LabelledWords) -> tuple[np.ndarray, np.ndarray]:
    """[C, C] twice: words on which two labellings agree, and those that it is a share of."""
    names = block.label_names
    entities = is_bio(names[: block.probs.shape[1]])
    counting = np.array([not entities or name not in (OUTSIDE, SILENT) for name in names])
    size = block.ids.shape[1]
    both, either = np.zeros((size, size)), np.zeros((size, size))
    voted = block.ids >= 0
    if not entities and SILENT in names:  # silence among entities is no entity
        voted &= block.ids != names.index(SILENT)
    counts = voted & np.append(counting, False)[block.ids]
    for one in range(size):
        shared = voted & voted[:, one, None]
        same = shared & (block.ids == block.ids[:, one, None]) & counts
        both[one] = same.sum(axis=0)
        either[one] = ((shared & counts).sum(0) + (shared & counts[:, one, None]).sum(0)) / 2
    return both, either
