"""A whole transfer: sources, text and encoder in, a trained tagger and its table out."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from zsl_jax.data.predictions import SourcePredictions, source_votes
from zsl_jax.data.subwords import Windows
from zsl_jax.evaluation import diagnosis
from zsl_jax.io.label_model import LabelModel, save_label_model
from zsl_jax.io.run_folder import RunFolder
from zsl_jax.labels import LabelScheme
from zsl_jax.training.config import Approach, TrainConfig
from zsl_jax.types import Sentence, SourceVotes
from zsl_jax.workflows.recording import recorded
from zsl_jax.workflows.sources import Source, abstaining, common_scheme, source_predictions
from zsl_jax.workflows.supervised import train_supervised
from zsl_jax.workflows.table import Row, baseline_rows, score_ids
from zsl_jax.workflows.tagging import (
    LoadedTagger,
    encode_text,
    predict_log_probs,
    save_tagger,
)
from zsl_jax.workflows.transfer import Transferred, posterior_of, train_target


class Experiment(NamedTuple):
    """What every approach is trained on.

    Attributes:
      start: The encoder.
      names: The sources' names.
      scheme: The target's labels.
      windows: The text in subwords.
      votes: The sources' predictions for it.
    """

    start: LoadedTagger
    names: tuple[str, ...]
    scheme: LabelScheme
    windows: Windows
    votes: SourceVotes


class Test(NamedTuple):
    """Labelled text for the table; only scores are computed from its labels.

    Attributes:
      gold: The labelled sentences.
      votes: The sources' predictions for them; -1 where a source has none.
      task: Which score counts: "pos", "ner", "plain", or None to tell from the labels.
    """

    gold: Sequence[Sentence]
    votes: SourceVotes
    task: str | None


def predictions_of(
    sources: Sequence[Source], sentences: Sequence[Sentence], cache: Path, row_length: int
) -> dict[str, SourcePredictions]:
    """All sources' predictions for a text, by name; models annotate it first."""
    return {
        source.name: source_predictions(source, sentences, cache, row_length) for source in sources
    }


def train_source(
    encoder: LoadedTagger,
    source: Source,
    sentences: Sequence[Sentence],
    config: TrainConfig,
    run: RunFolder,
) -> None:
    """Train a source tagger on labelled text and write its model folder."""
    words = config.passes * sum(len(sentence.words) for sentence in sentences)
    with recorded(run, f"source {source.name}", words) as hooks:
        save_tagger(source.path, train_supervised(encoder, sentences, config, hooks))


def prepare_experiment(
    start: LoadedTagger,
    text: Sequence[Sentence],
    predictions: Mapping[str, SourcePredictions],
    row_length: int,
) -> Experiment:
    """Put the sources' predictions into one label scheme, and the text into subwords."""
    scheme = common_scheme(list(predictions.values()))
    names = tuple(predictions)
    votes = source_votes(list(predictions.values()), scheme, names)
    return Experiment(start, names, scheme, encode_text(start, text, row_length), votes)


def prepare_test(
    experiment: Experiment,
    gold: Sequence[Sentence],
    predictions: Mapping[str, SourcePredictions],
    task: str | None,
) -> Test:
    """The test text with the predictions of the sources that have any for it."""
    silent = abstaining(gold, experiment.scheme)
    found = [predictions.get(name, silent) for name in experiment.names]
    return Test(gold, source_votes(found, experiment.scheme, experiment.names), task)


def run_approach(
    experiment: Experiment, config: TrainConfig, run: RunFolder, title: str
) -> Transferred:
    """Train by one approach, with progress and metrics."""
    copies = len(experiment.names) if config.approach is Approach.HARD_CAT else 1
    words = config.passes * experiment.windows.num_words * copies
    with recorded(run, title, words, experiment.votes, experiment.names) as hooks:
        return train_target(
            experiment.start,
            experiment.scheme,
            experiment.windows,
            experiment.votes,
            config,
            hooks,
        )


def baselines(experiment: Experiment, test: Test) -> list[Row]:
    """The rows that need no training: each source, majority, mean and Dawid-Skene."""
    return baseline_rows(
        experiment.names, experiment.votes, test.votes, experiment.scheme, test.gold, test.task
    )


def approach_rows(
    experiment: Experiment, done: Transferred, test: Test, config: TrainConfig, title: str
) -> list[Row]:
    """The rows of one trained approach: by the tagger alone, and by Q where there is a φ."""
    log_probs = predict_log_probs(done.tagger, test.gold, config.row_length)
    scores = score_ids(log_probs.argmax(-1), experiment.scheme, test.gold, test.task)
    rows = [Row(title, "P", scores)]
    if done.log_confusion is not None and (test.votes.labels >= 0).any():
        ids = posterior_of(done, log_probs, test.votes, config).argmax(-1)
        rows.append(Row(title, "Q", score_ids(ids, experiment.scheme, test.gold, test.task)))
    return rows


def save_sources(
    folder: str, experiment: Experiment, done: Transferred, config: TrainConfig
) -> None:
    """Write φ and what belongs to it beside the tagger."""
    assert done.log_confusion is not None
    weights = config.label_model.weights
    model = LabelModel(
        experiment.names,
        experiment.scheme.names,
        done.log_confusion,
        weights.prior,
        weights.source,
        config.predictions,
    )
    save_label_model(folder, model)


def source_report(experiment: Experiment, done: Transferred) -> diagnosis.Diagnosis | None:
    """What was learned of each source, with warnings; None without a label model."""
    if done.posterior is None:
        return None
    return diagnosis.diagnose(
        experiment.names,
        experiment.scheme.names,
        done.log_confusion,
        done.posterior,
        experiment.votes,
    )
