"""The training loop: E steps over the corpus, M steps over shuffled batches.

The loop is handed batches and arrays and hands back records; it reads no file, prints nothing and
knows no gold label.
"""

import time
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from zsl_jax.runtime import processes
from zsl_jax.training import steps
from zsl_jax.training.choices import Objective, Strategy
from zsl_jax.training.config import TransferConfig
from zsl_jax.training.e_step import label_posterior, predict_log_prior
from zsl_jax.training.hooks import Expectation, Progress, RoundRecord
from zsl_jax.training.m_step import run_epoch
from zsl_jax.training.schedules import schedule_at
from zsl_jax.training.setup import ResumePoint, Training
from zsl_jax.training.sigma import Sources, closed_form_logits
from zsl_jax.training.state import AnyArray, TrainState

# Of every word a distribution, or a one-hot row as truth values, of a fourth of the size.
Target = Float[np.ndarray, "N K"] | Bool[np.ndarray, "N K"]


def distil(training: Training, start: ResumePoint, target: Target) -> TrainState:
    """Learn a fixed distribution a word: supervised, hard, hard_vote, hard_cat and kd.

    Args:
      training: Its config's `passes` over the text are made.
      start: Where to start or to go on.
      target: [N, K]; an all-zero row leaves its word out.

    Returns:
      The trained state, on the host.
    """
    training.hooks.on_start(start.progress)
    state, progress = training.devices.replicate(start.state), start.progress
    while progress.epoch < training.config.passes:
        state, progress = run_epoch(training, state, progress, target, None)
    return training.devices.fetch(state)


def expectation_maximization(
    training: Training, start: ResumePoint, sources: Sources
) -> tuple[TrainState, Progress, Expectation]:
    """MRT and LVM by soft EM, hard EM or descent on J itself (Algorithm 1).

    Args:
      training: Rounds, epochs a round, strategy and stopping are in its config; `on_round` is
        called after every E step, the one after the last round included.
      start: Where to start or to go on.
      sources: The evidence and the first confusion matrices.

    Returns:
      The trained state, on the host, what was done, and the E step at the state's parameters.
    """
    config, devices = training.transfer, training.devices
    training.hooks.on_start(start.progress)
    state, progress = devices.replicate(start.state), start.progress
    result = _repeated_e_step(training, start, sources)
    while True:
        number = progress.epoch // config.epochs_per_round
        if len(progress.rounds) == number:
            state, progress, result = _e_step(training, state, progress, sources, result)
            objectives = [objective for _, objective in progress.rounds]
            risen = config.stop_early and number > 0 and objectives[-1] >= min(objectives[:-1])
            if number == config.num_rounds or risen:
                return devices.fetch(state), progress, result
        assert result is not None
        direct = training.settings.objective is Objective.MARGINAL
        target = None if direct else result.posterior
        state, progress = run_epoch(training, state, progress, target, sources)


def _e_step(
    training: Training,
    state: TrainState,
    progress: Progress,
    sources: Sources,
    previous: Expectation | None,
) -> tuple[TrainState, Progress, Expectation]:
    """The E step of a round, σ in closed form if it has one, and their record."""
    config, devices = training.transfer, training.devices
    started = time.monotonic()
    number = len(progress.rounds)
    params, logits = devices.fetch((state.params, state.confusion_logits))
    result = expect(training, params, logits, number, sources, previous)
    if config.label_model.confusion_update == "closed_form":
        logits = closed_form_logits(
            result.posterior, result.log_confusion, sources, config.label_model
        )
        state = state._replace(confusion_logits=devices.replicate(logits))
    moved = np.asarray(_confusion(config, logits, number, sources)[1])
    seconds = time.monotonic() - started
    training.hooks.on_round(RoundRecord(number, result, moved, seconds))
    rounds = (*progress.rounds, (progress.step, result.objective))
    return state, progress._replace(rounds=rounds), result


def _repeated_e_step(
    training: Training, start: ResumePoint, sources: Sources
) -> Expectation | None:
    """The last E step that was done before an interruption: its Q is not kept, but made again."""
    number = len(start.progress.rounds) - 1
    if number < 0:
        return None
    assert start.state_at is not None
    state = start.state_at(number)
    return expect(training, state.params, state.confusion_logits, number, sources, None)


def expect(
    training: Training,
    params: dict[str, Any],
    confusion_logits: AnyArray,
    number: int,
    sources: Sources,
    previous: Expectation | None,
) -> Expectation:
    """E step: Q of the whole corpus at the parameters of one state (Eq. 3).

    Args:
      training: The corpus, the weights and the strategy.
      params: The tagger's parameters, on the host.
      confusion_logits: [U, V, K], logits of σ.
      number: The round, which says what λ is.
      sources: The evidence.
      previous: The E step of the round before; the bound is taken at its Q.
    """
    config, settings, corpus = training.transfer, training.settings, training.corpus
    log_confusion, _ = _confusion(config, confusion_logits, number, sources)
    devices = training.devices.local
    priors = predict_log_prior(
        devices,
        (settings.encoder, settings.num_labels, settings.dtype),
        devices.replicate(params),
        corpus.in_order,
        corpus.num_words,
    )
    hard = config.strategy is Strategy.HARD_EM
    before = None if previous is None else previous.posterior
    evidence = (priors, sources.votes, log_confusion)
    found = label_posterior(
        settings.weights, *evidence, hard, before, known=sources.known, out=priors
    )
    sums = processes.total([found.objective, found.bound, found.entropy, corpus.num_words])
    means = (sums[:3] / max(sums[3], 1)).tolist()
    return Expectation(found.posterior, np.asarray(log_confusion), *means)


def _confusion(config: TransferConfig, logits: AnyArray, number: int, sources: Sources):
    """log φ of a round, and how far σ has moved."""
    mix = schedule_at(number / config.num_rounds, config).mix
    return steps.present_confusion(sources.log_fixed, sources.first_logits, logits, mix)
