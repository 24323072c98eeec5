"""Python functions as sources: words of sentences in; labels, spans or probabilities out."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from zsl_jax.data.predictions.source_predictions import SourcePredictions, predictions_of_probs
from zsl_jax.errors import InputError
from zsl_jax.labels import OUTSIDE
from zsl_jax.types import Sentence

# Gets the words of all sentences; see `predictions_by_function` for what it may return.
Annotator = Callable[[list[list[str]]], Any]


def predictions_by_function(
    function: Annotator, text: Sequence[Sentence], name: str
) -> SourcePredictions:
    """Returns the predictions of a function for a text.

    Args:
      function: Called once with the words of all sentences. It returns one of: for each sentence,
        a label for each word (None abstains), or None to abstain from the whole sentence; for each
        sentence, entities as (first word, end, type) with the end not included; or a pair of K
        label names and [N, K] probabilities of all N words (zeros abstain).
      text: The sentences.
      name: The source's, for messages.

    Raises:
      InputError: It returns something else, or not for exactly these words.

    >>> capitals = lambda sentences: [[(0, 1, "PER")] if s[0].istitle() else [] for s in sentences]
    >>> made = predictions_by_function(capitals, [Sentence(("Ann", "ran")), Sentence(("no",))], "x")
    >>> [made.label_names[label] for label in made.labels]
    ['B-PER', 'O', 'O']
    """
    words = tuple(sentence.words for sentence in text)
    found = function([list(sentence) for sentence in words])
    if _is_pair(found):
        return _of_probs(found[0], found[1], words, name)
    if not isinstance(found, Sequence) or len(found) != len(words):
        raise InputError(
            f"the source {name}: the function must return one item for each of the {len(words):,} "
            "sentences, or label names and an array of probabilities"
        )
    labels: list[str | None] = []
    for number, (own, sentence) in enumerate(zip(found, words, strict=True), start=1):
        labels += _labels_of_sentence(own, len(sentence), f"the source {name}, sentence {number}")
    names = tuple(sorted({label for label in labels if label is not None}))
    ids: dict[str | None, int] = {label: number for number, label in enumerate(names)}
    numbers = np.array([ids.get(label, -1) for label in labels], np.int32)
    return SourcePredictions(names, numbers, None, words)


def _is_pair(found: Any) -> bool:
    return isinstance(found, tuple) and len(found) == 2 and hasattr(found[1], "shape")


def _of_probs(
    names: Sequence[str], probs: Any, words: Sequence[tuple[str, ...]], name: str
) -> SourcePredictions:
    table = np.asarray(probs)
    size = (sum(map(len, words)), len(names))
    if table.shape != size or not np.issubdtype(table.dtype, np.floating):
        raise InputError(
            f"the source {name}: probabilities are {table.dtype} {table.shape}, expected floating "
            f"{size}, for each word and label name"
        )
    return predictions_of_probs(names, table, words)


def _labels_of_sentence(own: Any, length: int, where: str) -> list[str | None]:
    """A label for each word, from labels or from spans."""
    if own is None:
        return [None] * length
    if all(label is None or isinstance(label, str) for label in own) and len(own) == length:
        return list(own)
    if not all(_is_span(span) for span in own):
        raise InputError(
            f"{where}: {own!r} is neither {length} labels nor entities (first word, end, type)"
        )
    labels: list[str | None] = [OUTSIDE] * length
    for first, end, kind in own:
        if not 0 <= first < end <= length:
            raise InputError(f"{where}: the entity {(first, end, kind)} is not in {length} words")
        if any(label != OUTSIDE for label in labels[first:end]):
            raise InputError(f"{where}: the entity {(first, end, kind)} overlaps another one")
        labels[first:end] = [f"B-{kind}"] + [f"I-{kind}"] * (end - first - 1)
    return labels


def _is_span(span: Any) -> bool:
    return (
        isinstance(span, Sequence)
        and not isinstance(span, str)
        and len(span) == 3
        and all(isinstance(place, int | np.integer) for place in span[:2])
        and isinstance(span[2], str)
    )
