"""A whole transfer: sources, text and encoder in, a trained tagger and its table out."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from absl import logging

from zsl_jax.data.predictions import SourcePredictions, source_votes
from zsl_jax.data.source_predictions import joined_about
from zsl_jax.data.stored_rows import cut_rows, stored_rows
from zsl_jax.data.text_parts import TextPart
from zsl_jax.errors import InputError
from zsl_jax.io.run_folder import RunFolder
from zsl_jax.labels import Alphabet, LabelScheme, check_kinds, common_alphabet
from zsl_jax.training import hosts
from zsl_jax.training.chain import agreement_with_posterior
from zsl_jax.training.config import Approach, TrainConfig
from zsl_jax.types import Sentence, SourceVotes
from zsl_jax.workflows.chain_model import text_words
from zsl_jax.workflows.frozen_layers import through_frozen_layers
from zsl_jax.workflows.recording import recorded
from zsl_jax.workflows.resuming import Saving
from zsl_jax.workflows.source_types import compare_sources
from zsl_jax.workflows.sources import Source, label_sets, source_predictions
from zsl_jax.workflows.starting_point import AUTO, ENCODER, choose_start, epochs_for
from zsl_jax.workflows.supervised import train_supervised
from zsl_jax.workflows.tagging import LoadedTagger, encode_text, save_tagger
from zsl_jax.workflows.transfer import Text, Transferred, train_target, with_chain

GOLD_WORDS = "gold words"


class Experiment(NamedTuple):
    """What every approach is trained on.

    Attributes:
      start: The encoder.
      names: The sources' names.
      alphabet: The labels that the sources give.
      text: The text in subwords, and the sources' predictions for it.
      sentences: The same text, part by part.
      models: By name, the folders (or hub names) of sources whose training could go on with the
        target's labels.
    """

    start: LoadedTagger
    names: tuple[str, ...]
    alphabet: Alphabet
    text: Text
    sentences: Sequence[Sequence[Sentence]] = ()
    models: Mapping[str, str] = MappingProxyType({})

    @property
    def scheme(self) -> LabelScheme:
        """The target's labels."""
        return self.alphabet.scheme


def predictions_of(
    sources: Sequence[Source], text: TextPart, cache: Path, row_length: int
) -> dict[str, SourcePredictions]:
    """All sources' predictions for (a part of) a text, by name; models annotate it first."""
    return {source.name: source_predictions(source, text, cache, row_length) for source in sources}


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
        save_tagger(source.path, train_supervised(encoder, sentences, config, hooks, run.cache))


def prepare_experiment(
    start: LoadedTagger,
    parts: Sequence[Sequence[Sentence]],
    predictions: Sequence[Mapping[str, SourcePredictions]],
    row_length: int,
    folder: Path | None = None,
    gold_words: Sequence[SourcePredictions] = (),
    models: Mapping[str, str] = MappingProxyType({}),
) -> Experiment:
    """Put the sources' predictions into one label scheme, and the text into subwords.

    Args:
      start: The encoder.
      parts: This process's parts of the text.
      predictions: For each part, the sources' predictions by name.
      row_length: Subwords of a row.
      folder: Where the sources' probabilities go while they are needed; None keeps them in memory.
      gold_words: For each part, the words whose label the user knows, as a source that is right
        about them and abstains elsewhere; none by default.
      models: As in `Experiment`, see `trainable_models`.

    Returns:
      What every approach is trained on. A source has a label if it has it for any part.
    """
    names = tuple(predictions[0])
    label_names = _label_names(names, predictions)
    check_kinds(dict(zip(names, label_names, strict=True)))
    compare_sources(predictions)
    known_names = _label_names([GOLD_WORDS], [{GOLD_WORDS: made} for made in gold_words])
    sets = label_sets(predictions[0].values())
    alphabet = common_alphabet([*label_names, *known_names], sets)
    logging.info("the target's labels: %s", ", ".join(alphabet.scheme.names))
    soft = any(hosts.gather(_any_soft(predictions)))
    votes = [
        source_votes(list(part.values()), alphabet, names, folder, soft) for part in predictions
    ]
    probs = [part.probs for part in votes if part.probs is not None]
    known = [
        source_votes([made._replace(probs=None)], alphabet, [GOLD_WORDS]).labels[:, 0]
        for made in gold_words
    ]
    joined = SourceVotes(
        labels=np.concatenate([part.labels for part in votes]),
        probs=_joined(probs, folder) if probs else None,
        can_mean=np.stack([alphabet.can_mean(own) for own in label_names]),
        first_targets=alphabet.first_targets,
        known=np.concatenate(known) if known else None,
        silent=alphabet.silent,
    )
    if not hosts.total((joined.labels >= 0).any()):
        raise InputError(
            "no source predicts a label for any word of the text; check that the sources and the "
            "text belong together"
        )
    windows = [encode_text(start, part, row_length) for part in parts]
    text = Text(windows, joined, text_words(parts))
    return Experiment(start, names, alphabet, text, parts, models)


def trainable_models(sources: Sequence[Source]) -> dict[str, str]:
    """Those sources by name that are model folders with the target's names for their labels."""
    return {s.name: s.path for s in sources if s.is_model and s.label_map is None}


