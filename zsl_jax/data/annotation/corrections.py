"""Sentences that people have labelled or corrected, matched with a text by their characters."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from absl import logging

from zsl_jax.data.annotation.exports import Exported, read_exported, span_line
from zsl_jax.data.predictions.prediction_files import read_predictions
from zsl_jax.data.predictions.projection import Projection, project, squeezed
from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.data.predictions.to_bio import bio_predictions
from zsl_jax.data.text.checks import MISSING_LABEL
from zsl_jax.data.text.files import find_files
from zsl_jax.data.text.json_spans import SpanLine, parse_span_line
from zsl_jax.data.text.offset_units import UNITS
from zsl_jax.errors import InputError
from zsl_jax.labels import OUTSIDE

Labels = tuple[str, ...]


class Correction(NamedTuple):
    """One sentence as a person labelled it.

    Attributes:
      where: The file and the place in it.
      key: Its characters without whitespace, by which it is found in a text.
      words: Its words where the file has words.
      labels: A label per word, "_" where there is none; empty where the file has spans.
      readings: Where the file has spans, the line with them; twice if its offsets may count UTF-16
        units, as those of programs in a browser do.
    """

    where: str
    key: str
    words: tuple[str, ...] = ()
    labels: Labels = ()
    readings: tuple[SpanLine, ...] = ()


def read_corrections(path: str) -> list[Correction]:
    """Reads what people corrected.

    Args:
      path: One or several files, as `find_files` reads it: an export of Label Studio (JSON,
        JSON-MIN, CoNLL), doccano, Prodigy or Argilla, or any file of words with labels that
        `read_predictions` reads.

    Returns:
      The sentences; texts that were not annotated or were skipped are left out.

    Raises:
      InputError: A file cannot be read, or holds no annotated sentence.
    """
    found = [correction for file in find_files(path) for correction in _read(file)]
    if not found:
        raise InputError(
            f"{path} holds no annotated sentence; export the annotations, not the tasks alone"
        )
    return found


def _read(path: str) -> list[Correction]:
    exported = None if path.lower().endswith(".parquet") else read_exported(path)
    if exported is None:
        return corrections_of(read_predictions(path), path)
    lines = [(where, span_line(where, value)) for where, value in exported]
    read = [_readings(where, line) for where, line in lines if line is not None]
    kept = [
        Correction(lines[0].where, squeezed(lines[0].text), readings=lines)
        for lines in read
        if lines[0].spans is not None
    ]
    if len(kept) < len(exported):
        logging.info("%s: %d of %d texts are annotated", path, len(kept), len(exported))
    return kept


def _readings(where: str, line: Exported) -> tuple[SpanLine, ...]:
    """The line with offsets in characters, or in UTF-16 units, or in either, as far as they fit."""
    readings: list[SpanLine] = []
    fault = None
    units = UNITS[:2] if any(char > "\uffff" for char in str(line.get("text"))) else UNITS[:1]
    for unit in units:
        try:
            readings.append(parse_span_line(where, line, unit))
        except InputError as error:
            fault = fault or error
    if fault is not None and not readings:
        raise fault
    return tuple(readings)


def corrections_of(predictions: SourcePredictions, name: str) -> list[Correction]:
    """Labels of words as corrections of their sentences; those without labels are left out.

    Args:
      predictions: The sentences and their labels.
      name: Of the file or argument, for messages.
    """
    predictions = bio_predictions(predictions)
    names = (*predictions.label_names, MISSING_LABEL)
    flat = iter(predictions.labels.tolist())
    kept = []
    for number, words in enumerate(predictions.words, start=1):
        labels = tuple(names[next(flat)] for _ in words)
        if set(labels) != {MISSING_LABEL}:
            key = squeezed("".join(words))
            kept.append(Correction(f"{name}, sentence {number}", key, words, labels))
    return kept


def warn_of_missing(where: str, missing: Sequence[Correction], total: int) -> None:
    """Logs which of `total` corrected sentences are not in a text."""
    if missing:
        logging.warning(
            "%s: %d of %d sentences are not in the text and are left out, such as %s",
            *(where, len(missing), total, missing[0].where),
        )


def match_corrections(
    corrections: Sequence[Correction], sentences: Iterable[Sequence[str]], entities: bool
) -> list[Labels | None]:
    """Finds the labels of sentences among corrections of the same characters.

    Args:
      corrections: What people corrected, in any order.
      sentences: The words of each sentence of a text.
      entities: Whether spans are entities, which become BIO labels and leave all other words O;
        otherwise a span labels its words, and others have no label.

    Returns:
      A label per word of each sentence, "_" where it is not known; None for sentences that nobody
      corrected. Words on which corrections of one sentence differ are not known.

    Raises:
      InputError: A correction has other words of the same characters, or a span that does not fit.
    """
    by_key = defaultdict(list)
    for correction in corrections:
        by_key[correction.key].append(correction)
    known: dict[tuple[str, ...], Labels | None] = {}
    found = []
    for sentence in sentences:
        words = tuple(sentence)
        if words not in known:
            given = by_key.get(squeezed("".join(words)), ())
            labels = [labels_of(correction, words, entities) for correction in given]
            known[words] = _agreed(given, labels, words) if labels else None
        found.append(known[words])
    return found


def labels_of(correction: Correction, words: tuple[str, ...], entities: bool) -> Labels:
    """Brings a correction onto the words of its sentence; see `match_corrections`."""
    if not correction.readings:
        if correction.words != words:
            raise InputError(
                f"{correction.where}: its words {' '.join(correction.words)!r:.80} are cut in "
                f"other places than those of the text, {' '.join(words)!r:.80}; correct labels, "
                "not words"
            )
        return correction.labels
    found = _projected(correction, words)
    if found.examples:
        logging.warning(
            "%s: spans do not fit the words: %s", correction.where, "; ".join(found.examples[:3])
        )
    labels = [OUTSIDE if entities else MISSING_LABEL] * len(words)
    for span in found.spans:
        for place in range(span.first, span.end):
            letter = "B-" if place == span.first else "I-"
            labels[place] = f"{letter if entities else ''}{span.label}"
    return tuple(labels)


def _projected(correction: Correction, words: Sequence[str]) -> Projection:
    """The spans on words, by the first reading of their offsets that fits the words."""
    found = [project(line, words) for line in correction.readings]
    return next((one for one in found if not (one.partial or one.unplaced)), found[0])


def _agreed(
    given: Sequence[Correction], labels: Sequence[Labels], words: tuple[str, ...]
) -> Labels:
    """The labels of several corrections of one sentence."""
    agreed = []
    for place, column in enumerate(zip(*labels, strict=True)):
        names = set(column) - {MISSING_LABEL}
        if len(names) > 1:
            logging.warning(
                "%s label %r differently (%s); it is left open",
                *(" and ".join(one.where for one in given), words[place], ", ".join(sorted(names))),
            )
        agreed.append(names.pop() if len(names) == 1 else MISSING_LABEL)
    return tuple(agreed)
