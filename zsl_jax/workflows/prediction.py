"""Labels for a text: by the tagger, by the posterior, or by aggregation, and their files."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from zsl_jax.data.predictions import (
    SourcePredictions,
    check_words,
    read_predictions,
    source_votes,
    write_predictions,
)
from zsl_jax.data.writers import write_conll, write_jsonl
from zsl_jax.errors import InputError
from zsl_jax.evaluation import metrics
from zsl_jax.io.label_model import LabelModel, read_label_model
from zsl_jax.labels import LabelScheme
from zsl_jax.training.config import JointWeights
from zsl_jax.training.expectation import label_posterior
from zsl_jax.types import Sentence
from zsl_jax.workflows.aggregation import aggregate
from zsl_jax.workflows.sources import Source, common_scheme
from zsl_jax.workflows.tagging import (
    LoadedTagger,
    gold_labels,
    labels_by_sentence,
    predict_log_probs,
    require_head,
)
from zsl_jax.workflows.transfer import evidence_of


def predict(
    tagger: LoadedTagger,
    text: Sequence[Sentence],
    predictions: Mapping[str, SourcePredictions],
    row_length: int,
) -> SourcePredictions:
    """Probabilities of a text: P without sources, Q with all of the label model's sources.

    Raises:
      InputError: The sources given are not those that the tagger was trained with.
    """
    scheme = require_head(tagger)
    log_probs = predict_log_probs(tagger, text, row_length)
    probs = np.exp(log_probs)
    if predictions:
        model = read_label_model(tagger.path)
        probs = _posterior(model, scheme, log_probs, predictions, tagger.path)
    return _labelled(text, scheme, probs.argmax(-1), probs)


def _posterior(
    model: LabelModel, scheme: LabelScheme, log_probs, predictions, where: str
) -> np.ndarray:
    if set(predictions) != set(model.source_names):
        raise InputError(
            f"--source names {', '.join(predictions)}, but {where} was trained with "
            f"{', '.join(model.source_names)}; give exactly these (a source may abstain)"
        )
    assert model.label_names == scheme.names
    found = [predictions[name] for name in model.source_names]
    votes = source_votes(found, scheme, model.source_names)
    weights = JointWeights(model.prior_weight, model.source_weight)
    evidence = evidence_of(votes, model.predictions)
    return label_posterior(weights, log_probs, evidence, model.log_confusion).posterior


def aggregate_files(
    sources: Sequence[Source], method: str
) -> tuple[list[Sentence], SourcePredictions]:
    """Aggregate prediction files of one text, which the first of them holds."""
    if not sources:
        raise InputError("--source is missing: name at least one, as --source=NAME=FILE")
    found = [read_predictions(source.path) for source in sources]
    text = [Sentence(tuple(words)) for words in found[0].words]
    for source, predictions in zip(sources[1:], found[1:], strict=True):
        check_words(predictions, text, source.path)
    scheme = common_scheme(found)
    votes = source_votes(found, scheme, [source.name for source in sources])
    made = aggregate(votes, scheme.size, method)
    return text, _labelled(text, scheme, made.labels, made.probs)


def write_labelled(
    path: str | os.PathLike[str], text: Sequence[Sentence], made: SourcePredictions
) -> None:
    """Write labels as CoNLL or JSONL, or labels and probabilities as Parquet, by the extension."""
    name = os.fspath(path)
    if name.endswith(".parquet"):
        write_predictions(path, made)
        return
    write = write_jsonl if name.endswith((".jsonl", ".jsonl.gz")) else write_conll
    write(name, text, _names(made))


def score_predictions(
    gold: Sequence[Sentence], predicted: SourcePredictions, task: str | None
) -> dict[str, Any]:
    """Scores of a prediction file; a word without a prediction counts as wrong."""
    return metrics.score(gold_labels(gold, "--gold"), _names(predicted), task)


def _names(made: SourcePredictions) -> list[tuple[str, ...]]:
    return labels_by_sentence(made.label_names, made.words, made.labels)


def _labelled(text: Sequence[Sentence], scheme: LabelScheme, labels, probs) -> SourcePredictions:
    return SourcePredictions(
        label_names=scheme.names,
        labels=np.asarray(labels, np.int32),
        probs=np.asarray(probs, np.float16),
        words=tuple(sentence.words for sentence in text),
    )
