"""What the methods of an experiment do in a cell; each leaves a finished run folder."""

import dataclasses
import math
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from zsl_jax.data.predictions.prediction_files import read_predictions
from zsl_jax.data.text_shard import TextShard
from zsl_jax.errors import InputError
from zsl_jax.evaluation.metrics import score
from zsl_jax.experiments.corpora import source_sentences
from zsl_jax.experiments.plan import SIMILARITY, Kind, Method, Setting, Workplace
from zsl_jax.experiments.source_models import prepared_models
from zsl_jax.experiments.states import ROW, starting_or_resuming, unfinished_folder
from zsl_jax.io.json_file import plain, read_json_object, write_json
from zsl_jax.io.run_files import RESULT, RUN, TEST
from zsl_jax.training.config import TransferConfig
from zsl_jax.training.config_checks import shared_settings
from zsl_jax.types import Sentence
from zsl_jax.workflows.aggregation_run import run_aggregation
from zsl_jax.workflows.labelled_text import labels_by_sentence
from zsl_jax.workflows.language_similarity import similarity_weights, weighted_mean
from zsl_jax.workflows.resolve_sources import resolve_sources
from zsl_jax.workflows.result_table import kind_of
from zsl_jax.workflows.transfer import transfer


class Job(NamedTuple):
    """All that a method needs in a cell.

    Attributes:
      work: The experiment and its folders.
      setting: Of the cell.
      method: Of the cell.
      target: Of the cell.
      config: With the cell's seed.
      text: Without labels.
      test: With labels.
      folder: Where the run goes.
    """

    work: Workplace
    setting: Setting
    method: Method
    target: str
    config: TransferConfig
    text: Sequence[Sentence]
    test: Sequence[Sentence]
    folder: Path

    @property
    def words(self) -> list[list[str]]:
        """The words of the text."""
        return [list(sentence.words) for sentence in self.text]

    @property
    def about_test(self) -> dict[str, Any]:
        """Arguments of `transfer` about the test."""
        pairs = [(sentence.words, sentence.labels or ()) for sentence in self.test]
        return {"test": pairs, "task": self.work.experiment.task}

    def models(self, languages: Sequence[str]) -> dict[str, str]:
        """The model folders of some languages."""
        return prepared_models(self.work, languages, self.config.seed, (self.text, self.test))


def run_method(job: Job) -> None:
    """Does a cell.

    Raises:
      InputError: A function of the user's leaves no finished run.
    """
    runner = _by_similarity if job.method.uses == SIMILARITY else _RUNNERS[job.method.kind]
    with shared_settings(), starting_or_resuming(job.folder):
        runner(job)


def _transfer(job: Job) -> None:
    models = job.models(job.setting.sources_of(job.target))
    _call(transfer, job, models)


def _call(function: Callable[..., Any], job: Job, models: Mapping[str, str]) -> None:
    """Calls `transfer`, or what stands for it."""
    function(
        job.words, models, job.work.encoder, job.folder,
        config=job.config, cache=job.work.cache, **job.about_test,
    )  # fmt: skip


def _supervised(job: Job) -> None:
    """The model that is trained on the target's gold labels, as it is a source of other targets."""
    _call(transfer, job, job.models([job.target]))


def _function(job: Job) -> None:
    """Runs a function of the user's in a folder that is renamed once it is fit for the table."""
    function = job.method.function
    assert function is not None
    final, job = job.folder, job._replace(folder=unfinished_folder(job.folder))
    if final.exists():
        raise InputError(
            f"{final} holds an unfinished run, and that of the function of the row "
            f"{job.method.name} cannot take its place; delete the folder"
        )
    (job.folder / RESULT).unlink(missing_ok=True)  # of a call that was interrupted after its run
    models = job.models(job.setting.sources_of(job.target))
    try:
        with starting_or_resuming(job.folder):
            _call(function, job, models)
    except SystemExit as stop:  # as of a program's main function
        raise InputError(
            f"the function of the row {job.method.name} ends the program (SystemExit: {stop}); let "
            "it return, or raise an exception"
        ) from stop
    fault = _fault_of_run(job)
    if fault is not None:
        shutil.rmtree(job.folder, ignore_errors=True)
        raise InputError(
            f"the function of the row {job.method.name} {fault}; let it call zsl_jax.transfer with "
            "the output and the test that it is given"
        )
    write_json(job.folder / ROW, {"config": plain(dataclasses.asdict(job.config))})
    job.folder.rename(final)


