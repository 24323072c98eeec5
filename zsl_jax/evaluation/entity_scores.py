"""Entities in two readings of BIO labels, strict (seqeval) and conlleval, and their scores."""

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from zsl_jax.evaluation.precision_recall import Labels, Score, check_lengths, score_counts
from zsl_jax.labels import OUTSIDE, Span, entity_spans, is_bio

Spans = list[list[Span]]


class EntityScores(NamedTuple):
    """Scores of entities; an entity is correct if its type and both boundaries are.

    Attributes:
      overall: Score over all entities (micro average).
      per_type: Score by entity type, in alphabetical order, only predicted types included.
    """

    overall: Score
    per_type: dict[str, Score]


def strict_spans(sentences: Labels) -> Spans:
    """Reads entities as seqeval does (mode="strict", scheme=IOB2): only B-X starts one.

    Args:
      sentences: The BIO labels of each sentence; labels of another kind are read as O.

    Returns:
      The entities of each sentence, from left to right: those of `conlleval_spans` that begin with
      a B-X.
    """
    from seqeval.scheme import IOB2, Entities  # a scorer alone needs it

    names = {label for labels in sentences for label in labels}
    readable = {name: name if is_bio([name]) else OUTSIDE for name in names}
    read = Entities([[readable[label] for label in labels] for labels in sentences], IOB2)
    return [[Span(e.tag, e.start, e.end) for e in entities] for entities in read.entities]


def conlleval_spans(sentences: Labels) -> Spans:
    """Reads entities as conlleval does: an I-X that does not follow B-X or I-X also starts one.

    Args:
      sentences: The BIO labels of each sentence; labels of another kind are read as O.

    Returns:
      The entities of each sentence, from left to right.
    """
    return [entity_spans(labels) for labels in sentences]


def repaired_labels(sentences: Labels) -> dict[str, int]:
    """Counts the labels that conlleval repairs: each I-X that it reads as the start of an entity.

    Args:
      sentences: The BIO labels of each sentence.

    Returns:
      Counts by label, the most frequent first. The strict reading ignores these entities.

    >>> repaired_labels([["I-PER", "I-PER", "O", "B-LOC", "I-PER"]])
    {'I-PER': 2}
    """
    starts = (labels[span.start] for labels in sentences for span in entity_spans(labels))
    return dict(Counter(name for name in starts if name.startswith("I-")).most_common())


def unreadable_labels(sentences: Labels) -> dict[str, int]:
    """Counts the labels that both readings treat as O but that are not O, B-X or I-X.

    Args:
      sentences: The labels of each sentence, such as "_" for a word without a prediction.

    Returns:
      Counts by label, the most frequent first.
    """
    counts = Counter(label for labels in sentences for label in labels)
    return {name: count for name, count in counts.most_common() if not is_bio([name])}


def entity_f1_strict(gold: Labels, predicted: Labels) -> EntityScores:
    """Scores entities in the strict reading of seqeval (mode="strict", scheme=IOB2).

    Only B-X starts an entity: an I-X that follows neither B-X nor I-X belongs to none.

    Args:
      gold: The BIO labels of each sentence.
      predicted: As `gold`; labels of another kind are read as O.

    Returns:
      The scores, equal to seqeval's.

    Raises:
      InputError: The two differ in their numbers of sentences or words.
    """
    return _entity_scores(gold, predicted, strict_spans)


def entity_f1_conlleval(gold: Labels, predicted: Labels) -> EntityScores:
    """Scores entities in the reading of the CoNLL script conlleval (seqeval's default mode).

    An I-X that follows neither B-X nor I-X starts an entity.

    Args:
      gold: The BIO labels of each sentence.
      predicted: As `gold`; labels of another kind are read as O.

    Returns:
      The scores.

    Raises:
      InputError: The two differ in their numbers of sentences or words.
    """
    return _entity_scores(gold, predicted, conlleval_spans)


def entity_counts(
    gold: Labels, predicted: Labels, read: Callable[[Labels], Spans] = strict_spans
) -> Int[np.ndarray, "B 3"]:
    """Counts what an F1 is computed from, sentence by sentence.

    Args:
      gold: The BIO labels of each of B sentences.
      predicted: As `gold`.
      read: `strict_spans` or `conlleval_spans`.

    Returns:
      [B, 3], the numbers of correct, predicted and gold entities; their sums over any set of
      sentences are the arguments of `score_counts` for that set.

    Raises:
      InputError: The two differ in their numbers of sentences or words.
    """
    check_lengths(gold, predicted)
    pairs = zip(read(gold), read(predicted), strict=True)
    rows = [(len({*true} & {*guess}), len(guess), len(true)) for true, guess in pairs]
    return np.array(rows, dtype=np.int64).reshape(-1, 3)


def _entity_scores(
    gold: Labels, predicted: Labels, read: Callable[[Labels], Spans]
) -> EntityScores:
    """Compares the entities that a reader finds in the two."""
    check_lengths(gold, predicted)
    true, guessed = (
        {(number, span) for number, spans in enumerate(read(labels)) for span in spans}
        for labels in (gold, predicted)
    )
    sets = (true & guessed, guessed, true)
    counts = [Counter(span.type for _, span in entities) for entities in sets]
    types = sorted(counts[1] | counts[2])
    return EntityScores(
        overall=score_counts(*map(len, sets)),
        per_type={name: score_counts(*(count[name] for count in counts)) for name in types},
    )
