"""Labelled text and predictions in BIO, whatever tagging scheme they were written in."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.errors import InputError
from zsl_jax.labels import (
    OUTSIDE,
    REPAIR_RULE,
    LabelSet,
    TaggingScheme,
    bio_probs,
    faulty_entities,
    sentence_starts,
    stray_label,
    to_bio,
    usual_spelling,
)
from zsl_jax.types import Sentence

STRAY = "is not one of O, B-TYPE, I-TYPE, as others are; correct it"


def bio_sentences(
    sentences: Sequence[Sentence], where: str
) -> tuple[list[Sentence], dict[str, Any]]:
    """Turns the labels of a text into BIO, and repairs them, as `labels.to_bio` does.

    Args:
      sentences: A text; its scheme is recognised from all of its labels together. A sentence
        without labels stays without.
      where: The file, flag or argument that has the text, for the error message.

    Returns:
      The sentences, and what was found: "scheme" and "repairs".

    Raises:
      InputError: A plain label stands among those of entities.
    """
    sentences, spelling = _spelled_sentences(sentences)
    labels = [sentence.labels or () for sentence in sentences]
    scheme = LabelSet.from_labels(labels)
    stray = stray_label(scheme.names)
    if stray is not None:
        at, word = next(
            (number, sentence.words[names.index(stray)])
            for number, (sentence, names) in enumerate(zip(sentences, labels, strict=True), 1)
            if stray in names
        )
        raise InputError(f"{where}, sentence {at}, word {word!r}: the label {stray!r} {STRAY}")
    ids = scheme.encode([name for names in labels for name in names], where)
    found = to_bio(scheme.names, ids, sentence_starts([len(names) for names in labels]))
    flat = iter(LabelSet(found.names).decode(found.ids))
    turned = [
        s if s.labels is None else s._replace(labels=tuple(next(flat) for _ in s.labels))
        for s in sentences
    ]
    return turned, {"scheme": str(found.scheme), "repairs": found.repairs, **spelling}


def _spelled_sentences(
    sentences: Sequence[Sentence],
) -> tuple[Sequence[Sentence], dict[str, str]]:
    """The sentences with their labels in the usual spelling, and how they were spelled."""
    names = sorted({label for sentence in sentences for label in sentence.labels or ()})
    usual = dict(zip(names, usual_spelling(names), strict=True))
    spelling = _spelling(usual)
    if not spelling:
        return sentences, {}
    turned = [
        s if s.labels is None else s._replace(labels=tuple(usual[label] for label in s.labels))
        for s in sentences
    ]
    return turned, spelling


def spelled_predictions(predictions: SourcePredictions) -> SourcePredictions:
    """Predictions with their labels in the usual spelling; `about` records the original one."""
    usual = usual_spelling(predictions.label_names)
    spelling = _spelling(dict(zip(predictions.label_names, usual, strict=True)))
    if not spelling:
        return predictions
    return predictions._replace(label_names=usual, about={**predictions.about, **spelling})


def _spelling(usual: Mapping[str, str]) -> dict[str, str]:
    """The entry of a spelling in `about`; none for the usual one."""
    other = next((name for name in usual if usual[name] not in (name, OUTSIDE)), None)
    return {} if other is None else {"spelling": f"{other} for {usual[other]}"}


def bio_predictions(
    predictions: SourcePredictions, scheme: TaggingScheme | None = None
) -> SourcePredictions:
    """Turns predictions into BIO, labels and probabilities, and repairs them.

    Args:
      predictions: A source's predictions.
      scheme: The scheme of the text of which they are a part; None recognises it.

    Returns:
      The same in BIO (see `labels.to_bio` and `labels.bio_probs`); plain labels as they are.
      `about` has the "scheme" that was found, and the number of "repairs".
    """
    predictions = spelled_predictions(predictions)
    starts = sentence_starts([len(words) for words in predictions.words])
    found = to_bio(predictions.label_names, predictions.labels, starts, scheme)
    about = {**predictions.about, "scheme": str(found.scheme), "repairs": found.repairs}
    if found.scheme is TaggingScheme.PLAIN or (found.scheme == "bio" and not found.repairs):
        return predictions._replace(about=about)
    probs = predictions.probs
    return predictions._replace(
        label_names=found.names,
        labels=found.ids,
        probs=None if probs is None else bio_probs(probs, found),
        about=about,
    )


def bio_with_faults(given: SourcePredictions, repaired: SourcePredictions) -> SourcePredictions:
    """Brings the faults of predictions in BIOES into their BIO labels, where they can be counted.

    An entity that BIOES does not allow begins with I-X, as such an entity does in BIO. If it
    follows one of the same type, it begins with B-X, since it would belong to that one otherwise.

    Args:
      given: The predictions in BIOES.
      repaired: The same from `bio_predictions`.

    Returns:
      The labels without probabilities.
    """
    starts = sentence_starts([len(words) for words in given.words])
    inside = {f"I-{name[2:]}" for name in repaired.label_names if name != OUTSIDE}
    names = (*repaired.label_names, *sorted(inside.difference(repaired.label_names)))
    labels, ids = repaired.labels.copy(), LabelSet(names).ids
    for place in np.flatnonzero(faulty_entities(given.label_names, given.labels, starts)):
        kind = names[labels[place]][2:]
        follows = not starts[place] and labels[place - 1] >= 0
        if not follows or names[labels[place - 1]][2:] != kind:
            labels[place] = ids[f"I-{kind}"]
    return repaired._replace(label_names=names, labels=labels, probs=None)


def reading_line(about: Mapping[str, Any]) -> str:
    """One line on how labels were read, for the log.

    >>> reading_line({"scheme": "iob1", "repairs": 2, "partial_words": 1})
    'labels read as iob1, 2 repaired (conlleval rule); partial words: 1'
    """
    scheme, repairs = about["scheme"], about["repairs"]
    line = f"labels read as {scheme}"
    if scheme != TaggingScheme.PLAIN:
        line += f", {repairs:,} repaired ({REPAIR_RULE} rule)"
    other = {key: value for key, value in about.items() if key not in ("scheme", "repairs")}
    return "; ".join([line, *(f"{key.replace('_', ' ')}: {other[key]}" for key in other)])
