"""The entities that BIO labels encode."""

from collections.abc import Sequence
from typing import NamedTuple


class Span(NamedTuple):
    """One entity of a sentence.

    Attributes:
      type: The entity's type, such as "PER".
      start: The first word, from 0.
      end: One past the last word.
    """

    type: str
    start: int
    end: int


def entity_spans(labels: Sequence[str]) -> list[Span]:
    """Reads the entities from the BIO labels of one sentence, as conlleval does.

    B-X starts an entity. I-X continues an open entity of type X and starts one otherwise, so every
    label but O belongs to exactly one entity. Labels that are neither B-X nor I-X are read as O.

    Args:
      labels: The labels of one sentence.

    Returns:
      The entities from left to right; they do not overlap.

    >>> entity_spans(["I-PER", "I-PER", "B-PER"])
    [Span(type='PER', start=0, end=2), Span(type='PER', start=2, end=3)]
    """
    spans: list[Span] = []
    for position, label in enumerate(labels):
        prefix, entity_type = label[:2], label[2:]
        if prefix not in ("B-", "I-") or not entity_type:
            continue
        last = spans[-1] if spans else None
        if prefix == "I-" and last and last.end == position and last.type == entity_type:
            spans[-1] = last._replace(end=position + 1)
        else:
            spans.append(Span(entity_type, position, position + 1))
    return spans
