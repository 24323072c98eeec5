"""A whole training of a target tagger: from an experiment to a saved model folder."""

import os
from typing import NamedTuple

from zsl_jax.evaluation.diagnosis import Diagnosis
from zsl_jax.io.run_folder import RunFolder
from zsl_jax.runtime import processes
from zsl_jax.training.config import TransferConfig
from zsl_jax.workflows.approaches import TrainedTarget
from zsl_jax.workflows.learned_sources import save_sources, source_report
from zsl_jax.workflows.loaded_tagger import save_tagger
from zsl_jax.workflows.resume import Saving
from zsl_jax.workflows.text_labels import TextLabels, label_text
from zsl_jax.workflows.transfer_task import TransferTask, made_ready, run_approach


class FinishedRun(NamedTuple):
    """What came of a training.

    Attributes:
      transfer_task: With the label model and the start that were used.
      config: With the number of epochs that was chosen.
      done: The tagger and what was learned of the sources.
      labels: Of this process's part of the text.
      report: On each source.
    """

    transfer_task: TransferTask
    config: TransferConfig
    done: TrainedTarget
    labels: TextLabels
    report: Diagnosis


def train_and_save(
    transfer_task: TransferTask,
    config: TransferConfig,
    run: RunFolder,
    output: str | os.PathLike[str],
    save_every_steps: int | None = None,
) -> FinishedRun:
    """Train by one approach, and write the model folder; all processes call it.

    Interrupted, it resumes from its last checkpoint when it is called again.

    Args:
      transfer_task: What is learned from.
      config: How.
      run: The run's folder.
      output: Where the tagger goes, and what was learned of the sources.
      save_every_steps: Updates between two checkpoints; None saves at the end of a round only.
    """
    transfer_task, config = made_ready(transfer_task, config, run)
    saving = Saving(run.path / "checkpoints" / config.approach, save_every_steps)
    done = run_approach(transfer_task, config, run, config.approach, saving)
    labels = label_text(transfer_task, done, config)
    report = source_report(transfer_task, done, labels, config)
    if processes.is_first():
        save_tagger(output, done.tagger)
        if done.log_confusion is not None:
            save_sources(os.fspath(output), transfer_task, done, config)
    return FinishedRun(transfer_task, config, done, labels, report)
