"""A sentence with its labels, probabilities and entities, as Python users get it."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from zsl_jax.data.text.entity_places import Entity, entities_of
from zsl_jax.types import Sentence, with_array_equality
from zsl_jax.workflows.labelled_text import LabelledText


@with_array_equality
class TaggedSentence(NamedTuple):
    """One sentence of n words with its labels.

    Attributes:
      words: The words.
      labels: One label name per word; "_" where all sources of an aggregation abstain.
      probs: [n, K] float32, columns as in `label_names`; each row sums to 1, or is zero where there
        is no label.
      text: The string that the words were cut from; None for a list of words.
      starts: Where each word begins in `text`; None without a text.
      label_names: The K labels.
    """

    words: tuple[str, ...]
    labels: tuple[str, ...]
    probs: Float[np.ndarray, "n K"]
    text: str | None = None
    starts: tuple[int, ...] | None = None
    label_names: tuple[str, ...] = ()

    @property
    def scores(self) -> tuple[float, ...]:
        """The probability of each word's label; 0 where there is no label."""
        ids = {name: column for column, name in enumerate(self.label_names)}
        return tuple(
            float(row[ids[label]]) if label in ids else 0.0
            for row, label in zip(self.probs, self.labels, strict=True)
        )

    @property
    def entities(self) -> list[Entity]:
        """The entities from left to right, if the labels are BIO, with their scores."""
        sentence = Sentence(self.words, None, (), self.text, self.starts)
        return entities_of(sentence, self.labels, self.scores)


def tagged_sentences(block: LabelledText) -> Iterator[TaggedSentence]:
    """Labelled text, sentence by sentence."""
    first = 0
    for sentence, names in block.rows():
        probs = block.probs[first : first + len(names)]
        own = (sentence.words, names, probs, sentence.text, sentence.starts)
        yield TaggedSentence(*own, block.label_names)
        first += len(names)
