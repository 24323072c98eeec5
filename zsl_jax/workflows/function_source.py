"""Python functions as sources: words of sentences in; labels, spans or probabilities out."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from typing import Any

import numpy as np

from zsl_jax.data.predictions.source_predictions import SourcePredictions, predictions_of_probs
from zsl_jax.data.predictions.span_types import first_labels
from zsl_jax.data.text.checks import MISSING_LABEL, checked_label, checked_type
from zsl_jax.data.text.entity_places import Entity
from zsl_jax.errors import InputError
from zsl_jax.labels import OUTSIDE, Span, TaggingScheme, label_parts
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
    numbered = enumerate(zip(found, words, strict=True), start=1)
    read = [_read(own, sentence, f"{name}, sentence {n}") for n, (own, sentence) in numbered]
    by_type = first_labels({one.type for own in read for one in own if isinstance(one, Span)})
    pairs = list(zip(read, words, strict=True))
    by_sentence = [_labels_of_sentence(own, len(sentence), by_type) for own, sentence in pairs]
    labels = [label for own in by_sentence for label in own]
    given = {label for own, made in zip(read, by_sentence, strict=True) if own for label in made}
    without = [number for number, (own, sentence) in enumerate(pairs, 1) if sentence and not own]
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


def _read(own: Any, words: Sequence[str], where: str) -> list[str] | list[Span]:
    """A label for each word, `MISSING_LABEL` where there is none, or the entities."""
    if own is None:
        return [MISSING_LABEL] * len(words)
    items = _as_list(own)
    if items is not None and len(items) == len(words) and all(map(_is_label, items)):
        pairs = zip(items, words, strict=True)
        return [checked_label(where, label, word, allow_missing=True) for label, word in pairs]
    if items is None or not all(map(_is_span, items)):
        raise InputError(
            f"{where}: {own!r:.80} is neither {len(words)} labels nor entities (first word, end, "
            "type); give a list of the ones or the others"
        )
    return _checked_spans(items, len(words), where)


def _checked_spans(items: Sequence[Any], num_words: int, where: str) -> list[Span]:
    """Entities that lie within the words, beside each other, and have types."""
    spans: list[Span] = []
    for first, end, kind in (_place_and_type(item) for item in items):
        entity = f"{where}: the entity {(first, end, kind)}"
        if not 0 <= first < end <= num_words:
            raise InputError(
                f"{entity} is not within its {num_words} words; give the first word, from 0, and "
                "the word after the last"
            )
        if any(first < span.end and span.start < end for span in spans):
            raise InputError(f"{entity} overlaps another one; keep one")
        checked = checked_type(entity, kind, "give its type, such as PER")
        spans.append(Span(checked, first, end))
    return spans


def _labels_of_sentence(
    own: Sequence[Any], num_words: int, by_type: Mapping[str, str]
) -> list[str]:
    """The labels of a sentence that was read as labels or as entities."""
    if num_words and own and not isinstance(own[0], Span):
        return list(own)
    labels = [OUTSIDE] * num_words
    for kind, first, end in own:
        begin = by_type[kind]
        labels[first:end] = [begin] + [f"I-{begin[2:]}"] * (end - first - 1)
    return labels


def _is_label(label: Any) -> bool:
    return label is None or isinstance(label, str)


def _is_span(span: Any) -> bool:
    """Whether it is the first word, the end and the type of an entity."""
    if isinstance(span, Entity):
        return True
    return (
        isinstance(span, Sequence)
        and not isinstance(span, str)
        and len(span) == 3
        and all(isinstance(place, int | np.integer) for place in span[:2])
        and isinstance(span[2], str)
    )


def _place_and_type(span: Any) -> tuple[int, int, str]:
    return (span.first, span.end, span.type) if isinstance(span, Entity) else tuple(span)
