"""Reads the predictions of a source that marks entities in running text."""

import os
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from absl import logging
from jaxtyping import Float, Int

from zsl_jax.data.predictions.doubtful_offsets import doubt_unit
from zsl_jax.data.predictions.projection import Projection, project
from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.data.predictions.span_types import first_labels
from zsl_jax.data.text.json_lines import read_objects
from zsl_jax.data.text.json_spans import (
    SpanLine,
    parse_span_line,
    refuse_labelled_tokens,
    text_of,
)
from zsl_jax.data.text.word_rules import find_words
from zsl_jax.errors import InputError
from zsl_jax.labels import OUTSIDE, LabelSet, bio_labels
from zsl_jax.types import Sentence

# The share of spans that need not fit the words.
FEW = 0.05
SHOWN = 3  # examples that are quoted


def read_span_predictions(
    path: str | os.PathLike[str], text: Sequence[Sentence] | None, offsets: str | None = None
) -> SourcePredictions:
    """Reads a file with one JSON object per line, one line per sentence of the text.

    {"text": "...", "spans": [{"start": 0, "end": 4, "label": "PER", "score": 0.9}, ...]}

    Characters are counted from 0, the end excluded. The list may stand under "spans" (Prodigy),
    "ents" (spaCy's `Doc.to_json`), "entities" (GLiNER, flair, transformers pipelines and others,
    put beside the text that they were given), "label" or "labels" (doccano, Label Studio),
    "annotation" or "prediction" (Argilla); null abstains for the sentence, and so does a line that
    was rejected, ignored or discarded. `span_fields` has the names of places, types and scores; a
    span may also be [start, end, type] or [type, start, end, score]. A key that is not read and not
    known to be harmless is refused. Without offsets, `place_mentions` searches for the mention
    under "text" or "word"; what has no place is counted in `about`. With them, "text" is compared
    with the text, "word" is not.

    Spans become BIO labels of our words as in `project`. If every span of the file has a score,
    it becomes the probability of the labels of its words, and the rest that of O; other words are
    O for certain. The label stays even where O is more probable. If only some have one, a warning
    is logged, and no score is used.

    Args:
      path: The file, UTF-8, perhaps compressed (.gz).
      text: The sentences that the lines are about; None raises.
      offsets: What the offsets count, "characters", "utf16" or "bytes"; None for characters, as
        long as the spans do not fit the words in another unit only.

    Returns:
      The predictions for the words of `text`; `about` counts "spans", "partial_words" (cut by a
      span's end), "overlapping_spans" and "unplaced_spans" (left out) and "lost_mentions",
      of which "lost_examples" quotes some.

    Raises:
      InputError: A line is malformed, its text is not that of the sentence, or the offsets seem to
        count something else.
    """
    name = os.fspath(path)
    if text is None:
        raise InputError(
            f"{name} holds character spans, which need a text; give its sentences as `text`"
        )
    unit = offsets or "characters"
    lines = [parse_span_line(where, line, unit) for where, line in read_objects(name)]
    if not any(line.spans for line in lines):
        refuse_labelled_tokens(read_objects(name))
    if len(lines) != len(text):
        raise InputError(
            f"{name}: {len(lines)} lines where the text has {len(text)} sentences; write one line "
            "per sentence"
        )
    found = [project(line, s.words) for line, s in zip(lines, text, strict=True)]
    if offsets is None:
        doubt_unit(lines, text, name)
    label_set, ids = _labels_of({span.label for line in lines for span in line.spans or ()})
    labels, scores = _flat(lines, found, text, ids)
    scored = [span.score is not None for line in lines for span in line.spans or ()]
    counts = _counts(lines, found)
    _warn_of_blanks(name, lines)
    _warn_of_lost_scores(name, scored)
    _warn(name, counts, [example for made in found for example in made.examples])
    lost = [example for made in found for example in made.examples[: made.lost]]
    return SourcePredictions(
        label_names=label_set.names,
        labels=labels,
        probs=_probs(labels, scores, label_set) if scored and all(scored) else None,
        words=tuple(sentence.words for sentence in text),
        about={**counts, **({"lost_examples": "; ".join(lost[:SHOWN])} if lost else {})},
    )


