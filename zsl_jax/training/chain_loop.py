"""EM with the reliability-weighted chain: the posterior of the text, then a tagger trained on it.

The sources' part of the label model is fitted once, without the tagger, whose posterior is Q of the
first round. Every M step trains the tagger anew from where it started; from then on, every E step
adds its log-probabilities.
"""

import time
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from zsl_jax.runtime import processes
from zsl_jax.runtime.blocks import blocks
from zsl_jax.training import chain_fit
from zsl_jax.training.chain_fit import ChainLabels, ChainPosterior, ChainText, FittedChain
from zsl_jax.training.choices import Strategy
from zsl_jax.training.config import ChainConfig, TransferConfig
from zsl_jax.training.e_step import predict_log_prior
from zsl_jax.training.hooks import Expectation, Progress, RoundRecord
from zsl_jax.training.m_step import run_epoch
from zsl_jax.training.setup import ResumePoint, Training
from zsl_jax.training.state import TrainState


class ChainSources(NamedTuple):
    """The label model of a text, fitted without a tagger.

    Attributes:
      text: This process's part of the text.
      labels: What is given about the labels.
      fitted: The label model.
      found: Its posterior of the text.
    """

    text: ChainText
    labels: ChainLabels
    fitted: FittedChain
    found: ChainPosterior

    @property
    def predictions(self) -> str:
        """Which of the sources' predictions are evidence, "soft" or "hard"."""
        return "hard" if self.text.votes.ndim == 2 else "soft"


def fit_sources(text: ChainText, labels: ChainLabels, config: ChainConfig) -> ChainSources:
    """Fits the label model to a text; all processes call it."""
    return ChainSources(text, labels, *chain_fit.fit_chain(text, labels, config))


def chain_expectation_maximization(
    training: Training, start: ResumePoint, first: TrainState, sources: ChainSources
) -> tuple[TrainState, Progress, Expectation, FittedChain]:
    """Rounds of an E step over the text and an M step from the first state on.

    Args:
      training: Rounds, epochs of an M step and strategy are in its config; `on_round` is called
        after every E step, the one after the last round included.
      start: Where to start or to resume.
      first: The state before the first update, where every M step starts.
      sources: The label model, fitted to this text.

    Returns:
      The trained state, on the host, what was done, the last E step, and the label model with the
      word types and transitions of that step.
    """
    config, devices = training.transfer, training.devices
    training.hooks.on_start(start.progress)
    state, progress = devices.replicate(start.state), start.progress
    result = _repeated_e_step(training, start, sources)
    while True:
        number = progress.epoch // config.epochs_per_round
        if len(progress.rounds) == number:
            started = time.monotonic()
            result = _e_step(training, devices.fetch(state), number, sources)
            expectation = _expectation(result, sources.fitted, training)
            unmoved = np.zeros(len(sources.fitted.kappa))
            seconds = time.monotonic() - started
            training.hooks.on_round(RoundRecord(number, expectation, unmoved, seconds))
            rounds = (*progress.rounds, (progress.step, expectation.objective))
            progress = progress._replace(rounds=rounds)
            if number == config.num_rounds:
                fitted = sources.fitted._replace(state=result.state)
                return devices.fetch(state), progress, expectation, fitted
            state = devices.replicate(first._replace(step=np.asarray(progress.step, np.int32)))
        assert result is not None
        state, progress = run_epoch(training, state, progress, _target(result, config), None)


def _repeated_e_step(
    training: Training, start: ResumePoint, sources: ChainSources
) -> ChainPosterior | None:
    """The last E step before an interruption: checkpoints do not store Q, it is recomputed."""
    number = len(start.progress.rounds) - 1
    if number < 0:
        return None
    assert start.state_at is not None
    state = start.state_at(number) if number else start.state
    return _e_step(training, state, number, sources)


def _e_step(
    training: Training, state: TrainState, number: int, sources: ChainSources
) -> ChainPosterior:
    """Q of the text: of the label model alone in the first round, with the tagger in others."""
    if number == 0:
        return sources.found
    settings, corpus, devices = training.settings, training.corpus, training.devices.local
    config = training.transfer.chain
    assert config is not None
    scores = predict_log_prior(
        devices,
        (settings.encoder, settings.num_labels, settings.dtype),
        devices.replicate(state.params),
        corpus.in_order,
        corpus.num_words,
    )
    scores *= np.float32(config.own_tagger_weight)
    scores += chain_fit.evidence(sources.text, sources.labels, sources.fitted.sources, config)
    return chain_fit.chain_posterior(
        sources.text,
        sources.labels,
        config,
        scores,
        sources.found.posterior.copy(),
        1 + config.own_tagger_weight,
    )


def _target(result: ChainPosterior, config: TransferConfig) -> np.ndarray:
    """What the tagger is trained on: Q, or its most probable labels in hard EM."""
    if config.strategy is not Strategy.HARD_EM:
        return result.posterior
    num_labels = result.posterior.shape[1]
    return np.eye(num_labels, dtype=bool)[result.posterior.argmax(axis=1)]


def _expectation(result: ChainPosterior, fitted: FittedChain, training: Training) -> Expectation:
    entropy = sum(_entropy(block.arrays[0][block.mask]) for block in blocks(result.posterior))
    entropy, words = processes.total([entropy, training.corpus.num_words])
    objective = -result.log_marginal / max(words, 1)
    log_confusion = np.asarray(fitted.sources.log_confusion)
    return Expectation(
        result.posterior, log_confusion, objective, objective, float(entropy / max(words, 1))
    )


def _entropy(posterior: Float[np.ndarray, "C K"]) -> float:
    """In nats, summed over words."""
    return float(-(posterior * np.log(np.maximum(posterior, 1e-30))).sum(dtype=np.float64))