def made_ready(
    experiment: Experiment, config: TrainConfig, run: RunFolder
) -> tuple[Experiment, TrainConfig]:
    """Fits the label model, chooses where training starts, and runs the frozen layers.

    All processes call it.

    Args:
      experiment: What every approach is trained on.
      config: Of one approach.
      run: Keeps the output of frozen layers.

    Returns:
      The experiment as this approach sees it, and the config with the number of epochs.
    """
    words = int(hosts.total(sum(part.num_words for part in experiment.text.parts)))
    experiment, config = planned(experiment, config, words)
    if config.approach is Approach.DIRECT:
        return experiment, config
    return behind_frozen_layers(experiment, config, run), config


def planned(
    experiment: Experiment, config: TrainConfig, num_words: int
) -> tuple[Experiment, TrainConfig]:
    """Fits the label model, and chooses where training starts and for how many epochs.

    All processes call it.

    Args:
      experiment: What every approach is trained on.
      config: Of one approach.
      num_words: Of the text in all processes.

    Returns:
      The experiment with its label model and start, and the config with the number of epochs.
    """
    if config.approach is Approach.DIRECT:
        return experiment, config
    experiment = experiment._replace(text=with_chain(experiment.text, experiment.scheme, config))
    experiment = _with_start(experiment, config)
    if config.chain is not None and config.epochs is None:
        from_source = experiment.start.scheme == experiment.scheme
        config = dataclasses.replace(config, epochs=epochs_for(num_words, from_source))
        logging.info("%d epochs per round for %d words", config.epochs_per_round, num_words)
    return experiment, config


def _with_start(experiment: Experiment, config: TrainConfig) -> Experiment:
    """The experiment with the start that `config.init` asks for."""
    chain, ranked = experiment.text.chain, []
    init = ENCODER if config.init == AUTO and chain is None else config.init
    if chain is not None and init == AUTO:
        agreement = agreement_with_posterior(chain.text, chain.labels, chain.found.posterior)
        order = np.argsort(-agreement, kind="stable")
        ranked = [experiment.names[place] for place in order]
    before, scheme = experiment.start, experiment.scheme
    start = choose_start(before, experiment.models, ranked, scheme, init, config.seed)
    if start is before:
        return experiment
    windows = [encode_text(start, part, config.row_length) for part in experiment.sentences]
    return experiment._replace(start=start, text=experiment.text._replace(parts=windows))


def behind_frozen_layers(experiment: Experiment, config: TrainConfig, run: RunFolder) -> Experiment:
    """The experiment with the frozen layers run over its text, once for all approaches.

    Without `trainable_layers` it stays as it is.
    """
    start, text = experiment.start, experiment.text
    parts, states = through_frozen_layers(start, text.parts, config, run.cache)
    return experiment._replace(text=text._replace(parts=parts, states=states))


def _any_soft(predictions: Sequence[Mapping[str, SourcePredictions]]) -> bool:
    """Whether some source has probabilities for some part; those without are named in the log."""
    hard = {n for part in predictions for n, made in part.items() if made.probs is None}
    soft = {n for part in predictions for n, made in part.items() if made.probs is not None}
    if soft and hard:
        names = ", ".join(sorted(hard))
        logging.warning(
            "sources without probabilities: %s; where others' are used, their labels count as "
            "certain and may outweigh them (--predictions=hard takes everybody's labels)", names
        )  # fmt: skip
    return bool(soft)


def _joined(tables: Sequence[np.ndarray], folder: Path | None) -> np.ndarray:
    """All rows; the table itself where there is one."""
    if len(tables) == 1:
        return tables[0]
    rows = (block for table in tables for block in cut_rows(table))
    return stored_rows(rows, tables[0].shape[1:], folder)


def _label_names(
    names: Sequence[str], predictions: Sequence[Mapping[str, SourcePredictions]]
) -> list[set[str]]:
    """The labels that each source has in any part in any process."""
    own = [[list(part[name].label_names) for part in predictions] for name in names]
    found = hosts.gather(own)
    return [
        {label for process in found for part in process[place] for label in part}
        for place in range(len(names))
    ]


def labels_read(parts: Sequence[Mapping[str, SourcePredictions]]) -> dict[str, dict[str, Any]]:
    """How each source's labels were read, with counts over all parts; every process calls it.

    Args:
      parts: For each part of the text in this process, the sources' predictions by name.
    """
    own = [{name: dict(made.about) for name, made in part.items()} for part in parts]
    everywhere = [part for process in hosts.gather(own) for part in process]
    return {name: joined_about([part[name] for part in everywhere]) for name in parts[0]}


def run_approach(
    experiment: Experiment,
    config: TrainConfig,
    run: RunFolder,
    title: str,
    saving: Saving | None = None,
) -> Transferred:
    """Train by one approach, with progress and metrics; with `saving`, it can be interrupted."""
    names, text = experiment.names, experiment.text
    copies = len(names) if config.approach is Approach.HARD_CAT else 1
    words = int(hosts.total(sum(part.num_words for part in text.parts)))
    with recorded(run, title, config.passes * words * copies, text.votes, names) as hooks:
        return train_target(experiment.start, experiment.scheme, text, config, hooks, saving)
