"""Confusion counts: entity types by exact boundaries, and plain labels word by word."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from zsl_jax.evaluation.entity_scores import strict_spans
from zsl_jax.evaluation.precision_recall import Labels, check_lengths

Counts = dict[str, int]


class TypeConfusion(NamedTuple):
    """Entities in the strict reading, gold and predicted ones paired by their boundaries.

    Attributes:
      found: Number of entities with the same boundaries, by gold type, then by predicted type.
      missed: Number of gold entities without a predicted one of the same boundaries, by type.
      spurious: Number of predicted entities without a gold one of the same boundaries, by type.
    """

    found: dict[str, Counts]
    missed: Counts
    spurious: Counts


class LabelConfusion(NamedTuple):
    """One label predicted instead of another.

    Attributes:
      gold: The gold label.
      predicted: The label predicted instead.
      num_words: Number of words.
      share: Their share of the words with that gold label.
    """

    gold: str
    predicted: str
    num_words: int
    share: float


def type_confusion(gold: Labels, predicted: Labels) -> TypeConfusion:
    """Counts which entity types are confused, and which entities are missed or spurious.

    Args:
      gold: The BIO labels of each sentence.
      predicted: As `gold`; labels of another kind are read as O.

    Returns:
      The counts, types in alphabetical order. Every gold entity is counted once under `found` or
      `missed`, every predicted one once under `found` or `spurious`.

    Raises:
      InputError: The two differ in their numbers of sentences or words.
    """
    check_lengths(gold, predicted)
    true_types, predicted_types = (
        {
            (number, span.start, span.end): span.type
            for number, spans in enumerate(strict_spans(labels))
            for span in spans
        }
        for labels in (gold, predicted)
    )
    both = true_types.keys() & predicted_types.keys()
    missed = (kind for place, kind in true_types.items() if place not in both)
    spurious = (kind for place, kind in predicted_types.items() if place not in both)
    found: dict[str, Counts] = {}
    pairs = Counter((true_types[place], predicted_types[place]) for place in both)
    for (true, guess), count in sorted(pairs.items()):
        found.setdefault(true, {})[guess] = count
    return TypeConfusion(found, _sorted_counts(missed), _sorted_counts(spurious))


def _sorted_counts(names: Iterable[str]) -> Counts:
    return dict(sorted(Counter(names).items()))


def label_confusions(gold: Labels, predicted: Labels) -> tuple[LabelConfusion, ...]:
    """Counts which labels are predicted instead of which others.

    Args:
      gold: The labels of each sentence.
      predicted: As `gold`.

    Returns:
      The pairs that occur, the most frequent first, ties in alphabetical order.

    Raises:
      InputError: The two differ in their numbers of sentences or words.
    """
    check_lengths(gold, predicted)
    pairs = Counter(
        pair for words in zip(gold, predicted, strict=True) for pair in zip(*words, strict=True)
    )
    totals = Counter(label for labels in gold for label in labels)
    mistakes = [(pair, count) for pair, count in pairs.items() if pair[0] != pair[1]]
    return tuple(
        LabelConfusion(true, guess, count, count / totals[true])
        for (true, guess), count in sorted(mistakes, key=lambda mistake: (-mistake[1], mistake[0]))
    )
