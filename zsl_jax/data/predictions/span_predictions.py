"""Reads the predictions of a source that marks entities in running text."""

import os
from collections.abc import Mapping, Sequence

import numpy as np
from absl import logging
from jaxtyping import Float, Int

from zsl_jax.data.predictions.offset_units import doubt_unit
from zsl_jax.data.predictions.projection import Projection, project
from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.data.text.json_lines import read_objects
from zsl_jax.data.text.span_lines import SpanLine, parse_span_line
from zsl_jax.errors import InputError
from zsl_jax.labels import OUTSIDE, LabelSet
from zsl_jax.types import Sentence

# The share of spans that need not fit the words.
FEW = 0.05


def read_span_predictions(
    path: str | os.PathLike[str], text: Sequence[Sentence] | None, offsets: str | None = None
) -> SourcePredictions:
    """Reads a file with one JSON object a line, one line a sentence of the text.

    {"text": "...", "spans": [{"start": 0, "end": 4, "label": "PER", "score": 0.9}, ...]}

    Characters are counted from 0, the end excluded. The list may stand under "spans" (Prodigy),
    "ents" (spaCy's `Doc.to_json`), "entities" (GLiNER, flair, transformers pipelines and others,
    put beside the text that they were given), "label" or "labels" (Doccano, Label Studio),
    "annotation" or "prediction" (Argilla); null abstains for the sentence, and so does a line that
    was rejected, ignored or discarded. `span_fields` has the names of places, types and scores; a
    span may also be [start, end, type] or [type, start, end, score]. A key that is not read and not
    known to be harmless is refused. Without offsets, `place_mentions` searches for the mention
    under "text" or "word"; what has no place is counted in `about`. With them, "text" is compared
    with the text, "word" is not.

    Spans become BIO labels of our words as `project` says. If every span of the file has a score,
    it becomes the probability of the labels of its words, and the rest that of O; other words are
    O for certain. The label stays even where O is more probable.

    Args:
      path: The file, UTF-8, perhaps compressed (.gz).
      text: The sentences that the lines are about; None raises.
      offsets: What the offsets count, "characters", "utf16" or "bytes"; None for characters, as
        long as the spans do not fit the words in another unit only.

    Returns:
      The predictions for the words of `text`; `about` counts "spans", "partial_words" (cut by a
      span's end), "overlapping_spans" and "unplaced_spans" (left out) and "lost_mentions".

    Raises:
      InputError: A line is malformed, its text is not that of the sentence, or the offsets seem to
        count something else.
    """
    name = os.fspath(path)
    if text is None:
        raise InputError(
            f"{name} holds character spans, which need a text: name a source with words first."
        )
    unit = offsets or "characters"
    lines = [parse_span_line(where, line, unit) for where, line in read_objects(name)]
    if len(lines) != len(text):
        raise InputError(
            f"{name}: {len(lines)} lines where the text has {len(text)} sentences; write one line "
            "a sentence."
        )
    found = [project(line, s.words) for line, s in zip(lines, text, strict=True)]
    if offsets is None:
        doubt_unit(lines, text, name)
    types = sorted({span.label for line in lines for span in line.spans or ()})
    names = [OUTSIDE, *(f"{letter}-{kind}" for kind in types for letter in "BI")]
    label_set = LabelSet.from_labels([names])
    labels, scores = _flat(lines, found, text, label_set)
    scored = [span.score is not None for line in lines for span in line.spans or ()]
    about = _counts(lines, found)
    _warn(name, about, [example for made in found for example in made.examples])
    return SourcePredictions(
        label_names=label_set.names,
        labels=labels,
        probs=_probs(labels, scores, label_set) if scored and all(scored) else None,
        words=tuple(sentence.words for sentence in text),
        about=about,
    )


def _counts(lines: Sequence[SpanLine], found: Sequence[Projection]) -> dict[str, int]:
    """What became of the spans; those that have a place are "spans"."""
    lost = sum(made.lost for made in found)
    return {
        "spans": sum(len(line.spans or ()) for line in lines) - lost,
        "partial_words": sum(made.partial for made in found),
        "overlapping_spans": sum(made.overlapping for made in found),
        "unplaced_spans": sum(made.unplaced for made in found),
        "lost_mentions": lost,
    }


def _warn(name: str, about: Mapping[str, int], examples: Sequence[str]) -> None:
    """Warns of a file of which too many spans do not fit the words."""
    total = about["spans"] + about["lost_mentions"]
    if len(examples) > FEW * total:
        counts = ", ".join(
            f"{key.replace('_', ' ')}: {count}" for key, count in about.items() if count
        )
        logging.warning(
            "%s: %d of %d spans do not fit the words of the text, such as %s (%s); check its "
            "offsets and mentions",
            *(name, len(examples), total, "; ".join(examples[:3]), counts),
        )


def _flat(
    lines: Sequence[SpanLine],
    found: Sequence[Projection],
    text: Sequence[Sentence],
    label_set: LabelSet,
) -> tuple[Int[np.ndarray, " N"], Float[np.ndarray, " N"]]:
    """The labels of all words, -1 where the source abstains, and their scores (1 without one)."""
    ids = label_set.ids
    labels = np.full(sum(len(sentence.words) for sentence in text), ids[OUTSIDE], np.int32)
    scores = np.ones(len(labels), np.float32)
    start = 0
    for line, made, sentence in zip(lines, found, text, strict=True):
        end = start + len(sentence.words)
        if line.spans is None:
            labels[start:end] = -1
        for span in made.spans:
            inside = slice(start + span.first, start + span.end)
            labels[inside] = ids[f"I-{span.label}"]
            labels[inside.start] = ids[f"B-{span.label}"]
            scores[inside] = 1.0 if span.score is None else span.score
        start = end
    return labels, scores


def _probs(
    labels: Int[np.ndarray, " N"], scores: Float[np.ndarray, " N"], label_set: LabelSet
) -> Float[np.ndarray, "N K"]:
    """Each word's score for its label and the rest for O; zeros where the source abstains."""
    says = np.flatnonzero(labels >= 0)
    probs = np.zeros((len(labels), label_set.size), np.float32)
    probs[says, label_set.ids[OUTSIDE]] = 1 - scores[says]
    probs[says, labels[says]] += scores[says]
    return probs.astype(np.float16)