def read_raw_text(path: str | os.PathLike[str]) -> list[Sentence]:
    """The texts of such a file, cut into words by the rules that split off punctuation."""
    texts = [text_of(line) or "" for _, line in read_objects(os.fspath(path))]
    cut = [(text, find_words(text, "unicode")) for text in texts]
    return [Sentence(words, text=text, starts=starts) for text, (words, starts) in cut]


def _labels_of(kinds: Collection[str]) -> tuple[LabelSet, dict[str, tuple[int, int]]]:
    """All labels, and by the type of a span the labels of its first and of its other words."""
    by_kind = first_labels(kinds)
    types = sorted({label[2:] for label in by_kind.values()})
    label_set = LabelSet.from_labels([bio_labels(types)])
    ids = label_set.ids
    return label_set, {kind: (ids[first], ids[f"I-{first[2:]}"]) for kind, first in by_kind.items()}


def _counts(lines: Sequence[SpanLine], found: Sequence[Projection]) -> dict[str, int]:
    """Counts of the spans by outcome; those that have a place are "spans"."""
    lost = sum(made.lost for made in found)
    return {
        "spans": sum(len(line.spans or ()) for line in lines) - lost,
        "partial_words": sum(made.partial for made in found),
        "overlapping_spans": sum(made.overlapping for made in found),
        "unplaced_spans": sum(made.unplaced for made in found),
        "lost_mentions": lost,
    }


def _warn_of_blanks(name: str, lines: Sequence[SpanLine]) -> None:
    """Warns of lines that abstain since their empty lists may not be annotation."""
    blank = [line.where.rpartition(", ")[2] for line in lines if line.is_blank]
    if blank:
        logging.warning(
            "%s: %d of %d lines have an empty list of labels (%s), as doccano also writes for "
            'texts without annotation; they abstain; write "spans": [] where there is no entity',
            name,
            len(blank),
            len(lines),
            ", ".join(blank[:3]),
        )


def _warn_of_lost_scores(name: str, scored: Sequence[bool]) -> None:
    """Warns of a file of which only some spans have a score, so that none is used."""
    if any(scored) and not all(scored):
        logging.warning(
            "%s: %d of %d spans have no score, so that the scores of the others are not used; give "
            "each span a score",
            name,
            scored.count(False),
            len(scored),
        )


def _warn(name: str, about: Mapping[str, int], examples: Sequence[str]) -> None:
    """Warns of a file of which too many spans do not fit the words."""
    total = about["spans"] + about["lost_mentions"]
    if len(examples) > FEW * total:
        counts = ", ".join(
            f"{key.replace('_', ' ')}: {count}" for key, count in about.items() if count
        )
        logging.warning(
            "%s: %d of %d spans do not fit the words of the text or each other, such as %s (%s); "
            "check its offsets and mentions",
            name,
            len(examples),
            total,
            "; ".join(examples[:SHOWN]),
            counts,
        )


def _flat(
    lines: Sequence[SpanLine],
    found: Sequence[Projection],
    text: Sequence[Sentence],
    ids: Mapping[str, tuple[int, int]],
) -> tuple[Int[np.ndarray, " N"], Float[np.ndarray, " N"]]:
    """The labels of all words, -1 where the source abstains, and their scores (1 without one).

    `ids` has the labels of a span's first and of its other words by its type; 0 is O.
    """
    labels = np.zeros(sum(len(sentence.words) for sentence in text), np.int32)
    scores = np.ones(len(labels), np.float32)
    start = 0
    for line, made, sentence in zip(lines, found, text, strict=True):
        end = start + len(sentence.words)
        if line.spans is None:
            labels[start:end] = -1
        for span in made.spans:
            inside = slice(start + span.first, start + span.end)
            labels[inside.start], labels[inside.start + 1 : inside.stop] = ids[span.label]
            scores[inside] = 1.0 if span.score is None else span.score
        start = end
    return labels, scores


def _probs(
    labels: Int[np.ndarray, " N"], scores: Float[np.ndarray, " N"], label_set: LabelSet
) -> Float[np.ndarray, "N K"]:
    """Each word's score for its label and the rest for O; zeros where the source abstains."""
    labelled = np.flatnonzero(labels >= 0)
    probs = np.zeros((len(labels), label_set.size), np.float32)
    probs[labelled, label_set.ids[OUTSIDE]] = 1 - scores[labelled]
    probs[labelled, labels[labelled]] += scores[labelled]
    return probs.astype(np.float16)
