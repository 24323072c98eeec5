"""Prediction files against gold labels: scores, confusions, intervals and tests."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from absl import logging

from zsl_jax.data.predictions.prediction_files import read_predictions
from zsl_jax.data.predictions.same_words import check_words
from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.data.predictions.to_bio import (
    bio_predictions,
    bio_with_faults,
    spelled_predictions,
)
from zsl_jax.errors import InputError
from zsl_jax.evaluation import bootstrap, confusions, metrics
from zsl_jax.evaluation.averages import average_scores
from zsl_jax.evaluation.bootstrap import Resampling
from zsl_jax.evaluation.precision_recall import Labels
from zsl_jax.evaluation.stochastic_dominance import stochastic_dominance
from zsl_jax.labels import TaggingScheme, check_kinds, is_bio, label_doubt, listed
from zsl_jax.types import Sentence
from zsl_jax.workflows.labelled_text import labels_by_sentence


def evaluate(
    sentences: Sequence[Sentence],
    paths: Sequence[str],
    other_paths: Sequence[str],
    task: str | None,
    resampling: Resampling,
    offsets: Sequence[str | None] = (None, None),
    gold_scheme: str = "bio",
) -> dict[str, Any]:
    """Scores prediction files of one text, and tests them against others of the same text.

    Several files on a side are runs of one method (seeds): the side's score is their mean.

    Args:
      sentences: The labelled text; of its sentences, those without labels are not scored.
      paths: Prediction files, at least one; a word without a prediction counts as wrong.
      other_paths: Those to test against; none for no test.
      task: As for `metrics.score`.
      resampling: Of the sentences, and of the files' scores.
      offsets: What the places of character spans of each side count, see `read_span_predictions`.
      gold_scheme: The scheme that the gold labels were in; see `read_to_score`.

    Returns:
      In plain numbers: what was done ("task", "score": the name of the score that counts,
      "confidence", "resamples", "seed"), "predicted" with the "files" (as `metrics.score`), their
      "averages", "confusion" and "interval", and with other files "significance": the same of them
      and "difference", "p_value" and "dominance" (None unless both sides have two files).

    Raises:
      InputError: A file cannot be read or is of another text.
    """
    gold = [sentence.labels for sentence in sentences if sentence.labels is not None]
    if not gold:
        raise InputError("`gold`: no sentence has labels; choose another `column`")
    sides = [
        [_read(path, sentences, unit, gold_scheme) for path in side]
        for side, unit in zip((paths, other_paths), offsets, strict=True)
    ]
    found = [
        _side(gold, side, names, task)
        for side, names in zip(sides, (paths, other_paths), strict=True)
        if names
    ]
    counts = [metrics.sentence_counts(gold, labels, task) for side in sides for labels in side]
    resampled = bootstrap.resampled_scores(np.stack(counts), resampling)
    means = [part.mean(axis=0) for part in np.split(resampled, [len(paths)]) if len(part)]
    for side, mean in zip(found, means, strict=True):
        value = float(np.mean([scores["score"] for scores in side["files"]]))
        interval = bootstrap.percentile_interval(value, mean, resampling.confidence)
        side["interval"] = interval._asdict()
    if len(found) > 1:
        found[1] |= _test(found[0], found[1], means[0] - means[1], resampling)
    task = found[0]["files"][0]["task"]
    return {
        "task": task,
        "score": "f1_strict" if task == "ner" else "accuracy",
        "confidence": resampling.confidence,
        "resamples": resampling.num_resamples,
        "seed": resampling.seed,
        **dict(zip(("predicted", "significance"), found, strict=False)),
    }


def _read(
    path: str, sentences: Sequence[Sentence], offsets: str | None, gold_scheme: str
) -> list[tuple[str, ...]]:
    """The labels of each labelled sentence in a prediction file of this text."""
    made = read_to_score(path, sentences, offsets, gold_scheme)
    predicted = labels_by_sentence(made.label_names, made.words, made.labels)
    pairs = zip(sentences, predicted, strict=True)
    return [labels for sentence, labels in pairs if sentence.labels is not None]


def _side(
    gold: Labels, side: Sequence[Labels], paths: Sequence[str], task: str | None
) -> dict[str, Any]:
    """Scores of each file, their averages, and the confusions in all of them together."""
    files = [metrics.score(gold, labels, task) for labels in side]
    repeated, predicted = [*gold] * len(side), [names for labels in side for names in labels]
    pairs = confusions.label_confusions(repeated, predicted)
    confusion: Any = [pair._asdict() for pair in pairs]
    if files[0]["task"] == "ner":
        confusion = confusions.type_confusion(repeated, predicted)._asdict()
    return {
        "files": [{"file": path, **scores} for path, scores in zip(paths, files, strict=True)],
        "averages": average_scores(files),
        "confusion": confusion,
    }


def _test(
    first: dict[str, Any], second: dict[str, Any], resampled: np.ndarray, resampling: Resampling
) -> dict[str, Any]:
    """Tests of the first side against the second."""
    value = first["interval"]["value"] - second["interval"]["value"]
    test = bootstrap.paired_test(value, resampled, resampling.confidence)
    ours, theirs = (
        np.array([scores["score"] for scores in side["files"]]) for side in (first, second)
    )
    dominance = None
    if min(len(ours), len(theirs)) > 1:
        dominance = stochastic_dominance(ours, theirs, resampling)._asdict()
    return {
        "difference": test.difference._asdict(),
        "p_value": test.p_value,
        "dominance": dominance,
    }


def read_to_score(
    path: str, gold: Sequence[Sentence], offsets: str | None = None, gold_scheme: str = "bio"
) -> SourcePredictions:
    """Predictions for a labelled text, as they are scored: in BIO, but not repaired.

    Beside gold labels in BIO, labels B-X and I-X are BIO with all faults, whatever else they look
    like; strict scores count these, and those of BIOES, see `bio_with_faults`. IOB1 and IO are
    converted where the gold labels are in one of these.

    Args:
      path: The file.
      gold: The labelled text, in BIO.
      offsets: What the places of character spans count, see `read_span_predictions`.
      gold_scheme: The scheme that the gold labels were in.
    """
    found = spelled_predictions(read_predictions(path, gold, offsets=offsets))
    check_words(found, gold, path)
    turned = bio_predictions(found)
    scheme = turned.about["scheme"]
    if gold_scheme not in ("iob1", "io") and is_bio(found.label_names):
        if scheme in ("iob1", "io"):
            logging.warning(
                "%s: the labels fit %s, but are read as BIO, like the gold labels: strict F1 "
                "counts each entity that begins with I-X as an error; if %s is meant, see "
                "conlleval's F1, or write the labels as BIO",
                path,
                scheme.upper(),
                scheme.upper(),
            )
        scheme = "bio"
    spelling = f" (spelled {found.about['spelling']})" if "spelling" in found.about else ""
    logging.info("%s: labels read as %s%s", path, scheme, spelling)
    made = found if scheme == "bio" else turned
    if scheme == TaggingScheme.BIOES:
        made = bio_with_faults(found, turned)
    gold_names = {label for sentence in gold for label in sentence.labels or ()}
    try:
        check_kinds({"gold": gold_names, "predicted": made.label_names})
    except InputError:
        logging.warning(
            "%s has the labels %s, which are not of the kind of the gold labels %s: they cannot be "
            "right, whatever is meant; write both in one spelling",
            path,
            listed({*made.label_names} - gold_names),
            listed(gold_names),
        )
        return made
    doubt = label_doubt(made.label_names, gold_names)
    if doubt:
        logging.warning(
            "%s and the gold labels: %s; they count as different; write both in one spelling",
            path,
            doubt,
        )
    return made
