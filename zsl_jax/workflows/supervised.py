"""Supervised training: labelled text in, a source model out."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from zsl_jax.evaluation import metrics
from zsl_jax.labels import LabelScheme
from zsl_jax.training import em, setup
from zsl_jax.training.config import TrainConfig
from zsl_jax.training.records import Hooks
from zsl_jax.training.state import TrainState
from zsl_jax.types import Sentence
from zsl_jax.workflows.fitting import finished, start_fit
from zsl_jax.workflows.labelled_text import labels_by_sentence
from zsl_jax.workflows.tagging import (
    LoadedTagger,
    encode_text,
    gold_labels,
    predict_log_probs,
)


def train_supervised(
    encoder: LoadedTagger,
    sentences: Sequence[Sentence],
    config: TrainConfig,
    hooks: Hooks,
    dev: Sequence[Sentence] = (),
    on_dev: Any = lambda epoch, scores: None,
    task: str | None = None,
) -> LoadedTagger:
    """Cross-entropy on gold labels; with `dev`, the pass that scores best there is returned.

    Args:
      encoder: Where training starts.
      sentences: Labelled text.
      config: Its rounds and epochs are passes over the text.
      hooks: Called on every step and pass.
      dev: Labelled text that chooses among the passes.
      on_dev: Called with the pass and its scores on `dev`.
      task: Which score counts; None to tell from the labels.

    Returns:
      The trained tagger.
    """
    labels = gold_labels(sentences, "--train")
    scheme = LabelScheme.from_labels(labels)
    ids = scheme.encode([name for names in labels for name in names], "--train")
    target = np.eye(scheme.size, dtype=np.float32)[ids]
    windows = encode_text(encoder, sentences, config.row_length)
    fit = start_fit(encoder, scheme, [windows], config)
    best: tuple[float, LoadedTagger | None] = (-1.0, None)

    def on_epoch(epoch: int, state: TrainState) -> None:
        nonlocal best
        hooks.on_epoch(epoch, state)
        if dev:
            params = fit.training.devices.fetch(state.params)
            tagger = finished(encoder, fit, params, scheme)
            scores = score_tagger(tagger, dev, config.row_length, task)
            on_dev(epoch, scores)
            best = max(best, (scores["score"], tagger), key=lambda pair: pair[0])

    training = fit.training._replace(hooks=hooks._replace(on_epoch=on_epoch))
    state = em.distil(training, setup.Start(fit.state), target)
    return best[1] or finished(encoder, fit, state.params, scheme)


def score_tagger(
    tagger: LoadedTagger, sentences: Sequence[Sentence], row_length: int, task: str | None
) -> dict[str, Any]:
    """A tagger's scores on labelled text."""
    ids = predict_log_probs(tagger, sentences, row_length).argmax(-1)
    assert tagger.scheme is not None
    words = [sentence.words for sentence in sentences]
    predicted = labels_by_sentence(tagger.scheme.names, words, ids)
    return metrics.score(gold_labels(sentences, "--dev"), predicted, task)
