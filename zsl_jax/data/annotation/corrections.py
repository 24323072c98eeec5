"""Sentences that people have labelled or corrected, matched with a text by their characters."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from absl import logging

from zsl_jax.data.annotation.exports import Exported, read_exported, span_line
from zsl_jax.data.predictions.mentions import stands_alone
from zsl_jax.data.predictions.prediction_files import read_predictions
from zsl_jax.data.predictions.projection import Projection, project, squeezed
from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.data.predictions.to_bio import bio_predictions
from zsl_jax.data.text.checks import MISSING_LABEL
from zsl_jax.data.text.files import find_files
from zsl_jax.data.text.json_spans import CharacterSpan, Mention, SpanLine, parse_span_line, text_of
from zsl_jax.data.text.offset_units import UNITS, other_units
from zsl_jax.errors import InputError
from zsl_jax.labels import OUTSIDE, entity_spans

Labels = tuple[str, ...]


class Correction(NamedTuple):
    """One sentence as a person labelled it.

    Attributes:
      where: The file and the place in it.
      key: Its characters without whitespace, by which it is found in a text.
      words: Its words where the file has words.
      labels: A label per word, "_" where there is none; empty where the file has spans.
      readings: Where the file has spans, the line with them; twice if its offsets may count UTF-16
        units, as those of programs in a browser do, and the file does not show what they count.
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
    unit = _unit_of(read)
    kept = [
        Correction(line.where, squeezed(line.text), readings=_in_unit(readings, unit))
        for readings in read
        if (line := next(iter(readings.values()))).spans is not None
    ]
    if len(kept) < len(exported):
        logging.info("%s: %d of %d texts are annotated", path, len(kept), len(exported))
    return kept


def _readings(where: str, line: Exported) -> dict[str, SpanLine]:
    """The line by what its offsets may count: characters, UTF-16 units, or either."""
    readings: dict[str, SpanLine] = {}
    fault = None
    for unit in UNITS[:2] if "utf16" in other_units(text_of(line) or "") else UNITS[:1]:
        try:
            readings[unit] = parse_span_line(where, line, unit, has_setting=False)
        except InputError as error:
            fault = fault or error
    if fault is not None and not readings:
        raise fault
    return readings


def _unit_of(read: Sequence[Mapping[str, SpanLine]]) -> str | None:
    """What the offsets of a file count, as most of those lines show that fit one unit only."""
    shown: Counter[str] = Counter()
    for readings in read:
        fitting = [unit for unit, line in readings.items() if _leaves_words_whole(line)]
        if len(fitting) == 1 and "utf16" in other_units(readings[fitting[0]].text):
            shown.update(fitting)
    first, second = UNITS[:2]
    if shown[first] == shown[second]:
        return None
    return first if shown[first] > shown[second] else second


def _in_unit(readings: Mapping[str, SpanLine], unit: str | None) -> tuple[SpanLine, ...]:
    """The readings of a line that are left once the unit of its file is known."""
    certain = readings.get(unit) if unit is not None else None
    return tuple(readings.values()) if certain is None else (certain,)


def _leaves_words_whole(line: SpanLine) -> bool:
    """Whether no span begins or ends with white space or inside a word."""
    spans = [span for span in line.spans or () if isinstance(span, CharacterSpan)]
    return all(stands_alone(line.text, span.start, span.end) for span in spans)


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
    if correction.words == words:
        return correction.labels
    if not correction.readings:
        correction = _as_spans(correction, words, entities)
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


def _as_spans(correction: Correction, words: tuple[str, ...], entities: bool) -> Correction:
    """Labels of words that are cut in other places, as some tools export them, as spans."""
    own = correction.words
    if not entities or MISSING_LABEL in correction.labels:
        raise InputError(
            f"{correction.where}: its words {' '.join(own)!r:.80} are cut in other places than "
            f"those of the text, {' '.join(words)!r:.80}; correct labels, not words, or, if the "
            "tool cuts words itself, export spans (JSON)"
        )
    ends = np.cumsum([len(word) + 1 for word in own])
    spans: list[CharacterSpan | Mention] = [
        CharacterSpan(int(ends[start]) - len(own[start]) - 1, int(ends[end - 1]) - 1, kind, None)
        for kind, start, end in entity_spans(correction.labels)
    ]
    return correction._replace(readings=(SpanLine(correction.where, " ".join(own), spans),))


def _projected(correction: Correction, words: Sequence[str]) -> Projection:
    """The spans on words, by the first reading of their offsets that fits the words."""
    found = [project(line, words) for line in correction.readings]
    fitting = [one for one in found if not (one.partial or one.unplaced)]
    if any(one.spans != fitting[0].spans for one in fitting):
        logging.warning(
            "%s: its offsets fit the words as characters and as UTF-16 units, and are read as "
            'characters; to be certain, write the words of each span in it as "text"',
            correction.where,
        )
    return (fitting or found)[0]


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
