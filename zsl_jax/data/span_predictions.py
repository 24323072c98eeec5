"""Reads the predictions of a source that marks entities in running text."""

import os
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from zsl_jax.data.json_lines import read_objects
from zsl_jax.data.projection import Projection, project
from zsl_jax.data.source_predictions import SourcePredictions
from zsl_jax.data.span_lines import SpanLine, parse_span_line
from zsl_jax.errors import InputError
from zsl_jax.labels import OUTSIDE, LabelScheme
from zsl_jax.types import Sentence


def read_span_predictions(
    path: str | os.PathLike[str], text: Sequence[Sentence] | None
) -> SourcePredictions:
    """Reads a file with one JSON object a line, one line a sentence of the text.

    {"text": "...", "spans": [{"start": 0, "end": 4, "label": "PER", "score": 0.9}, ...]}

    Characters are counted from 0, the end excluded. The list may stand under "spans" (Prodigy),
    "ents" (spaCy's `Doc.to_json`) or "entities" (GLiNER, transformers pipelines and others, put
    beside the text that they were given); null abstains for the sentence. The type may stand under
    "label" (spaCy, Prodigy, GLiNER), "entity_group" (transformers pipelines with an aggregation
    strategy), "entity_type" (Presidio) or "type", or a span is [start, end, type] (spaCy's training
    data, Doccano). Without "start" and "end", the mention under "text" or "word" is searched for
    from the end of the span before, then from the beginning, as language models write it; what does
    not occur is counted in `about`. With them, "text" is compared with the text, "word" is not.

    Spans become BIO labels of our words as `project` says. If every span of the file has a score,
    it becomes the probability of the labels of its words, and the rest that of O; other words are
    O for certain. The label stays even where O is more probable.

    Args:
      path: The file, UTF-8, perhaps compressed (.gz).
      text: The sentences that the lines are about; None raises.

    Returns:
      The predictions for the words of `text`; `about` counts "spans", "partial_words" (cut by a
      span's end), "overlapping_spans" and "unplaced_spans" (left out) and "lost_mentions".

    Raises:
      InputError: A line is malformed, or its text is not that of the sentence.
    """
    name = os.fspath(path)
    if text is None:
        raise InputError(
            f"{name} holds character spans, which need a text: name a source with words first."
        )
    lines = [parse_span_line(where, line) for where, line in read_objects(name)]
    if len(lines) != len(text):
        raise InputError(
            f"{name}: {len(lines)} lines where the text has {len(text)} sentences; write one line "
            "a sentence."
        )
    found = [project(line, s.words) for line, s in zip(lines, text, strict=True)]
    types = sorted({span.label for line in lines for span in line.spans or ()})
    names = [OUTSIDE, *(f"{letter}-{kind}" for kind in types for letter in "BI")]
    scheme = LabelScheme.from_labels([names])
    labels, scores = _flat(lines, found, text, scheme)
    scored = [span.score is not None for line in lines for span in line.spans or ()]
    return SourcePredictions(
        label_names=scheme.names,
        labels=labels,
        probs=_probs(labels, scores, scheme) if scored and all(scored) else None,
        words=tuple(sentence.words for sentence in text),
        about={
            "spans": len(scored),
            "partial_words": sum(made.partial for made in found),
            "overlapping_spans": sum(made.overlapping for made in found),
            "unplaced_spans": sum(made.unplaced for made in found),
            "lost_mentions": sum(line.lost for line in lines),
        },
    )


def _flat(
    lines: Sequence[SpanLine],
    found: Sequence[Projection],
    text: Sequence[Sentence],
    scheme: LabelScheme,
) -> tuple[Int[np.ndarray, " N"], Float[np.ndarray, " N"]]:
    """The labels of all words, -1 where the source abstains, and their scores (1 without one)."""
    ids = scheme.ids
    labels = np.full(sum(len(sentence.words) for sentence in text), ids[OUTSIDE], np.int32)
    scores = np.ones(len(labels), np.float32)
    start = 0
    for line, made, sentence in zip(lines, found, text, strict=True):
        end = start + len(sentence.words)
        if line.spans is None:
            labels[start:end] = -1
        for span in made.spans:
            inside = slice(start + span.first, start + span.last)
            labels[inside] = ids[f"I-{span.label}"]
            labels[inside.start] = ids[f"B-{span.label}"]
            scores[inside] = 1.0 if span.score is None else span.score
        start = end
    return labels, scores


def _probs(
    labels: Int[np.ndarray, " N"], scores: Float[np.ndarray, " N"], scheme: LabelScheme
) -> Float[np.ndarray, "N K"]:
    """Each word's score for its label and the rest for O; zeros where the source abstains."""
    says = np.flatnonzero(labels >= 0)
    probs = np.zeros((len(labels), scheme.size), np.float32)
    probs[says, scheme.ids[OUTSIDE]] = 1 - scores[says]
    probs[says, labels[says]] += scores[says]
    return probs.astype(np.float16)
