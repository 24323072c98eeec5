"""The M step: updates over one shuffled epoch, and their reports."""

import time

import numpy as np

from zsl_jax.errors import InputError
from zsl_jax.runtime.lookahead import prepared
from zsl_jax.training import steps
from zsl_jax.training.confusion_matrices import Sources
from zsl_jax.training.devices import Devices
from zsl_jax.training.hooks import Hooks
from zsl_jax.training.records import Progress, StepRecord
from zsl_jax.training.schedules import StepSchedule, schedule_at
from zsl_jax.training.setup import Training
from zsl_jax.training.state import TrainState
from zsl_jax.training.update import Evidence, StepInfo
from zsl_jax.types import Batch


def run_epoch(
    training: Training,
    state: TrainState,
    progress: Progress,
    target: np.ndarray | None,
    sources: Sources | None,
) -> tuple[TrainState, Progress]:
    """Runs the rest of one shuffled epoch; targets and votes are looked up by word id.

    Batches are made by another thread, and the result of an update is fetched once the next one is
    queued, so that the devices do not idle while the host builds a batch and reports.
    """
    hooks, config, epoch = training.hooks, training.config, progress.epoch
    batches = training.corpus.epoch(epoch)
    reports = _DelayedReports(hooks, epoch, training.settings.trainable_confusion)
    rest = range(progress.batch, len(batches))
    inputs = prepared(_with_evidence(batches[batch], target, sources) for batch in rest)
    for batch, (tokens, evidence) in zip(rest, inputs, strict=True):
        rates = schedule_at(config.done(epoch + (batch + 0.5) / len(batches)), config)
        state, info = steps.update(
            training.devices, training.settings, state, tokens, evidence, rates
        )
        reports.take(progress.step + 1, training.devices, info, rates)
        is_last = batch + 1 == len(batches)
        progress = progress._replace(
            step=progress.step + 1,
            epoch=epoch + is_last,
            batch=0 if is_last else batch + 1,
        )
        round_ends = is_last and progress.epoch % config.epochs_per_round == 0
        if hooks.wants_state(progress.step, round_ends):
            reports.write()
            hooks.keep(state, progress)
    reports.write()
    hooks.on_epoch(epoch, state)
    return state, progress


class _DelayedReports:
    """Reports an update once the next one is queued, or on request."""

    def __init__(self, hooks: Hooks, epoch: int, trains_confusion: bool):
        self._hooks, self._epoch, self._trains_confusion = hooks, epoch, trains_confusion
        self._running: tuple[int, Devices, StepInfo, StepSchedule] | None = None
        self._started = time.monotonic()

    def take(self, step: int, devices: Devices, info: StepInfo, rates: StepSchedule) -> None:
        """Reports the update before this one, and holds this one, which may still be running."""
        self.write()
        self._running = (step, devices, info, rates)

    def write(self) -> None:
        """Waits for the update that is held, and reports it.

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
            of_confusion = " or `confusion_learning_rate`" if self._trains_confusion else ""
            raise InputError(
                f"the loss of step {step} is {loss}; lower `learning_rate` or "
                f"`head_learning_rate`{of_confusion}"
            )
        now = time.monotonic()
        norm, rate, mix = (float(x) for x in (info.gradient_norm, rates.learning_rate, rates.mix))
        seconds = now - self._started
        self._started = now
        self._hooks.on_step(StepRecord(step, self._epoch, loss, norm, rate, mix, count, seconds))


def _with_evidence(
    batch: Batch, target: np.ndarray | None, sources: Sources | None
) -> tuple[Batch, Evidence]:
    """A batch and the evidence of its words; word 0 stands in for padding."""
    ids = np.maximum(batch.word_ids.reshape(-1), 0)
    rows = None if target is None else np.asarray(target[ids], np.float32)
    if sources is None:
        return batch, Evidence(rows, None, None)
    gold = None if sources.gold is None else sources.gold[ids]
    return batch, Evidence(rows, np.asarray(sources.votes[ids]), sources.log_fixed, gold)
