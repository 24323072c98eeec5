"""Files of predictions: `read_predictions`, the one door to all formats.

Parquet is the format of this project; CoNLL columns and JSON lines come from other taggers.
"""

import os
from collections.abc import Sequence

import numpy as np

from zsl_jax.buckets import path_text
from zsl_jax.data.predictions.json_predictions import read_json_predictions
from zsl_jax.data.predictions.parquet_reader import read_parquet
from zsl_jax.data.predictions.source_predictions import (
    SourcePredictions,
)
from zsl_jax.data.predictions.span_predictions import read_raw_text, read_span_predictions
from zsl_jax.data.text.checks import MISSING_LABEL
from zsl_jax.data.text.files import STANDARD_INPUT, look_ahead, read_lines
from zsl_jax.data.text.formats import FIRST_LINES, format_of, format_of_lines
from zsl_jax.data.text.json_lines import read_objects
from zsl_jax.data.text.json_spans import has_spans
from zsl_jax.data.text.offset_units import check_unit
from zsl_jax.data.text.read_options import Reading
from zsl_jax.data.text.readers import read_sentences
from zsl_jax.errors import InputError
from zsl_jax.labels import LabelSet
from zsl_jax.types import Sentence

ENCODING = "utf-8"  # of every file of predictions: no setting names another


def read_predictions(
    path: str | os.PathLike[str],
    text: Sequence[Sentence] | None = None,
    folder: str | os.PathLike[str] | None = None,
    offsets: str | None = None,
) -> SourcePredictions:
    """Reads the predictions of one source, in the format given by the file's name.

    `.parquet` is what `write_predictions` writes, `.jsonl` is described at
    `read_json_predictions` (words) and `read_span_predictions` (character spans), and all else are
    columns as `read_sentences` reads them (labels only). A label need not be the most probable one
    of its word. A source abstains where its label is null (JSON, Parquet), empty or "_" (columns),
    or where all its probabilities are zero; who abstains in one abstains in both.

    Args:
      path: The file; JSON lines and columns may be compressed (.gz).
      text: The text that was predicted; character spans are brought onto its words. The words of
        other files are for `check_words` to compare.
      folder: Where probabilities from Parquet go while they are needed (see `to_memmap`); None
        keeps them in memory.
      offsets: What the places of character spans count, see `read_span_predictions`.

    Returns:
      The predictions, checked.

    Raises:
      InputError: There is no such file, its contents contradict each other, it has character
        spans but no text, or `offsets` is not a unit.
    """
    name = path_text(path)
    if offsets is not None:
        check_unit(offsets)
    format = _format(name)
    if format == "parquet":
        return agreed_abstentions(read_parquet(name, folder))
    if format == "spans":
        return read_span_predictions(name, text, offsets)
    if format == "jsonl":
        return agreed_abstentions(read_json_predictions(name))
    how = Reading(allow_missing=True, format=format, encoding=ENCODING)
    return _from_sentences(read_sentences(name, **how))


def read_words(paths: Sequence[str]) -> list[Sentence]:
    """The text of which several files have predictions.

    Args:
      paths: The files, at least one.

    Returns:
      The sentences of the first file that has words; if all have character spans, the texts of the
      first, cut into words as `read_raw_text` does.

    Raises:
      InputError: A file cannot be read.
    """
    with_words = next((path for path in paths if _format(path) != "spans"), None)
    if with_words is None:
        return read_raw_text(paths[0])
    return [Sentence(tuple(words)) for words in read_predictions(with_words).words]


def has_character_spans(path: str | os.PathLike[str]) -> bool:
    """Whether the predictions in a file are spans with offsets, rather than labels of words."""
    return _format(path_text(path)) == "spans"


def _format(name: str) -> str:
    """The format of a file of predictions; they have labels, so it is not plain text.

    JSON lines are of the format "spans" if they have character spans.
    """
    check_is_regular(name)
    if not os.path.isfile(name):
        raise InputError(f"there is no file {name} of predictions; correct the path")
    format = format_of(name)
    if format in ("conll", "txt"):
        first, _ = look_ahead(read_lines(name, ENCODING, streamed=True), FIRST_LINES)
        format = format_of_lines("conll", first, name)
    if format == "jsonl" and has_spans(next(read_objects(name), ("", {}))[1]):
        return "spans"
    return format


def check_is_regular(name: str) -> None:
    """Refuses predictions from a pipe: their format is found before they are read a second time.

    Raises:
      InputError: It is the standard input, a pipe or a device.
    """
    special = os.path.exists(name) and not (os.path.isfile(name) or os.path.isdir(name))
    if name == STANDARD_INPUT or special:
        raise InputError(
            f"{name} is not a regular file, but predictions are read twice; write them to a file "
            "and name it"
        )


def agreed_abstentions(predictions: SourcePredictions) -> SourcePredictions:
    """Makes a source that abstains in its label or in its probabilities abstain in both."""
    labels, probs = predictions.labels, predictions.probs
    if probs is None:
        return predictions
    silent = ~probs.any(axis=1)
    if (silent == (labels < 0)).all():
        return predictions
    return predictions._replace(
        labels=np.where(silent, np.int32(-1), labels),
        probs=np.where((labels < 0)[:, None], np.float16(0), probs),
    )


def _from_sentences(sentences: Sequence[Sentence]) -> SourcePredictions:
    """Predictions from labelled sentences; the label names are those that occur."""
    labels = [label for sentence in sentences for label in sentence.labels or ()]
    label_set = LabelSet.from_labels([set(labels) - {MISSING_LABEL}])
    ids = label_set.ids | {MISSING_LABEL: -1}
    return SourcePredictions(
        label_names=label_set.names,
        labels=np.array([ids[label] for label in labels], dtype=np.int32),
        probs=None,
        words=tuple(sentence.words for sentence in sentences),
    )