def _fault_of_run(job: Job) -> str | None:
    """Why what a function has left cannot be compared with other rows."""
    for name in (RUN, RESULT):
        if not (job.folder / name).exists():
            return f"left no {name} in its output"
    rows = read_json_object(job.folder / RESULT).get("rows") or [{}]
    by_kind = {kind_of(row.get("labels_from", "")): row.get("scores") or {} for row in rows}
    last = rows[-1].get("scores") or {}
    if not {"words", "accuracy"} <= last.keys():
        return "left no scores of a test"
    wanted = job.work.experiment.score
    if wanted not in last:
        return f"left no {wanted}, which needs `task`={job.work.experiment.task}, in its scores"
    words = sum(len(sentence.words) for sentence in job.test)
    if last["words"] != words:
        return f"scored {last['words']} words of a test of {words}"
    return _fault_of_labels(job, by_kind)


def _fault_of_labels(job: Job, scores: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Why the labels of the test that a function has left are not those of its scores."""
    file = job.folder / f"{TEST}.parquet"
    if not file.exists():
        return None  # the table names the cell
    labelled = read_predictions(file)
    if [tuple(words) for words in labelled.words] != [tuple(s.words) for s in job.test]:
        return "labelled other sentences than those of the test"
    kind = str(labelled.about.get("labels_from"))
    if "accuracy" not in scores.get(kind, ()):
        return f"left no scores of the labels ({kind}) in {file.name}"
    gold = [sentence.labels or () for sentence in job.test]
    given = labels_by_sentence(labelled.label_names, labelled.words, labelled.labels)
    own, recorded = score(gold, given, "plain")["accuracy"], scores[kind]["accuracy"]
    is_same = math.isclose(recorded, own, abs_tol=1e-6)
    return None if is_same else f"has an accuracy of {own:.4f}, but recorded {recorded:.4f}"


def _aggregation(job: Job) -> None:
    models = job.models(job.setting.sources_of(job.target))
    assert job.method.uses is not None
    run_aggregation(
        job.text, models, job.work.encoder, job.folder, job.method.uses,
        test=job.test, task=job.work.experiment.task, cache=job.work.cache,
        config=job.config,
    )  # fmt: skip


def _by_similarity(job: Job) -> None:
    """Learns from the mean of the sources, weighted by their languages' similarity."""
    sources = job.setting.sources_of(job.target)
    models, length = job.models(sources), job.config.row_length
    texts = {name: source_sentences(job.work, name, job.config.seed) for name in sources}
    cache = job.work.cache
    weights = similarity_weights(job.work.encoder, texts, job.text, job.config, cache)
    mixed = [
        weighted_mean(
            resolve_sources(models, TextShard(plain), length, cache=cache),
            weights,
        )
        for plain in (job.text, [Sentence(sentence.words) for sentence in job.test])
    ]
    transfer(
        job.words, {SIMILARITY: mixed[0]}, job.work.encoder, job.folder,
        config=job.config, cache=cache, test_sources={SIMILARITY: mixed[1]}, **job.about_test,
    )  # fmt: skip


_RUNNERS: dict[Kind, Callable[[Job], None]] = {
    Kind.TRANSFER: _transfer,
    Kind.AGGREGATION: _aggregation,
    Kind.SUPERVISED: _supervised,
    Kind.FUNCTION: _function,
}
