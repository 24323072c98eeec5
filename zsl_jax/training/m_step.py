"""The M step: updates over one shuffled pass, and what is noted of them."""

import time

import numpy as np

from zsl_jax.errors import InputError
from zsl_jax.training import steps
from zsl_jax.training.devices import Devices
from zsl_jax.training.hooks import Hooks, Progress, StepRecord
from zsl_jax.training.schedules import StepSchedule, schedule_at
from zsl_jax.training.setup import Training
from zsl_jax.training.sigma import Sources
from zsl_jax.training.state import TrainState
from zsl_jax.training.update import Evidence, StepInfo


def run_epoch(
    training: Training,
    state: TrainState,
    progress: Progress,
    target: np.ndarray | None,
    sources: Sources | None,
) -> tuple[TrainState, Progress]:
    """The rest of one shuffled pass; targets and votes are looked up by the words' ids.

    The result of an update is waited for when the next one is under way, so that the devices do not
    idle while the host makes a batch and takes notes.
    """
    hooks, config, epoch = training.hooks, training.config, progress.epoch
    batches = training.corpus.epoch(epoch)
    notes = _Notes(hooks, epoch)
    for batch in range(progress.batch, len(batches)):
        rates = schedule_at(config.done(epoch + (batch + 0.5) / len(batches)), config)
        tokens = batches[batch]
        evidence = _evidence(tokens.word_ids.reshape(-1), target, sources)
        state, info = steps.update(
            training.devices, training.settings, state, tokens, evidence, rates
        )
        notes.take(progress.step + 1, training.devices, info, rates)
        is_last = batch + 1 == len(batches)
        progress = progress._replace(
            step=progress.step + 1,
            epoch=epoch + is_last,
            batch=0 if is_last else batch + 1,
        )
        round_ends = is_last and progress.epoch % config.epochs_per_round == 0
        if hooks.wants_state(progress.step, round_ends):
            notes.write()
            hooks.keep(state, progress)
    notes.write()
    hooks.on_epoch(epoch, state)
    return state, progress


class _Notes:
    """Reports an update when the next one has been queued, or when asked to."""

    def __init__(self, hooks: Hooks, epoch: int):
        self._hooks, self._epoch = hooks, epoch
        self._running: tuple[int, Devices, StepInfo, StepSchedule] | None = None
        self._started = time.monotonic()

    def take(self, step: int, devices: Devices, info: StepInfo, rates: StepSchedule) -> None:
        """Report the update before; keep this one, which may still run."""
        self.write()
        self._running = (step, devices, info, rates)

    def write(self) -> None:
        """Wait for the update that was kept, and report it.

        Raises:
          InputError: Its loss is not finite.
        """
        if self._running is None:
            return
        step, devices, info, rates = self._running
        self._running = None
        info = devices.fetch(info)
        count = int(info.num_words)
        loss = float(info.loss) / max(count, 1)
        if not np.isfinite(loss):
            raise InputError(
                f"The loss of step {step} is {loss}; lower --learning_rate, --head_learning_rate "
                "or --confusion_learning_rate."
            )
        now = time.monotonic()
        norm, rate, mix = (float(x) for x in (info.gradient_norm, rates.learning_rate, rates.mix))
        seconds = now - self._started
        self._started = now
        self._hooks.on_step(StepRecord(step, self._epoch, loss, norm, rate, mix, count, seconds))


def _evidence(places: np.ndarray, target: np.ndarray | None, sources: Sources | None) -> Evidence:
    """What is known about the words at these places; word 0 stands in where there is none."""
    ids = np.maximum(places, 0)
    rows = None if target is None else np.asarray(target[ids], np.float32)
    if sources is None:
        return Evidence(rows, None, None)
    known = None if sources.known is None else sources.known[ids]
    return Evidence(rows, np.asarray(sources.votes[ids]), sources.log_fixed, known)
