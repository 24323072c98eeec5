"""What came of the cells that are done."""

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from zsl_jax.data.predictions.label_table import SOURCE, TAGGER, read_label_tables
from zsl_jax.data.predictions.prediction_files import read_predictions
from zsl_jax.errors import InputError
from zsl_jax.experiments.plan import Cell, Workplace
from zsl_jax.experiments.states import is_done, reading
from zsl_jax.io.json_file import read_json_object
from zsl_jax.io.run_files import RESULT, RUN, TEST, TEST_VOTES
from zsl_jax.workflows.labelled_text import labels_by_sentence
from zsl_jax.workflows.result_table import kind_of

TRAINED = ("P", "Q", "votes")
BEST_SOURCE = "best_source"  # labels of the source that agrees best with the label model
NAMES = ("accuracy", "f1_strict", "f1_conlleval")


class CellResult(NamedTuple):
    """The outcome of a cell.

    Attributes:
      scores: By "P", "Q", "votes" or "best_source": the scores by name, in percent.
      counts_from: Which of these counts in the cell's setting.
      seconds: Between the (last) start and the end of its run.
      devices: On which it ran.
      versions: Of the packages.
      cpu_seconds: Processor time in `seconds`; None if it was not recorded.
    """

    scores: Mapping[str, Mapping[str, float]]
    counts_from: str
    seconds: float
    devices: str
    versions: Mapping[str, str]
    cpu_seconds: float | None = None

    def score(self, name: str, labels_from: str | None = None) -> float:
        """A score of the labels that count, or of others that the cell has."""
        return self.scores[labels_from or self.counts_from][name]


def read_results(work: Workplace, cells: Sequence[Cell]) -> dict[Cell, CellResult]:
    """The outcomes of those cells that are done."""
    found = {}
    for cell in cells:
        if is_done(work.folder(cell)):
            with reading(work.folder(cell)):
                found[cell] = read_result(work, cell)
    return found


def read_result(work: Workplace, cell: Cell) -> CellResult:
    """The outcome of a cell.

    Raises:
      InputError: Its records have no scores of a test.
    """
    folder = work.folder(cell)
    run, result = read_json_object(folder / RUN), read_json_object(folder / RESULT)
    rows = result.get("rows") or ()
    last = {kind_of(row["labels_from"]): row["scores"] for row in rows}
    scores = {kind: _in_percent(last[kind]) for kind in _kinds_of(rows)}
    if not scores:
        raise InputError(
            f"{folder / RESULT} has no scores of a test; copy it again from where it ran"
        )
    wanted = work.experiment.setting(cell.setting).labels_from
    counts_from = wanted if wanted in scores else next(iter(scores))
    by_source = {row["name"]: row["scores"] for row in rows if row["labels_from"] == "source"}
    best = _best_source(result)
    if best in by_source:
        scores[BEST_SOURCE] = _in_percent(by_source[best])
    start = (run.get("resumed") or [run])[-1].get("started", run["started"])
    begun, ended = map(datetime.datetime.fromisoformat, (start, result["finished"]))
    seconds = (ended - begun).total_seconds()
    devices, spent = str(result.get("devices")), result.get("cpu_seconds")
    return CellResult(scores, counts_from, seconds, devices, run["versions"], spent)


def _in_percent(scores: Mapping[str, Any]) -> dict[str, float]:
    return {name: 100 * float(scores[name]) for name in NAMES if name in scores}


def _best_source(result: Mapping[str, Any]) -> str | None:
    """The name of the source with the highest agreement in a run's report; None without one."""
    reports = (result.get("sources") or {}).get("sources") or ()
    agreement = {own["name"]: own["agreement"] for own in reports if own.get("agreement")}
    return max(agreement, key=lambda name: agreement[name], default=None)


def _kinds_of(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The kinds of labels that the method gives: the last rows, which have one name."""
    kinds = [kind_of(row["labels_from"]) for row in rows if row["name"] == rows[-1]["name"]]
    return [kind for kind in kinds if kind in TRAINED]


def has_test_labels(work: Workplace, cell: Cell) -> bool:
    """Whether the file with the labels of a cell's test is there."""
    return _test_file(work, cell).exists()


def _test_file(work: Workplace, cell: Cell) -> Path:
    return work.folder(cell) / f"{TEST}.parquet"


def predicted_labels(work: Workplace, cell: Cell, kind: str) -> list[tuple[str, ...]] | None:
    """The labels of each sentence of the test by a key of `CellResult.scores`, or None."""
    folder, file = work.folder(cell), _test_file(work, cell)
    if not file.exists():
        return None
    with reading(folder):
        made = read_predictions(file)
    if made.about.get("labels_from") == kind:
        return labels_by_sentence(made.label_names, made.words, made.labels)
    best = _best_source(read_json_object(folder / RESULT)) if kind == BEST_SOURCE else None
    column = {"P": TAGGER, BEST_SOURCE: f"{SOURCE}{best}"}.get(kind)
    if column is None or not (folder / TEST_VOTES).exists():
        return None
    with reading(folder):
        tables = list(read_label_tables(folder / TEST_VOTES))
    if column not in tables[0].columns:
        return None
    ids = np.concatenate([table.column(column) for table in tables])
    return labels_by_sentence(tables[0].label_names, made.words, ids)
