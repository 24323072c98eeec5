"""The steps of a transfer up to a trained tagger: inputs made ready, then one approach trained.

`transfer_run` goes from there: it labels the text, scores the test, and writes the results.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from absl import logging

from zsl_jax.data.predictions.memmap import cut_rows, to_memmap
from zsl_jax.data.predictions.source_predictions import SourcePredictions, joined_about
from zsl_jax.data.predictions.votes import NO_VOTES, source_votes
from zsl_jax.data.text_shard import TextShard
from zsl_jax.errors import InputError
from zsl_jax.io.run_folder import RunFolder
from zsl_jax.labels import LabelSet, SourceLabels, check_kinds, common_source_labels
from zsl_jax.runtime import processes
from zsl_jax.training.chain_fit import agreement_with_posterior
from zsl_jax.training.config import TransferConfig
from zsl_jax.training.config_choices import Approach
from zsl_jax.types import Sentence, SourceVotes
from zsl_jax.workflows.approaches import TrainedTarget, TransferCorpus, train_target, with_chain
from zsl_jax.workflows.chain_model import text_words
from zsl_jax.workflows.frozen_cache import SharedLayers, precompute_frozen
from zsl_jax.workflows.gold_words import read_gold_words
from zsl_jax.workflows.loaded_tagger import LoadedTagger, encode_text
from zsl_jax.workflows.resumable_training import Saving
from zsl_jax.workflows.run_hooks import recorded
from zsl_jax.workflows.size_defaults import with_epochs
from zsl_jax.workflows.source_annotation import source_predictions
from zsl_jax.workflows.source_conversion import label_sets
from zsl_jax.workflows.source_differences import compare_sources
from zsl_jax.workflows.sources import Source
from zsl_jax.workflows.starting_point import AUTO, ENCODER, choose_start

GOLD_WORDS = "gold words"


class TransferTask(NamedTuple):
    """The task that all approaches share: a text, its sources and a start.

    Attributes:
      start: The encoder.
      names: The sources' names.
      source_labels: The labels that the sources give.
      text: The text in subwords, and the sources' predictions for it.
      sentences: The same text, shard by shard.
      models: By name, the folders (or hub names) of sources whose training could continue with the
        target's labels.
      labels_read: By name, how each source's labels were read, with counts over all shards.
    """

    start: LoadedTagger
    names: tuple[str, ...]
    source_labels: SourceLabels
    text: TransferCorpus
    sentences: Sequence[Sequence[Sentence]] = ()
    models: Mapping[str, str] = MappingProxyType({})
    labels_read: Mapping[str, Mapping[str, Any]] = MappingProxyType({})

    @property
    def label_set(self) -> LabelSet:
        """The target's labels."""
        return self.source_labels.label_set


def predictions_of(
    sources: Sequence[Source],
    texts: Sequence[TextShard],
    cache: Path,
    row_length: int,
    shared: SharedLayers | None = None,
) -> list[dict[str, SourcePredictions]]:
    """All sources' predictions for each text (or shard), by name; models annotate them first."""
    found = {s.name: source_predictions(s, texts, cache, row_length, shared) for s in sources}
    return [{name: made[place] for name, made in found.items()} for place in range(len(texts))]


def annotated_task(
    start: LoadedTagger,
    sources: Sequence[Source],
    text: Sequence[TextShard],
    row_length: int,
    cache: Path,
    gold_words: str | None = None,
) -> TransferTask:
    """Lets the sources annotate a text, and prepares the transfer; all processes call it.

    Args:
      start: The encoder.
      sources: Prediction files, or models and pipelines.
      text: This process's shards.
      row_length: Subwords in a packed row.
      cache: Folder of the sources' predictions.
      gold_words: A file of labels that the user knows, see `read_gold_words`.
    """
    predictions = predictions_of(sources, text, cache, row_length)
    gold = read_gold_words(gold_words, text, predictions) if gold_words else ()
    sentences, models = [shard.sentences for shard in text], trainable_models(sources)
    return prepare_transfer(start, sentences, predictions, row_length, cache, gold, models)


