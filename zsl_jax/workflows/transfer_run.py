"""A whole transfer in its run folder: train, label the text, score the test, write the results.

`launch.transfer` and `zsl_jax.transfer` differ in where text and predictions come from; what is
done with them is here.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from zsl_jax.data.predictions.label_table import TAGGER, write_label_tables
from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.data.text_shard import TextShard
from zsl_jax.evaluation.diagnosis import Diagnosis
from zsl_jax.io.run_files import TEST, TEST_VOTES, checkpoint_folder
from zsl_jax.io.run_folder import RunFolder
from zsl_jax.runtime import processes
from zsl_jax.runtime.compilation import compiled
from zsl_jax.training.config import TransferConfig
from zsl_jax.types import Sentence
from zsl_jax.workflows.approaches import TrainedTarget
from zsl_jax.workflows.compare import ComparisonResult
from zsl_jax.workflows.error_analysis import error_analysis
from zsl_jax.workflows.frozen_cache import shared_layers
from zsl_jax.workflows.label_decoding import AUTO
from zsl_jax.workflows.labelled_text import write_labelled
from zsl_jax.workflows.learned_sources import save_sources, source_report
from zsl_jax.workflows.loaded_tagger import save_tagger
from zsl_jax.workflows.result_table import LearnedFromText, Row, fit_aggregations, verdict
from zsl_jax.workflows.resumable_training import Saving
from zsl_jax.workflows.scoring import (
    TestSet,
    baselines,
    label_test,
    labelled_rows,
    prepare_test,
)
from zsl_jax.workflows.transfer_labels import (
    VOTE_METHODS,
    TextLabels,
    label_files,
    label_table,
    label_text,
    write_text_labels,
)
from zsl_jax.workflows.transfer_task import TransferTask, made_ready, run_approach
from zsl_jax.workflows.vote_aggregation import aggregate_votes


class FinishedRun(NamedTuple):
    """The result of a training.

    Attributes:
      transfer_task: With the label model and the start that were used.
      config: With the number of epochs that was chosen.
      done: The tagger and what was learned about the sources.
      labels: Of this process's part of the text.
      report: On each source.
      rows: The table; empty without a test, and in all processes but the first.
      scored: Calibration, confusions and errors, see `error_analysis`; None without a test.
    """

    transfer_task: TransferTask
    config: TransferConfig
    done: TrainedTarget
    labels: TextLabels
    report: Diagnosis
    rows: Sequence[Row] = ()
    scored: dict[str, Any] | None = None


class LabelledTest(NamedTuple):
    """A labelled test, of which only scores are computed.

    Attributes:
      sentences: In BIO, or with plain labels.
      predictions: What sources predict for it, by name; those that are missing abstain.
      task: Which score counts; None infers it from the labels.
      about: How its labels were read, for result.json.
    """

    sentences: Sequence[Sentence]
    predictions: Mapping[str, SourcePredictions]
    task: str | None = None
    about: Mapping[str, Any] = MappingProxyType({})


class Writing(NamedTuple):
    """How the results are written.

    Attributes:
      output_format: Of the text and the test with their labels, beside Parquet; None for CoNLL.
      decoding: How labels follow from probabilities, see `label_decoding.decoding_of`.
      save_every_steps: Updates between two checkpoints; None saves at the end of a round only.
    """

    output_format: str | None = None
    decoding: str = AUTO
    save_every_steps: int | None = None


PLAIN_WRITING = Writing()


def run_transfer(
    transfer_task: TransferTask,
    config: TransferConfig,
    run: RunFolder,
    text: Sequence[TextShard],
    read_test: Callable[[], LabelledTest] | None = None,
    writing: Writing = PLAIN_WRITING,
) -> FinishedRun:
    """Trains by one approach, and writes everything that came of it; all processes call it.

    Interrupted, it resumes from its last checkpoint when it is called again.

    Args:
      transfer_task: The text and the sources' predictions.
      config: The settings.
      run: The run's folder.
      text: This process's shards, as they were read.
      read_test: Reads the test, after the training and in the first process only.
      writing: How the results are written.
    """
    finished = train_and_save(transfer_task, config, run, writing)
    write_text_labels(
        run.path, finished.transfer_task, finished.labels, text, writing.output_format
    )
    task = finished.transfer_task
    aggregations = fit_aggregations(task.text, task.label_set) if read_test else {}
    if not processes.is_first():
        return finished
    read = {"source": task.labels_read, "test_source": {}}
    if read_test is not None:
        test = read_test()
        finished = score_test(finished, test, run, writing, aggregations)
        read = {**read, **test.about}
    run.write_result({**record_of(finished), "labels": read})
    return finished


def record_of(finished: FinishedRun) -> dict[str, Any]:
    """What result.json tells of a training."""
    return {
        "rows": [row._asdict() for row in finished.rows],
        "verdict": verdict(finished.rows) if finished.rows else None,
        "test": finished.scored,
        "labels_from": finished.labels.labels_from,
        "decode": finished.labels.decoding,
        "sources": finished.report.plain,
        "devices": processes.devices(),
        **compiled(),
    }


def write_compared(
    compared: ComparisonResult, rows: Sequence[Row], test: TestSet, run: RunFolder, text: TextShard
) -> dict[str, Any]:
    """Writes the labels of the text by one of several approaches, of which the report is made.

    Args:
      compared: The approach.
      rows: The table of all approaches, whose last row is that of this one.
      test: What it was scored on.
      run: The folder of the comparison.
      text: The text.

    Returns:
      What result.json tells of this approach.
    """
    finished = finished_run(compared.transfer_task, compared.config, compared.done)
    write_text_labels(run.path, finished.transfer_task, finished.labels, [text])
    if compared.done.log_confusion is not None:
        save_sources(os.fspath(run.path), finished.transfer_task, compared.done, compared.config)
    finished = finished._replace(rows=rows, scored=error_analysis(compared.labelled, test))
    return {**record_of(finished), "title": compared.title}


def train_and_save(
    transfer_task: TransferTask,
    config: TransferConfig,
    run: RunFolder,
    writing: Writing = PLAIN_WRITING,
) -> FinishedRun:
    """Trains by one approach, and writes the model folder; all processes call it."""
    transfer_task, config = made_ready(transfer_task, config, run)
    folder = checkpoint_folder(run.path) / config.approach
    saving = Saving(folder, writing.save_every_steps, run.publish_metrics)
    done = run_approach(transfer_task, config, run, config.approach, saving)
    decoding = writing.decoding
    finished = finished_run(transfer_task, config, done, decoding)
    if processes.is_first():
        save_tagger(run.path, done.tagger)
        if done.log_confusion is not None:
            save_sources(os.fspath(run.path), transfer_task, done, config, decoding)
    return finished


def finished_run(
    transfer_task: TransferTask,
    config: TransferConfig,
    done: TrainedTarget,
    decoding: str = AUTO,
) -> FinishedRun:
    """Labels the text after a training, and reports on the sources; all processes call it."""
    labels = label_text(transfer_task, done, config, decoding)
    report = source_report(transfer_task, done, labels, config)
    return FinishedRun(transfer_task, config, done, labels, report)


def score_test(
    finished: FinishedRun,
    test: LabelledTest,
    run: RunFolder,
    writing: Writing,
    aggregations: Mapping[str, LearnedFromText],
) -> FinishedRun:
    """Adds the table: sources, their aggregations, what was trained; writes the test's labels."""
    transfer_task, config, decoding = finished.transfer_task, finished.config, writing.decoding
    prepared = prepare_test(transfer_task, test.sentences, test.predictions, test.task)
    shared = shared_layers(config.trainable_layers, run.shared)
    texts = label_test(transfer_task, finished.done, prepared, config, decoding, shared)
    kind, best = list(texts.items())[-1]
    for path, format in label_files(run.path, writing.output_format, TEST).items():
        about = {"labels_from": kind, "decode": finished.done.decoding(decoding, kind)}
        write_labelled(path, best.label_names, [best], format, about)
    size = transfer_task.label_set.size
    others = {name: aggregate_votes(prepared.votes, size, name).labels for name in VOTE_METHODS}
    table = label_table(transfer_task, prepared.votes, {**others, TAGGER: texts["P"].labels})
    write_label_tables(run.path / TEST_VOTES, table.columns, table.label_names, [table])
    rows = baselines(transfer_task, prepared, decoding, aggregations)
    rows += labelled_rows(texts, prepared, config.approach, decoding)
    return finished._replace(rows=rows, scored=error_analysis(texts, prepared))
