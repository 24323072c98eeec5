"""The entities of a labelled sentence, with their places among its words and in its text."""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

from zsl_jax.labels import entity_spans
from zsl_jax.types import Sentence


class Entity(NamedTuple):
    """One entity of a sentence.

    Attributes:
      type: The entity's type, such as "PER".
      first: Its first word, from 0.
      end: One past its last word.
      text: Its characters.
      start_char: Where they begin in the sentence's text, or in its words with a blank between
        each two if it has no text.
      end_char: Where they end, exclusive.
      score: The mean probability of its words' labels; None where that is not known.
    """

    type: str
    first: int
    end: int
    text: str
    start_char: int
    end_char: int
    score: float | None = None


def entities_of(
    sentence: Sentence, labels: Sequence[str], scores: Sequence[float] | None = None
) -> list[Entity]:
    """Reads the entities from the BIO labels of a sentence, as `labels.entity_spans` does.

    Args:
      sentence: n words.
      labels: n labels.
      scores: n numbers, the probability of each label; None where that is not known.

    >>> entities_of(Sentence(("Ann", "Lee", "ran")), ("B-PER", "I-PER", "O"), (0.9, 0.7, 1))
    [Entity(type='PER', first=0, end=2, text='Ann Lee', start_char=0, end_char=7, score=0.8)]
    """
    text, starts = text_and_starts(sentence)
    entities = []
    for span in entity_spans(labels):
        begin, last = starts[span.start], span.end - 1
        end = starts[last] + len(sentence.words[last])
        score = None
        if scores is not None:
            score = float(sum(scores[span.start : span.end]) / (span.end - span.start))
        entities.append(Entity(span.type, span.start, span.end, text[begin:end], begin, end, score))
    return entities


def text_and_starts(sentence: Sentence) -> tuple[str, Sequence[int]]:
    """The text of a sentence, and where its words begin in it."""
    if sentence.text is not None and sentence.starts is not None:
        return sentence.text, sentence.starts
    ends = itertools.accumulate(len(word) + 1 for word in sentence.words)
    return " ".join(sentence.words), [0, *ends]