def prepare_transfer(
    start: LoadedTagger,
    shards: Sequence[Sequence[Sentence]],
    predictions: Sequence[Mapping[str, SourcePredictions]],
    row_length: int,
    folder: Path | None = None,
    gold_words: Sequence[SourcePredictions] = (),
    models: Mapping[str, str] = MappingProxyType({}),
) -> TransferTask:
    """Puts the sources' predictions into one label set, and the text into subwords.

    Args:
      start: The encoder.
      shards: This process's shards of the text.
      predictions: For each shard, the sources' predictions by name.
      row_length: Subwords of a row.
      folder: Where the sources' probabilities go while they are needed; None keeps them in memory.
      gold_words: For each shard, the words whose label the user knows, as a source that is right
        about them and abstains elsewhere; none by default.
      models: As in `TransferTask`, see `trainable_models`.

    Returns:
      The task. A source has a label if it has it for any shard.
    """
    names = tuple(predictions[0])
    label_names = _label_names(names, predictions)
    check_kinds(dict(zip(names, label_names, strict=True)))
    compare_sources(predictions)
    gold_names = _label_names([GOLD_WORDS], [{GOLD_WORDS: made} for made in gold_words])
    sets = label_sets(predictions[0].values())
    source_labels = common_source_labels([*label_names, *gold_names], sets)
    logging.info("the target's labels: %s", ", ".join(source_labels.label_set.names))
    soft = any(processes.gather(_any_soft(predictions)))
    votes = [
        source_votes(list(shard.values()), source_labels, names, folder, soft)
        for shard in predictions
    ]
    probs = [shard.probs for shard in votes if shard.probs is not None]
    gold = [
        source_votes([made._replace(probs=None)], source_labels, [GOLD_WORDS]).labels[:, 0]
        for made in gold_words
    ]
    joined = SourceVotes(
        labels=np.concatenate([shard.labels for shard in votes]),
        probs=_joined(probs, folder) if probs else None,
        compatible=np.stack([source_labels.compatible(own) for own in label_names]),
        first_targets=source_labels.first_targets,
        gold=np.concatenate(gold) if gold else None,
        silent=source_labels.silent,
    )
    if not processes.total((joined.labels >= 0).any()):
        raise InputError(NO_VOTES)
    windows = [encode_text(start, shard, row_length) for shard in shards]
    text = TransferCorpus(windows, joined, text_words(shards, source_labels.label_set))
    read = _labels_read(predictions)
    return TransferTask(start, names, source_labels, text, shards, models, read)


def trainable_models(sources: Sequence[Source]) -> dict[str, str]:
    """Those sources by name that are model folders with the target's names for their labels."""
    return {s.name: s.path for s in sources if s.is_model and s.label_map is None}


def made_ready(
    transfer_task: TransferTask, config: TransferConfig, run: RunFolder
) -> tuple[TransferTask, TransferConfig]:
    """Does what `planned` does for the text of all processes, and runs the frozen layers.

    Args:
      transfer_task: As for `planned`.
      config: As for `planned`.
      run: Keeps the output of frozen layers.

    Returns:
      As from `planned`; the task has the output of its frozen layers.
    """
    words = int(processes.total(sum(shard.num_words for shard in transfer_task.text.shards)))
    transfer_task, config = planned(transfer_task, config, words)
    if config.approach is Approach.DIRECT:
        return transfer_task, config
    return with_frozen_features(transfer_task, config, run), config


def planned(
    transfer_task: TransferTask, config: TransferConfig, num_words: int
) -> tuple[TransferTask, TransferConfig]:
    """Fits the label model, and chooses where training starts and for how many epochs.

    All processes call it.

    Args:
      transfer_task: The task that all approaches share.
      config: The settings of one approach.
      num_words: Of the text in all processes.

    Returns:
      The task with its label model and start, and the config with the number of epochs.
    """
    if config.approach is Approach.DIRECT:
        return transfer_task, config
    transfer_task = transfer_task._replace(
        text=with_chain(transfer_task.text, transfer_task.label_set, config)
    )
    transfer_task = _with_start(transfer_task, config)
    from_source = transfer_task.start.label_set == transfer_task.label_set
    config = with_epochs(config, num_words, from_source)
    logging.info(
        "%d rounds of %d epochs for %d words", config.num_rounds, config.epochs_per_round, num_words
    )
    return transfer_task, config


