"""A transfer in one call, `zsl_jax.transfer`: sentences and sources in, a tagger and labels out."""

import functools
import numbers
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from zsl_jax.errors import InputError
from zsl_jax.evaluation.metrics import check_task, task_of
from zsl_jax.io.run_files import REPORT
from zsl_jax.io.run_folder import create_run_folder
from zsl_jax.report import check_installed, write_report
from zsl_jax.runtime.compilation import watch_compilations
from zsl_jax.training.config import TransferConfig
from zsl_jax.training.config_checks import (
    check_combination,
    check_gold_words,
    checked_config,
    warn_of_unread,
)
from zsl_jax.types import Sentence
from zsl_jax.workflows.given_text import (
    KnownLabels,
    LabelledSentences,
    PathLike,
    Text,
    check_folders,
    check_output,
    check_switch,
    known_labels,
    labelled_sentences,
    plain_text,
)
from zsl_jax.workflows.gold_words import read_gold_words
from zsl_jax.workflows.label_decoding import AUTO, check_decoding
from zsl_jax.workflows.labelled_text import LabelledText
from zsl_jax.workflows.loaded_tagger import gold_labels, load_tagger
from zsl_jax.workflows.python_run_spec import python_run_spec
from zsl_jax.workflows.resolve_sources import Given, fetched_sources
from zsl_jax.workflows.results import TransferResult, confusion_matrices
from zsl_jax.workflows.source_settings import (
    LabelMaps,
    Offsets,
    check_offsets_are_read,
    checked_settings,
)
from zsl_jax.workflows.tagged_sentence import tagged_sentences
from zsl_jax.workflows.transfer_inputs import transfer_inputs, warn_of_untested
from zsl_jax.workflows.transfer_run import FinishedRun, Writing, run_transfer
from zsl_jax.workflows.transfer_task import prepare_transfer, trainable_models


