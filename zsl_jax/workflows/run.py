"""A whole training of a target tagger: from an experiment to a saved model folder."""

import os
from typing import NamedTuple

from zsl_jax.evaluation.diagnosis import Diagnosis
from zsl_jax.io.run_folder import RunFolder
from zsl_jax.training import hosts
from zsl_jax.training.config import TrainConfig
from zsl_jax.workflows.experiment import Experiment, made_ready, run_approach
from zsl_jax.workflows.learned import save_sources, source_report
from zsl_jax.workflows.resuming import Saving
from zsl_jax.workflows.tagging import save_tagger
from zsl_jax.workflows.transfer import Transferred


class FinishedRun(NamedTuple):
    """What came of a training.

    Attributes:
      experiment: With the label model and the start that were used.
      config: With the number of epochs that was chosen.
      done: The tagger and what was learned of the sources.
      report: On each source; None without a label model.
    """

    experiment: Experiment
    config: TrainConfig
    done: Transferred
    report: Diagnosis | None


def train_and_save(
    experiment: Experiment,
    config: TrainConfig,
    run: RunFolder,
    output: str | os.PathLike[str],
    save_every_steps: int = 0,
) -> FinishedRun:
    """Train by one approach, and write the model folder; all processes call it.

    Interrupted, it resumes from its last checkpoint when it is called again.

    Args:
      experiment: What is learned from.
      config: How.
      run: The run's folder.
      output: Where the tagger goes, and what was learned of the sources.
      save_every_steps: Updates between two checkpoints; 0 saves at the end of a round only.
    """
    experiment, config = made_ready(experiment, config, run)
    saving = Saving(run.path / "checkpoints" / config.approach, save_every_steps)
    done = run_approach(experiment, config, run, config.approach, saving)
    report = source_report(experiment, done)
    if hosts.is_first():
        save_tagger(output, done.tagger)
        if done.log_confusion is not None:
            save_sources(os.fspath(output), experiment, done, config)
    return FinishedRun(experiment, config, done, report)
