"""The training loop: E steps over the corpus, M steps over shuffled batches.

The loop is handed batches and arrays and hands back records; it reads no file, prints nothing and
knows no gold label.
"""

import dataclasses
import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from zsl_jax import kernels
from zsl_jax.models.config import EncoderConfig
from zsl_jax.training import steps
from zsl_jax.training.config import LabelModelConfig, Objective, TrainConfig
from zsl_jax.training.expectation import expect
from zsl_jax.training.records import Corpus, Expectation, Hooks, RoundRecord, StepRecord
from zsl_jax.training.schedules import rates_at
from zsl_jax.training.state import TrainState
from zsl_jax.types import SourceVotes


def init_state(params: dict[str, Any], confusion_logits: np.ndarray, config: TrainConfig):
    """The state before the first update.

    Args:
      params: The tagger's parameters, with a head.
      confusion_logits: [U, K, K]; U = 0 where no label model takes part.
      config: Its seed starts the key.

    Returns:
      A `TrainState` at step 0.
    """
    logits = jnp.asarray(confusion_logits, jnp.float32)
    opt_state = steps.init_optimizer({"tagger": params, "confusion": logits}, config.optimizer)
    key = jax.random.key(config.seed)
    return TrainState(params, logits, opt_state, jnp.zeros((), jnp.int32), key)


def starting_confusion(
    config: LabelModelConfig, votes: SourceVotes, num_labels: int
) -> tuple[np.ndarray, np.ndarray]:
    """log ψ and the logits of σ before training, both [U, K, K].

    ψ and, by default, σ are scaled identities. The column of a label that a source does not have is
    uniform: whatever the source predicts says nothing for or against such a label.
    """
    num_sources = votes.labels.shape[1]
    informed = np.float32(1) if votes.sayable is None else votes.sayable[:, None, :]

    def scaled_identity(temperature: float) -> jax.Array:
        return kernels.identity_logits(temperature, num_sources, num_labels) * informed

    log_fixed = kernels.log_confusion_from_logits(scaled_identity(config.fixed_temperature))
    if config.confusion_init == "dawid_skene":
        logits = kernels.dawid_skene(jnp.asarray(votes.labels), num_labels).log_confusion
    else:
        logits = scaled_identity(config.trainable_temperature)
    return np.asarray(log_fixed, np.float32), np.asarray(logits, np.float32)


def step_settings(config: TrainConfig, encoder: EncoderConfig, num_labels: int):
    """The static part of this run's updates."""
    label_model = config.label_model
    encoder = dataclasses.replace(encoder, dropout=config.dropout, attention_dropout=config.dropout)
    return steps.StepSettings(
        encoder,
        num_labels,
        config.objective,
        config.optimizer,
        label_model.confusion_update == "gradient",
        label_model.weights,
    )


def distil(
    state: TrainState,
    settings: steps.StepSettings,
    corpus: Corpus,
    target: Float[np.ndarray, "N K"],
    config: TrainConfig,
    hooks: Hooks,
) -> TrainState:
    """Learn a fixed distribution a word: supervised, hard, hard_vote, hard_cat and kd.

    Args:
      state: Used up.
      settings: Of the update.
      corpus: The text.
      target: [N, K]; an all-zero row leaves its word out.
      config: Its `passes` over the text are made.
      hooks: `on_step`, and `on_epoch` after every pass.

    Returns:
      The trained state.
    """
    for epoch in range(config.passes):
        state = _run_epoch(state, settings, corpus, epoch, (target, None, None), config, hooks)
    return state


