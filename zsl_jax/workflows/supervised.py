"""Supervised training: labelled text in, a source model out."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from absl import logging
from jaxtyping import Float

from zsl_jax.evaluation import metrics
from zsl_jax.evaluation.warning_signs import one_label_warning
from zsl_jax.io.run_folder import RunFolder
from zsl_jax.labels import LabelSet
from zsl_jax.training import loop, setup
from zsl_jax.training.config import TrainConfig
from zsl_jax.training.hooks import Hooks
from zsl_jax.training.state import TrainState
from zsl_jax.types import Sentence
from zsl_jax.workflows.frozen_cache import precompute_frozen
from zsl_jax.workflows.labelled_text import labels_by_sentence
from zsl_jax.workflows.loaded_tagger import (
    LoadedTagger,
    encode_text,
    gold_labels,
    predict_windows,
    save_tagger,
)
from zsl_jax.workflows.run_hooks import recorded
from zsl_jax.workflows.sources import Source
from zsl_jax.workflows.trainable_part import assemble_tagger, set_up_training, trained_part


class Dev(NamedTuple):
    """Labelled text that chooses among the epochs.

    Attributes:
      sentences: The text.
      on_scores: Called with the number of an epoch and its scores.
      task: Which score counts; None infers it from the labels.
    """

    sentences: Sequence[Sentence]
    on_scores: Callable[[int, dict[str, Any]], Any] = lambda epoch, scores: None
    task: str | None = None


def train_supervised(
    encoder: LoadedTagger,
    sentences: Sequence[Sentence],
    config: TrainConfig,
    hooks: Hooks,
    cache: Path,
    dev: Dev | None = None,
) -> LoadedTagger:
    """Cross-entropy on gold labels; with `dev`, the epoch that scores best there is returned.

    Args:
      encoder: Where training starts.
      sentences: Labelled text.
      config: Its epochs are passes over the text.
      hooks: Called on every step and epoch.
      cache: Folder of the frozen layers' output; nothing is written where there are none.
      dev: Labelled text that chooses among the epochs.

    Returns:
      The trained tagger.
    """
    labels = gold_labels(sentences, "the training text")
    label_set = LabelSet.from_labels(labels)
    ids = label_set.encode([name for names in labels for name in names], "the training text")
    target = np.eye(label_set.size, dtype=bool)[ids]
    windows = encode_text(encoder, sentences, config.row_length)
    shards, states = precompute_frozen(encoder, [windows], config, cache)
    fit = set_up_training(encoder, label_set, shards, config, states=states)
    best: tuple[float, LoadedTagger | None, str] = (-1.0, None, "")
    if dev is not None:
        dev_windows = encode_text(encoder, dev.sentences, config.row_length)
        dev_text = precompute_frozen(encoder, [dev_windows], config, cache)

    def on_epoch(epoch: int, state: TrainState) -> None:
        nonlocal best
        hooks.on_epoch(epoch, state)
        if dev is not None:
            params = fit.training.devices.fetch(state.params)
            tagger = assemble_tagger(encoder, fit, params, label_set)
            upper = tagger if dev_text.states is None else trained_part(tagger, fit, params)
            log_probs = predict_windows(
                upper, dev_text.shards[0], config.row_length, dev_text.states
            )
            gold, predicted = _labels(log_probs, label_set, dev)
            scores = metrics.score(gold, predicted, dev.task)
            dev.on_scores(epoch, scores)
            warning = one_label_warning(gold, predicted)
            best = max(best, (scores["score"], tagger, warning), key=lambda kept: kept[0])

    training = fit.training._replace(hooks=hooks._replace(on_epoch=on_epoch))
    state = loop.distil(training, setup.ResumePoint(fit.state), target)
    _, tagger, warning = best
    if warning:
        logging.warning("%s", warning)
    return tagger or assemble_tagger(encoder, fit, state.params, label_set)


def train_source(
    encoder: LoadedTagger,
    source: Source,
    sentences: Sequence[Sentence],
    config: TrainConfig,
    run: RunFolder,
) -> None:
    """Trains a source tagger on labelled text and writes its model folder."""
    words = config.passes * sum(len(sentence.words) for sentence in sentences)
    with recorded(run, f"source {source.name}", words) as hooks:
        save_tagger(source.path, train_supervised(encoder, sentences, config, hooks, run.cache))


def _labels(
    log_probs: Float[np.ndarray, "N K"], label_set: LabelSet, dev: Dev
) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """Gold and predicted labels of `dev`, per sentence."""
    words = [sentence.words for sentence in dev.sentences]
    predicted = labels_by_sentence(label_set.names, words, log_probs.argmax(-1))
    return gold_labels(dev.sentences, "`dev`"), predicted
