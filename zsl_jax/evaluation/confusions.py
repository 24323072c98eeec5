"""What is taken for what: entity types by exact boundaries, and plain labels word by word."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from zsl_jax.evaluation.counts import Labels, check_lengths
from zsl_jax.evaluation.entity_scores import strict_spans

Counts = dict[str, int]


class TypeConfusion(NamedTuple):
    """Entities in the strict reading, gold and predicted ones paired by their boundaries.

    Attributes:
      found: By gold type, then by predicted type: the entities with the very same words.
      missed: By type: gold entities without a predicted one of the very same words.
      spurious: By type: predicted entities without a gold one of the very same words.
    """

    found: dict[str, Counts]
    missed: Counts
    spurious: Counts


class LabelConfusion(NamedTuple):
    """One label taken for another.

    Attributes:
      gold: The right label.
      predicted: What is predicted instead.
      num_words: On how many words.
      share: The share of the words with that gold label.
    """

    gold: str
    predicted: str
    num_words: int
    share: float


def type_confusion(gold: Labels, predicted: Labels) -> TypeConfusion:
    """Counts which entity types are taken for which, and which entities are missed or spurious.

    Args:
      gold: The BIO labels of each sentence.
      predicted: As `gold`; labels of another kind are read as O.

    Returns:
      The counts, types in alphabetical order. Every gold entity is counted once under `found` or
      `missed`, every predicted one once under `found` or `spurious`.

    Raises:
      InputError: If the two differ in their numbers of sentences or words.
    """
    check_lengths(gold, predicted)
    wanted, given = (
        {
            (number, span.start, span.end): span.type
            for number, spans in enumerate(strict_spans(labels))
            for span in spans
        }
        for labels in (gold, predicted)
    )
    pairs = Counter((wanted[place], given[place]) for place in wanted.keys() & given.keys())
    found: dict[str, Counts] = {}
    for (true, guess), count in sorted(pairs.items()):
        found.setdefault(true, {})[guess] = count
    return TypeConfusion(
        found=found,
        missed=_sorted_counts(wanted[place] for place in wanted.keys() - given.keys()),
        spurious=_sorted_counts(given[place] for place in given.keys() - wanted.keys()),
    )


def _sorted_counts(names: Iterable[str]) -> Counts:
    return dict(sorted(Counter(names).items()))


def label_confusions(gold: Labels, predicted: Labels) -> tuple[LabelConfusion, ...]:
    """Counts which labels are taken for which others.

    Args:
      gold: The labels of each sentence.
      predicted: As `gold`.

    Returns:
      The pairs that occur, the most frequent first, ties in alphabetical order.

    Raises:
      InputError: If the two differ in their numbers of sentences or words.
    """
    check_lengths(gold, predicted)
    pairs = Counter(
        pair for words in zip(gold, predicted, strict=True) for pair in zip(*words, strict=True)
    )
    totals = Counter(label for labels in gold for label in labels)
    mistakes = [(pair, count) for pair, count in pairs.items() if pair[0] != pair[1]]
    return tuple(
        LabelConfusion(*pair, count, count / totals[pair[0]])
        for pair, count in sorted(mistakes, key=lambda found: (-found[1], found[0]))
    )