def expectation_maximization(
    state: TrainState,
    settings: steps.StepSettings,
    corpus: Corpus,
    votes: np.ndarray,
    log_fixed: np.ndarray,
    config: TrainConfig,
    hooks: Hooks,
) -> tuple[TrainState, Expectation]:
    """MRT and LVM by soft EM, hard EM or descent on J itself (Algorithm 1).

    Args:
      state: Used up.
      settings: Of the update.
      corpus: The text.
      votes: [N, U] labels or [N, U, K] probabilities.
      log_fixed: [U, K, K], log ψ.
      config: Rounds, epochs a round, strategy, stopping.
      hooks: `on_step`; `on_round` after every E step, the one after the last round included.

    Returns:
      The trained state, and the E step at its parameters.
    """
    initial = _log_sigma(state.confusion_logits)
    result, best = None, float("inf")
    for number in range(config.rounds + 1):
        started = time.monotonic()
        mix = rates_at(number / config.rounds, config).mix
        log_confusion = steps.mixed_log_confusion(log_fixed, state.confusion_logits, mix)
        result = expect(state, settings, corpus, votes, log_confusion, config.strategy, result)
        if config.label_model.confusion_update == "closed_form":
            state = _closed_form(state, result, votes, initial, config)
        moved = kernels.total_variation(initial, _log_sigma(state.confusion_logits))
        seconds = time.monotonic() - started
        hooks.on_round(RoundRecord(number, result, np.asarray(moved), seconds))
        if number == config.rounds or (config.stop_early and result.objective >= best):
            break
        best = min(best, result.objective)
        target = None if settings.objective is Objective.MARGINAL else result.posterior
        tables = (target, votes, log_fixed)
        for epoch in range(number * config.epochs, (number + 1) * config.epochs):
            state = _run_epoch(state, settings, corpus, epoch, tables, config, hooks)
    assert result is not None
    return state, result


def _run_epoch(state, settings, corpus: Corpus, epoch: int, tables, config, hooks: Hooks):
    """Updates over one shuffled pass; `tables` are targets and votes of all words, and log ψ."""
    target, votes, log_fixed = tables
    batches = corpus.epoch(epoch)
    started = time.monotonic()
    for index, batch in enumerate(batches):
        progress = (epoch + (index + 0.5) / len(batches)) / config.passes
        rates = rates_at(progress, config)
        places = np.maximum(batch.word_ids.reshape(-1), 0)
        evidence = steps.Evidence(_rows(target, places), _rows(votes, places), log_fixed)
        state, info = steps.update(settings, state, batch, evidence, rates)
        count = int(info.num_words)
        loss = float(info.loss) / max(count, 1)
        if not np.isfinite(loss):
            raise FloatingPointError(
                f"the loss of step {int(state.step)} is {loss}; lower --learning_rate, "
                "--head_learning_rate or --confusion_learning_rate"
            )
        now = time.monotonic()
        norm, rate, mix = float(info.gradient_norm), float(rates.learning_rate), float(rates.mix)
        step = int(state.step)
        hooks.on_step(StepRecord(step, epoch, loss, norm, rate, mix, count, now - started))
        started = now
    hooks.on_epoch(epoch, state)
    return state


def _rows(table: np.ndarray | None, places: np.ndarray) -> np.ndarray | None:
    return None if table is None else table[places]


def _closed_form(state: TrainState, result: Expectation, votes, initial, config: TrainConfig):
    """σ ∝ c·K·σ₀ + expected counts under Q; the logits of the new state are its logarithm."""
    label_model = config.label_model
    posterior, mask = jnp.asarray(result.posterior), jnp.ones(len(votes), bool)
    if label_model.confusion_evidence == "soft" and votes.ndim == 3:
        probs, log_confusion = jnp.asarray(votes), jnp.asarray(result.log_confusion)
        counts = kernels.likelihood_weighted_counts(posterior, probs, log_confusion, mask)
    else:
        labels = votes if votes.ndim == 2 else _hard_labels(votes)
        counts = kernels.expected_counts_from_labels(posterior, jnp.asarray(labels), mask)
    logits = kernels.closed_form_log_confusion(counts, initial, label_model.pseudo_count)
    return state._replace(confusion_logits=logits)


def _hard_labels(probs: np.ndarray) -> np.ndarray:
    """Arg max of each source's probabilities; -1 where it abstains."""
    return np.where(probs.sum(-1) > 0, probs.argmax(-1), -1)


def _log_sigma(logits):
    return kernels.log_confusion_from_logits(jnp.asarray(logits))
