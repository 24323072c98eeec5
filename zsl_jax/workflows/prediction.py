"""Labels for a text: by the tagger, by the posterior, or by aggregation, and their files."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from absl import logging

from zsl_jax.data.bio import bio_predictions
from zsl_jax.data.predictions import (
    SourcePredictions,
    check_words,
    read_predictions,
    source_votes,
    write_predictions,
)
from zsl_jax.data.writers import write_conll, write_jsonl, write_spans
from zsl_jax.errors import InputError
from zsl_jax.io.label_model import LabelModel, read_label_model
from zsl_jax.labels import LabelScheme, common_alphabet
from zsl_jax.training.config import JointWeights
from zsl_jax.training.expectation import label_posterior
from zsl_jax.types import Sentence
from zsl_jax.workflows.aggregation import aggregate
from zsl_jax.workflows.decoding import decode
from zsl_jax.workflows.sources import Source, in_target_labels, label_sets
from zsl_jax.workflows.tagging import (
    LoadedTagger,
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
    decoding: str = "argmax",
) -> SourcePredictions:
    """Probabilities of a text: P without sources, Q with all of the label model's sources.

    Args:
      tagger: The tagger.
      text: The text.
      predictions: The sources' predictions for it, by name.
      row_length: Subwords in a packed row.
      decoding: How labels follow from probabilities, see `decoding.decode`.

    Returns:
      Labels, and the probabilities of each word by itself: under "viterbi", a label need not be the
      most probable one of its word. `about` says which probabilities and which decoding.

    Raises:
      InputError: The sources given are not those that the tagger was trained with.
    """
    scheme = require_head(tagger)
    log_probs = predict_log_probs(tagger, text, row_length)
    probs = np.exp(log_probs)
    if predictions:
        model = read_label_model(tagger.path)
        probs = _posterior(model, scheme, log_probs, predictions, tagger.path)
    labels = decode(probs, scheme, [sentence.words for sentence in text], decoding)
    about = {"labels_from": "Q" if predictions else "P", "decode": decoding}
    return _labelled(text, scheme, labels, probs)._replace(about=about)


def _posterior(
    model: LabelModel, scheme: LabelScheme, log_probs, predictions, where: str
) -> np.ndarray:
    if set(predictions) != set(model.source_names):
        raise InputError(
            f"--source names {', '.join(predictions)}, but {where} was trained with "
            f"{', '.join(model.source_names)}; give exactly these (a source may abstain)"
        )
    assert model.alphabet.scheme == scheme
    found = [predictions[name] for name in model.source_names]
    votes = source_votes(found, model.alphabet, model.source_names)
    weights = JointWeights(model.prior_weight, model.source_weight)
    evidence = evidence_of(votes, model.predictions)
    return label_posterior(weights, log_probs, evidence, model.log_confusion).posterior


def aggregate_files(
    sources: Sequence[Source], method: str
) -> tuple[list[Sentence], SourcePredictions]:
    """Aggregate prediction files of one text, which the first of them holds."""
    if not sources:
        raise InputError("--source is missing: name at least one, as --source=NAME=FILE")
    for source in sources:
        if not source.is_file or len(source.files) > 1:
            raise InputError(
                f"--source={source.name}={source.path} is not one file of predictions; let a model "
                "annotate the text with launch.annotate, and name the file"
            )
    text = [Sentence(tuple(words)) for words in read_predictions(sources[0].path).words]
    if not text:
        raise InputError(
            f"--source={sources[0].name}={sources[0].path} holds no predictions; check that it is "
            "the file you meant"
        )
    found = []
    for source in sources:
        predictions = read_predictions(source.path, text)
        check_words(predictions, text, source.path)
        found.append(in_target_labels(source, predictions))
    names = [predictions.label_names for predictions in found]
    alphabet = common_alphabet(names, label_sets(found))
    votes = source_votes(found, alphabet, [source.name for source in sources])
    scheme = alphabet.scheme
    made = aggregate(votes, scheme.size, method)
    about = {"labels_from": "votes", "method": method}
    return text, _labelled(text, scheme, made.labels, made.probs)._replace(about=about)


def read_to_score(path: str, gold: Sequence[Sentence]) -> SourcePredictions:
    """Predictions for a labelled text, as they are scored: in BIO, but not repaired.

    IOB1, BIOES and IO are converted; BIO is left with its faults, which strict scores count.
    """
    found = read_predictions(path, gold)
    check_words(found, gold, path)
    turned = bio_predictions(found)
    logging.info("%s: labels read as %s", path, turned.about["scheme"])
    return found if turned.about["scheme"] == "bio" else turned


def write_labelled(
    path: str | os.PathLike[str],
    text: Sequence[Sentence],
    made: SourcePredictions,
    output_format: str | None = None,
) -> None:
    """Write labels as CoNLL, JSONL or spans, or labels and probabilities as Parquet.

    The extension tells which, unless `output_format` does: "conll", "jsonl", "spans" or "parquet".
    """
    name = os.fspath(path)
    if output_format is None:
        suffix = Path(name.removesuffix(".gz")).suffix
        output_format = {".parquet": "parquet", ".jsonl": "jsonl"}.get(suffix, "conll")
    if output_format == "parquet":
        write_predictions(path, made)
    elif output_format == "spans":
        write_spans(name, text, _names(made), _scores(made))
    else:
        {"conll": write_conll, "jsonl": write_jsonl}[output_format](name, text, _names(made))


def _names(made: SourcePredictions) -> list[tuple[str, ...]]:
    return labels_by_sentence(made.label_names, made.words, made.labels)


def _scores(made: SourcePredictions) -> list[list[float]] | None:
    """The probability of each word's label, by sentence; 0 where there is no label."""
    if made.probs is None:
        return None
    best = np.take_along_axis(made.probs, np.maximum(made.labels, 0)[:, None], axis=1)[:, 0]
    flat = iter(np.where(made.labels < 0, 0, best).tolist())
    return [[next(flat) for _ in words] for words in made.words]


def _labelled(text: Sequence[Sentence], scheme: LabelScheme, labels, probs) -> SourcePredictions:
    return SourcePredictions(
        label_names=scheme.names,
        labels=np.asarray(labels, np.int32),
        probs=np.asarray(probs, np.float16),
        words=tuple(sentence.words for sentence in text),
    )