def transfer(
    text: Text,
    sources: Mapping[str, Given],
    encoder: PathLike | None,
    output: PathLike,
    *,
    config: TransferConfig | None = None,
    test: LabelledSentences | None = None,
    test_sources: Mapping[str, Given] | None = None,
    task: str | None = None,
    label_names: Sequence[str] | None = (),
    sparse: Collection[str] | None = (),
    offsets: Offsets = None,
    label_map: LabelMaps | None = None,
    gold_words: KnownLabels | None = None,
    decode: str = AUTO,
    overwrite: bool = False,
    report: bool = False,
    tensorboard: PathLike | None = None,
    cache: PathLike | None = None,
    save_every_steps: int | None = None,
) -> TransferResult:
    """Trains a tagger for a text from sources' predictions for it; `launch.transfer` in one call.

    The same call again, after an interruption, resumes from the last checkpoint in `output`; the
    result of a finished run is read by `TransferResult.from_folder`.

    Args:
      text: Sentences as lists of words, or the path of a text.
      sources: As for `zsl_jax.aggregate`. Training may start from one that is a model folder.
      encoder: Folder or hub name of the encoder to start from; None where the one source is taken
        as it is (`approach`="direct").
      output: The run's folder, new or empty, in which the tagger is saved, and the text with its
        labels (labels.parquet, labels.conll); it may be in a bucket, as gs://bucket/folder.
      config: Approach, label model and training; by default those of `launch.transfer`.
      test: Labelled sentences as (words, labels), or the path of a labelled text, for the table; it
        is not used in training.
      test_sources: The sources' predictions for the test; functions, models and pipelines annotate
        it themselves.
      task: Score on the test: "pos", "ner" or "plain"; None infers it from the labels.
      label_names: As for `zsl_jax.aggregate`.
      sparse: As for `zsl_jax.aggregate`.
      offsets: As for `zsl_jax.aggregate`; the unit of a source also holds for its predictions in
        `test_sources`.
      label_map: As for `zsl_jax.aggregate`; it also holds for the predictions in `test_sources`.
      gold_words: Sentences of the text whose labels are known, such as corrected ones, in any
        order: (words, labels), with None where a label is not known, or (words, entities) as
        (first word, end, type); or the path of a file, see docs/formats.md.
      decode: How labels of the text and the test follow from probabilities, as for
        `Tagger.predict`.
      overwrite: Replace the result of an earlier run in `output`.
      report: Write report.html, a page about the run, into `output`.
      tensorboard: Folder that gets the metrics for TensorBoard, too.
      cache: A folder that keeps models' predictions and the output of frozen layers for other
        transfers of the same text.
      save_every_steps: Updates between two checkpoints; None saves at the end of a round only.

    Returns:
      The text with its labels, the table if there is a test, and a report on each source. Its
      `tagger` is read from `output` when it is first used.

    Raises:
      InputError: A source cannot be read or has other words; or `output` is that of another run.
    """
    check_decoding(decode)
    check_switch("report", report)
    check_folders(tensorboard=tensorboard, cache=cache)
    if report:
        check_installed()
    watch_compilations()
    config = checked_config(config, TransferConfig)
    check_combination(config)
    check_gold_words(config, gold_words is not None)
    warn_of_unread(config)
    sources = fetched_sources(sources)
    settings = checked_settings(sources, label_names, sparse, offsets, label_map)
    inputs = transfer_inputs(sources, test_sources, settings, config.row_length, cache)
    check_offsets_are_read(offsets, sources, inputs.test_sources)
    start_path = inputs.start(config, encoder)
    writing = Writing(decoding=decode, save_every_steps=_checked_steps(save_every_steps))
    given_gold = None if gold_words is None else known_labels(gold_words, "gold_words")
    read = {"text": text, "test": test, "encoder": start_path, "gold_words": gold_words}
    check_output(output, overwrite, read, inputs.paths())
    gold, read_as = _labelled_test(test, test_sources, task)
    if gold is not None:
        warn_of_untested(inputs.untested())
    shard, start = plain_text(text), load_tagger(start_path)
    found = inputs.predictions(shard)
    known = () if given_gold is None else read_gold_words(given_gold, [shard], [found])
    spec = python_run_spec(
        config, start_path, {"text": shard.sentences}, found, known, decode=decode
    )
    spec = spec._replace(free_flags=("decode",))
    run = create_run_folder(output, spec, overwrite, tensorboard)
    run = run._replace(shared=None if cache is None else Path(cache))
    with run.held():
        transfer_task = prepare_transfer(
            start, [shard.sentences], [found], config.row_length, run.path / "sources", known,
            models=trainable_models(list(inputs.named().values())),
        )  # fmt: skip
        read_test = None
        if gold is not None:
            read_test = functools.partial(inputs.labelled_test, gold, task, read_as)
        finished = run_transfer(transfer_task, config, run, [shard], read_test, writing)
    if report:
        write_report(run.path, run.path / REPORT)
    return _result(run.path, config, shard.sentences, finished)


def _checked_steps(steps: int | None) -> int | None:
    whole = isinstance(steps, numbers.Integral) and not isinstance(steps, bool)
    if steps is not None and (not whole or steps < 1):
        raise InputError(f"`save_every_steps`={steps!r} must be a whole number from 1, or None")
    return None if steps is None else int(steps)


def _labelled_test(
    test: LabelledSentences | None, test_sources: Mapping[str, Given] | None, task: str | None
) -> tuple[list[Sentence] | None, Mapping[str, Any]]:
    """The labelled test, whose labels fit the task, and how these were read."""
    if test is None:
        check_task(task)
        if test_sources:
            raise InputError("`test_sources` is given without `test`; give both, or omit it")
        return None, {}
    gold, read_as = labelled_sentences(test, "test")
    task_of(gold_labels(gold, "test"), task)
    return gold, read_as


def _result(
    folder: Path, config: TransferConfig, text: Sequence[Sentence], finished: FinishedRun
) -> TransferResult:
    """What came of a transfer, as Python users get it."""
    task, labels = finished.transfer_task, finished.labels
    names = task.label_set.names
    block = LabelledText(text, names, labels.ids, labels.probs)
    learned = confusion_matrices(task.names, task.source_labels, finished.done.log_confusion)
    return TransferResult(
        folder=folder,
        row_length=config.row_length,
        sentences=list(tagged_sentences(block)),
        rows=list(finished.rows),
        report=finished.report,
        label_names=names,
        confusion=learned,
    )
