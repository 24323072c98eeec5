"""Python functions as sources: words of sentences in; labels, spans or probabilities out."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from typing import Any

import numpy as np

from zsl_jax.data.predictions.source_predictions import SourcePredictions, predictions_of_probs
from zsl_jax.data.text.checks import MISSING_LABEL, checked_label
from zsl_jax.data.text.entity_places import Entity
from zsl_jax.errors import InputError
from zsl_jax.labels import OUTSIDE, TaggingScheme, label_parts
from zsl_jax.types import Sentence
from zsl_jax.workflows.checked_predictions import checked_names, checked_probs

# Gets the words of all sentences; see `predictions_by_function` for what it may return.
Annotator = Callable[[list[list[str]]], Any]


def predictions_by_function(
    function: Annotator, text: Sequence[Sentence], name: str
) -> SourcePredictions:
    """Returns the predictions of a function for a text.

    Args:
      function: Called once with the words of all sentences. It returns one of: for each sentence,
        a label for each word (None abstains), or None to abstain from the whole sentence; for each
        sentence, entities as (first word, end, type) with the end not included, or as `Entity`; or
        a pair of K label names and [N, K] probabilities of all N words (zeros abstain). Lists may
        be arrays or generators.
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
    returned = function([list(sentence) for sentence in words])
    if _is_pair(returned):
        return _of_probs(returned[0], returned[1], words, name)
    found = _as_list(returned)
    if found is None or len(found) != len(words):
        raise InputError(
            f"the source {name}: the function must return one item for each of the {len(words):,} "
            "sentences, or label names and an array of probabilities"
        )
    return predictions_of_lists(found, words, f"the source {name}")


def predictions_of_lists(
    found: Sequence[Any], words: Sequence[tuple[str, ...]], name: str
) -> SourcePredictions:
    """Returns labels or entities as predictions.

    Args:
      found: For each sentence, labels or entities as for `predictions_by_function`.
      words: Of the sentences.
      name: Of what gives them, for messages.

    Raises:
      InputError: They do not fit the words.
    """
    labels: list[str] = []
    without: list[int] = []  # sentences with an empty list in place of labels
    given = {MISSING_LABEL}
    for number, (own, sentence) in enumerate(zip(found, words, strict=True), start=1):
        read = _labels_of_sentence(own, sentence, f"{name}, sentence {number}")
        labels += read
        if sentence and hasattr(own, "__len__") and len(own) == 0:
            without.append(number)
        else:
            given |= {*read}
    _check_tags(given - {MISSING_LABEL}, without, name)
    names = tuple(sorted({*labels} - {MISSING_LABEL}))
    ids = {MISSING_LABEL: -1} | {label: number for number, label in enumerate(names)}
    numbers = np.array([ids[label] for label in labels], np.int32)
    return SourcePredictions(names, numbers, None, words)


def _check_tags(given: Collection[str], without: Sequence[int], name: str) -> None:
    """Refuses an empty list, which stands for no entity, among tags such as parts of speech."""
    are_tags = given and OUTSIDE not in given
    if without and are_tags and label_parts(sorted(given)).scheme is TaggingScheme.PLAIN:
        raise InputError(
            f"{name}, sentence {without[0]}: it has no labels, but others have labels such as "
            f"{min(given)}; give one label for each word, or None to abstain"
        )


def _is_pair(found: Any) -> bool:
    """Whether it is label names and probabilities, not the labels of two sentences in arrays."""
    is_pair = isinstance(found, tuple) and len(found) == 2 and hasattr(found[1], "shape")
    return is_pair and np.asarray(found[1]).dtype.kind not in "OU"


def _as_list(found: Any) -> list[Any] | None:
    """The items of a list, an array or a generator; None of what has none in a certain order."""
    is_scalar = not isinstance(found, Iterable) or getattr(found, "ndim", 1) == 0
    return None if is_scalar or isinstance(found, str | Mapping | Set) else list(found)


def _of_probs(
    label_names: Sequence[str], probs: Any, words: Sequence[tuple[str, ...]], name: str
) -> SourcePredictions:
    where = f"the source {name}"
    names = checked_names(label_names, where)
    return predictions_of_probs(names, checked_probs(probs, names, words, where), words)


def _labels_of_sentence(own: Any, words: Sequence[str], where: str) -> list[str]:
    """A label for each word, `MISSING_LABEL` where there is none, from labels or from spans."""
    if own is None:
        return [MISSING_LABEL] * len(words)
    items = _as_list(own)
    if items is not None and len(items) == len(words) and all(map(_is_label, items)):
        pairs = zip(items, words, strict=True)
        return [checked_label(where, label, word, allow_missing=True) for label, word in pairs]
    spans = None if items is None else [_as_span(item) for item in items]
    if spans is None or None in spans:
        raise InputError(
            f"{where}: {own!r:.80} is neither {len(words)} labels nor entities (first word, end, "
            "type); give a list of the ones or the others"
        )
    return _labels_of_spans(spans, words, where)


def _labels_of_spans(own: Sequence[Any], words: Sequence[str], where: str) -> list[str]:
    labels = [OUTSIDE] * len(words)
    for first, end, kind in own:
        if not 0 <= first < end <= len(words):
            raise InputError(
                f"{where}: the entity {(first, end, kind)} is not within its {len(words)} words"
            )
        if any(label != OUTSIDE for label in labels[first:end]):
            raise InputError(
                f"{where}: the entity {(first, end, kind)} overlaps another one; keep one"
            )
        if not kind.strip():
            raise InputError(f"{where}: the entity {(first, end, kind)} has no type; give it one")
        kind = checked_label(where, kind, words[first], allow_missing=False)
        if kind.startswith(("B-", "I-")):
            raise InputError(
                f"{where}: the entity {(first, end, kind)} has a label as its type; give the "
                f"type {kind[2:]!r}, or one label per word"
            )
        labels[first:end] = [f"B-{kind}"] + [f"I-{kind}"] * (end - first - 1)
    return labels


def _is_label(label: Any) -> bool:
    return label is None or isinstance(label, str)


def _as_span(span: Any) -> Any:
    """The first word, end and type of an entity; None of anything else."""
    if isinstance(span, Entity):
        return span.first, span.end, span.type
    is_span = (
        isinstance(span, Sequence)
        and not isinstance(span, str)
        and len(span) == 3
        and all(isinstance(place, int | np.integer) for place in span[:2])
        and isinstance(span[2], str)
    )
    return span if is_span else None
