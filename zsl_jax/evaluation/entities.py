"""Scores of entities in two readings of BIO labels: strict (seqeval) and conlleval."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from zsl_jax.evaluation.counts import Labels, Score, check_lengths, score_counts
from zsl_jax.labels import OUTSIDE, Span, entity_spans, is_bio


class EntityScores(NamedTuple):
    """Scores of entities: an entity is right if its type and both its ends are.

    Attributes:
      overall: Over all entities (micro average).
      per_type: By entity type, in alphabetical order; also of types that were only predicted.
    """

    overall: Score
    per_type: dict[str, Score]


def entity_f1_strict(gold: Labels, predicted: Labels) -> EntityScores:
    """Entity scores in the strict reading of seqeval (mode="strict", scheme=IOB2).

    Only B-X starts an entity: an I-X that follows neither B-X nor I-X belongs to none.

    Args:
      gold: The BIO labels of each sentence.
      predicted: As `gold`; labels of another kind are read as O.

    Returns:
      The scores, equal to seqeval's.

    Raises:
      InputError: If the two differ in their numbers of sentences or words.
    """
    return _entity_scores(gold, predicted, _strict_spans)


def entity_f1_conlleval(gold: Labels, predicted: Labels) -> EntityScores:
    """Entity scores in the reading of the CoNLL script conlleval (seqeval's default mode).

    An I-X that follows neither B-X nor I-X starts an entity.

    Args:
      gold: The BIO labels of each sentence.
      predicted: As `gold`; labels of another kind are read as O.

    Returns:
      The scores.

    Raises:
      InputError: If the two differ in their numbers of sentences or words.
    """
    return _entity_scores(gold, predicted, lambda sentences: map(entity_spans, sentences))


def _entity_scores(
    gold: Labels, predicted: Labels, read: Callable[[Labels], Iterable[Sequence[Span]]]
) -> EntityScores:
    """Compares the entities that a reader finds in the two."""
    check_lengths(gold, predicted)
    wanted, given = (
        {(number, span) for number, spans in enumerate(read(labels)) for span in spans}
        for labels in (gold, predicted)
    )
    sets = (wanted & given, given, wanted)
    counts = [Counter(span.type for _, span in entities) for entities in sets]
    types = sorted(counts[1] | counts[2])
    return EntityScores(
        overall=score_counts(*map(len, sets)),
        per_type={name: score_counts(*(count[name] for count in counts)) for name in types},
    )


def _strict_spans(sentences: Labels) -> list[list[Span]]:
    """Reads entities by seqeval's IOB2; the import takes seconds, so it waits until here."""
    from seqeval.scheme import IOB2, Entities

    names = {label for labels in sentences for label in labels}
    readable = {name: name if is_bio([name]) else OUTSIDE for name in names}
    found = Entities([[readable[label] for label in labels] for labels in sentences], IOB2)
    return [[Span(e.tag, e.start, e.end) for e in entities] for entities in found.entities]
