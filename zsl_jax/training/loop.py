"""The training loops: fixed targets, and EM (Algorithm 1) with any label model.

The loops take batches and arrays and return records; they do not read files, print, or see gold
labels.
"""

import time
from typing import Any, Protocol

import numpy as np
from jaxtyping import Bool, Float

from zsl_jax.errors import InputError
from zsl_jax.training.config import TransferConfig
from zsl_jax.training.confusion_matrices import Sources
from zsl_jax.training.devices import Devices
from zsl_jax.training.m_step import run_epoch
from zsl_jax.training.records import Expectation, Progress, RoundRecord
from zsl_jax.training.setup import ResumePoint, Training
from zsl_jax.training.state import AnyArray, TrainState

# One distribution per word; one-hot rows may be boolean, which takes a quarter of the memory.
Target = Float[np.ndarray, "N K"] | Bool[np.ndarray, "N K"]


class LabelModel(Protocol):
    """The interface of a label model for EM; see `paper_rounds` and `chain_rounds`."""

    @property
    def evidence(self) -> Sources | None:
        """The sources' predictions that an update reads besides its target, or None."""

    def e_step(
        self,
        training: Training,
        params: dict[str, Any],
        confusion_logits: AnyArray,
        number: int,
        previous: Expectation | None,
    ) -> Expectation:
        """Q of the whole text at the parameters of one state, both on the host.

        Args:
          training: The corpus and the settings.
          params: The tagger's parameters.
          confusion_logits: [U, V, K], logits of σ.
          number: The round.
          previous: The E step of the round before.
        """

    def confusion_after(
        self, training: Training, confusion_logits: AnyArray, expectation: Expectation, number: int
    ) -> tuple[AnyArray, Float[np.ndarray, " U"]]:
        """The logits of σ after an E step, and how far each source's σ has moved from its start."""

    def m_step_start(self, devices: Devices, state: TrainState, step: int) -> TrainState:
        """The state from which the M step after `step` updates goes, on the devices."""

    def target(self, training: Training, expectation: Expectation) -> Target | None:
        """[N, K], what the M step learns; None where it descends on J itself."""


def distil(training: Training, start: ResumePoint, target: Target) -> TrainState:
    """Learns one fixed distribution per word: supervised, hard, hard_vote, hard_cat and kd.

    Args:
      training: The training; its config sets the number of passes.
      start: Where to start or resume.
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
    training: Training, start: ResumePoint, model: LabelModel
) -> tuple[TrainState, Progress, Expectation]:
    """Rounds of an E step over the text and an M step of some epochs (Algorithm 1).

    Args:
      training: Rounds, epochs per round, strategy and stopping are in its config; `on_round` is
        called after every E step, the one after the last round included.
      start: Where to start or resume.
      model: The label model.

    Returns:
      The trained state, on the host, the progress, and the E step at the state's parameters.
    """
    config, devices = training.transfer, training.devices
    training.hooks.on_start(start.progress)
    state, progress = devices.replicate(start.state), start.progress
    expectation = _repeated_e_step(training, start, model)
    while True:
        number = progress.epoch // config.epochs_per_round
        if len(progress.rounds) == number:
            state, progress, expectation = _e_step(training, model, state, progress, expectation)
            if number == config.num_rounds or _has_risen(config, progress):
                return devices.fetch(state), progress, expectation
            state = model.m_step_start(devices, state, progress.step)
        assert expectation is not None
        target = model.target(training, expectation)
        state, progress = run_epoch(training, state, progress, target, model.evidence)


def _e_step(
    training: Training,
    model: LabelModel,
    state: TrainState,
    progress: Progress,
    previous: Expectation | None,
) -> tuple[TrainState, Progress, Expectation]:
    """The E step of a round, σ in closed form if it has one, and their record."""
    devices, number, started = training.devices, len(progress.rounds), time.monotonic()
    params, logits = devices.fetch((state.params, state.confusion_logits))
    expectation = model.e_step(training, params, logits, number, previous)
    updated, moved = model.confusion_after(training, logits, expectation, number)
    if updated is not logits:
        state = state._replace(confusion_logits=devices.replicate(updated))
    seconds = time.monotonic() - started
    training.hooks.on_round(RoundRecord(number, expectation, moved, seconds))
    rounds = (*progress.rounds, (progress.step, expectation.objective))
    return state, progress._replace(rounds=rounds), expectation


def _has_risen(config: TransferConfig, progress: Progress) -> bool:
    """Whether J was no lower at the last E step than before, and that ends the training."""
    objectives = [objective for _, objective in progress.rounds]
    return config.stop_early and len(objectives) > 1 and objectives[-1] >= min(objectives[:-1])


def _repeated_e_step(
    training: Training, start: ResumePoint, model: LabelModel
) -> Expectation | None:
    """The last E step before an interruption: checkpoints do not store Q, it is recomputed.

    None if there was none, or if its state is not kept and the next E step comes first, which needs
    it for the bound alone.
    """
    number = len(start.progress.rounds) - 1
    if number < 0:
        return None
    assert start.state_at is not None
    state = start.state_at(number)
    if state is None:
        if start.progress.epoch // training.config.epochs_per_round > number:
            return None
        raise InputError(
            f"the checkpoint at step {start.progress.rounds[number][0]}, from which the last E "
            "step is repeated, was deleted; give `overwrite` to start over"
        )
    return model.e_step(training, state.params, state.confusion_logits, number, None)