def _with_start(transfer_task: TransferTask, config: TransferConfig) -> TransferTask:
    """The task with the start that `config.init` asks for."""
    chain, ranked = transfer_task.text.chain, []
    init = ENCODER if config.init == AUTO and chain is None else config.init
    if chain is not None and init == AUTO:
        agreement = agreement_with_posterior(chain.text, chain.labels, chain.result.posterior)
        order = np.argsort(-agreement, kind="stable")
        ranked = [transfer_task.names[place] for place in order]
    before, label_set = transfer_task.start, transfer_task.label_set
    start = choose_start(before, transfer_task.models, ranked, label_set, init, config.seed)
    if start is before:
        return transfer_task
    windows = [encode_text(start, shard, config.row_length) for shard in transfer_task.sentences]
    return transfer_task._replace(start=start, text=transfer_task.text._replace(shards=windows))


def with_frozen_features(
    transfer_task: TransferTask, config: TransferConfig, run: RunFolder
) -> TransferTask:
    """The task with the frozen layers run over its text, once for all approaches.

    Without `trainable_layers` it stays as it is.
    """
    start, text = transfer_task.start, transfer_task.text
    shards, states = precompute_frozen(start, text.shards, config, run.cache)
    return transfer_task._replace(text=text._replace(shards=shards, states=states))


def _any_soft(predictions: Sequence[Mapping[str, SourcePredictions]]) -> bool:
    """Whether some source has probabilities for some shard; those without are named in the log."""
    hard = {n for shard in predictions for n, made in shard.items() if made.probs is None}
    soft = {n for shard in predictions for n, made in shard.items() if made.probs is not None}
    if soft and hard:
        names = ", ".join(sorted(hard))
        logging.warning(
            "sources without probabilities: %s; where others' are used, their labels count as "
            "certain and may outweigh them (`predictions`=hard uses all sources' labels)", names
        )  # fmt: skip
    return bool(soft)


def _joined(tables: Sequence[np.ndarray], folder: Path | None) -> np.ndarray:
    """All rows; the table itself where there is one."""
    if len(tables) == 1:
        return tables[0]
    rows = (block for table in tables for block in cut_rows(table))
    return to_memmap(rows, tables[0].shape[1:], folder)


def _label_names(
    names: Sequence[str], predictions: Sequence[Mapping[str, SourcePredictions]]
) -> list[set[str]]:
    """The labels that each source has in any shard in any process."""
    own = [[list(shard[name].label_names) for shard in predictions] for name in names]
    found = processes.gather(own)
    return [
        {label for process in found for shard in process[place] for label in shard}
        for place in range(len(names))
    ]


def _labels_read(
    shards: Sequence[Mapping[str, SourcePredictions]],
) -> dict[str, dict[str, Any]]:
    """How each source's labels were read, with counts over the shards of all processes."""
    own = [{name: dict(made.about) for name, made in shard.items()} for shard in shards]
    everywhere = [shard for process in processes.gather(own) for shard in process]
    return {name: joined_about([shard[name] for shard in everywhere]) for name in shards[0]}


def run_approach(
    transfer_task: TransferTask,
    config: TransferConfig,
    run: RunFolder,
    title: str,
    saving: Saving | None = None,
) -> TrainedTarget:
    """Trains by one approach, with progress and metrics; with `saving`, it can be interrupted."""
    names, text = transfer_task.names, transfer_task.text
    copies = len(names) if config.approach is Approach.HARD_CAT else 1
    words = int(processes.total(sum(shard.num_words for shard in text.shards)))
    with recorded(run, title, config.passes * words * copies, text.votes, names) as hooks:
        return train_target(
            transfer_task.start, transfer_task.label_set, text, config, hooks, saving
        )
