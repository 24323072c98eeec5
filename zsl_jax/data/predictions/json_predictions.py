"""Reads the predictions of a source from lines of JSON and checks them."""

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from zsl_jax.data.predictions.source_predictions import (
    SourcePredictions,
    check_label_names,
    check_probs,
    most_probable_labels,
)
from zsl_jax.data.predictions.unspecified import without_unspecified
from zsl_jax.data.text.checks import MISSING_LABEL, checked_label, checked_word
from zsl_jax.data.text.json_lines import LABEL_KEYS, check_lists, read_objects
from zsl_jax.data.text.known_keys import shown_keys
from zsl_jax.data.text.read_options import ReadOptions
from zsl_jax.errors import InputError
from zsl_jax.labels import LabelSet


class _Row(NamedTuple):
    """The predictions for one sentence; `labels` or `probs` is there."""

    where: str
    words: tuple[str, ...]
    labels: tuple[str, ...] | None
    probs: Float[np.ndarray, "n K"] | None


def read_json_predictions(path: str | os.PathLike[str]) -> SourcePredictions:
    """Reads a file with one JSON object per line, one line per sentence.

    {"words": [...], "labels": [...], "probabilities": [[...], ...]}, where "labels" ("tags") or
    "probabilities" may be left out: the label of a word is then its most probable one. The first
    line gives "label_names", the order of the probabilities, alone or beside its words. A label or
    a row of probabilities that is null abstains.

    Args:
      path: The file, UTF-8, perhaps compressed (.gz).

    Returns:
      The predictions, checked.

    Raises:
      InputError: If a line is malformed or contradicts itself.
    """
    label_names: tuple[str, ...] | None = None
    rows: list[_Row] = []
    name = os.fspath(path)
    for where, line in read_objects(name):
        label_names = _label_names(where, line, label_names, is_first=not rows)
        if len(line) > 1 or "label_names" not in line:
            rows.append(_row(where, line, label_names))
    if not rows:
        raise InputError(f"{path} holds no predictions; check that it is the file you meant")
    words = tuple(row.words for row in rows)
    probs = None
    if any(row.probs is not None for row in rows):
        probs = _joined_probs(rows)
        check_probs(probs, words, os.fspath(path))
    if label_names is None:
        given = {label for row in rows for label in row.labels or ()} - {MISSING_LABEL}
        label_names = LabelSet.from_labels([given]).names
    labels = np.concatenate([_label_ids(row, label_names) for row in rows])
    label_names, labels, probs = without_unspecified(label_names, labels, probs)
    return SourcePredictions(
        label_names, labels, None if probs is None else probs.astype(np.float16), words
    )


def _label_names(
    where: str, line: dict[str, Any], known: tuple[str, ...] | None, is_first: bool
) -> tuple[str, ...] | None:
    """The label names that hold from this line on."""
    if "label_names" not in line:
        return known
    value = line["label_names"]
    if not isinstance(value, list):
        raise InputError(f'{where}: "label_names" is not a list; write ["O", ...]')
    label_names = tuple(value)
    check_label_names(label_names, where)
    if label_names != known and not (known is None and is_first):
        raise InputError(
            f'{where}: "label_names" differ from those before; name the same labels in the same '
            "order, from the first line on"
        )
    return label_names


def _row(where: str, line: dict[str, Any], label_names: tuple[str, ...] | None) -> _Row:
    """One line, its lists compared with its words."""
    values = line.get("words", line.get("tokens"))
    if not isinstance(values, list):
        raise InputError(
            f'{where}: no list "words" (its keys are {shown_keys(line)}); write the words that '
            'were labelled, or "text" with "spans"'
        )
    check_lists(where, line, ReadOptions("", allow_missing=True))
    words = tuple(checked_word(where, word) for word in values)
    labels = next((line[key] for key in LABEL_KEYS if line.get(key) is not None), None)
    probs = line.get("probabilities")
    for what, found in (("labels", labels), ("probabilities", probs)):
        if found is not None and (not isinstance(found, list) or len(found) != len(words)):
            count = len(found) if isinstance(found, list) else "no list of"
            raise InputError(f"{where}: {len(words)} words but {count} {what}; give one per word")
    if labels is None and probs is None:
        raise InputError(
            f'{where}: neither "labels" nor "probabilities"; give one of them, with null for each '
            "word on which the source abstains"
        )
    if probs is not None and not label_names:
        raise InputError(
            f'{where}: probabilities without label names; put {{"label_names": [...]}} into the '
            "first line, in the order of the probabilities"
        )
    array = None if probs is None else _probs(where, words, probs, len(label_names or ()))
    if labels is not None:
        pairs = zip(labels, words, strict=True)
        labels = tuple(checked_label(where, *pair, allow_missing=True) for pair in pairs)
    return _Row(where, words, labels, array)


def _probs(
    where: str, words: Sequence[str], rows: Sequence[Any], width: int
) -> Float[np.ndarray, "n K"]:
    """The probabilities of one sentence; a null row is all zero."""
    probs = np.zeros((len(rows), width), dtype=np.float32)
    for place, row in enumerate(rows):
        if row is None:
            continue
        if not isinstance(row, list) or len(row) != width:
            raise InputError(
                f"{where}, word {place + 1} ({words[place]!r}): not {width} probabilities; give "
                "one for each label name"
            )
        if not all(type(value) is float or value in (0, 1) for value in row):
            raise InputError(
                f"{where}, word {place + 1} ({words[place]!r}): a probability is not a number "
                "between 0 and 1; write fractions, not percent, without quotes"
            )
        probs[place] = row
    return probs


def _joined_probs(rows: Sequence[_Row]) -> Float[np.ndarray, "N K"]:
    """The probabilities of all sentences."""
    for row in rows:
        if row.probs is None:
            raise InputError(
                f"{row.where}: no probabilities, though other lines have them; write them into "
                "all lines or none, null for a word without"
            )
    return np.concatenate([row.probs for row in rows if row.probs is not None])


def _label_ids(row: _Row, label_names: tuple[str, ...]) -> Int[np.ndarray, " n"]:
    """The label ids of one sentence; -1 where the source abstains."""
    if row.labels is None:
        assert row.probs is not None
        return most_probable_labels(row.probs)
    ids = {name: label for label, name in enumerate(label_names)} | {MISSING_LABEL: -1}
    found = []
    for place, label in enumerate(row.labels):
        if label not in ids:
            raise InputError(
                f"{row.where}, word {place + 1} ({row.words[place]!r}): the label {label!r} is not "
                f"one of the label names {', '.join(label_names)}; correct it"
            )
        found.append(ids[label])
    return np.array(found, dtype=np.int32)
