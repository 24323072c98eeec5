"""The numbers of a table: means and deviations over seeds, comparisons, the paper's values."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from zsl_jax.evaluation.averages import average
from zsl_jax.experiments.comparison import Comparison, compare, with_bootstrap
from zsl_jax.experiments.plan import Cell, Experiment, Method, Role, Setting, Workplace, cells_of
from zsl_jax.experiments.scores import NAMES, TRAINED, CellResult

AVERAGE = "Avg."
BOLD, UNDERLINED = "bold", "underlined"


class Entry(NamedTuple):
    """One method on one target (or the mean of all targets).

    Attributes:
      by_seed: The score that counts, in percent.
      mean: Over the seeds.
      sd: Likewise, with n - 1; None of a single seed.
      paper: What the paper reports; None where it does not.
      mark: `BOLD`, `UNDERLINED` or None.
    """

    by_seed: Mapping[int, float]
    mean: float
    sd: float | None
    paper: float | None = None
    mark: str | None = None


class Block(NamedTuple):
    """The rows of one setting.

    Attributes:
      setting: Which.
      entries: By method and column; those that are missing are not in it.
      comparisons: By column.
    """

    setting: Setting
    entries: Mapping[str, Mapping[str, Entry]]
    comparisons: Mapping[str, Comparison]

    @property
    def columns(self) -> tuple[str, ...]:
        """The targets and their average."""
        return columns_of(self.setting)


class Table(NamedTuple):
    """All that is known of an experiment.

    Attributes:
      experiment: Which.
      score: Which score of its cells is in the entries.
      blocks: One per setting.
      results: Of the cells that are done.
      missing: The cells that are not.
    """

    experiment: Experiment
    score: str
    blocks: Sequence[Block]
    results: Mapping[Cell, CellResult]
    missing: Sequence[Cell]


def columns_of(setting: Setting) -> tuple[str, ...]:
    """The targets, and their average if there are several."""
    return (*setting.targets, *([AVERAGE] if len(setting.targets) > 1 else []))


def make_table(work: Workplace, results: Mapping[Cell, CellResult], score: str) -> Table:
    """Puts the results together.

    Args:
      work: The experiment and its folders.
      results: Of the cells that are done.
      score: Which score.
    """
    experiment = work.experiment
    blocks = [_block(work, setting, results, score) for setting in experiment.settings]
    missing = [cell for cell in cells_of(experiment) if cell not in results]
    return Table(experiment, score, blocks, results, missing)


def _block(
    work: Workplace, setting: Setting, results: Mapping[Cell, CellResult], score: str
) -> Block:
    experiment, entries = work.experiment, {}
    for method in experiment.methods:
        by_column = scores_by_column(setting, method, results, score)
        paper = experiment.paper.get(setting.name, {}).get(method.name, {})
        values = dict(paper)
        if len(setting.targets) > 1 and set(setting.targets) <= set(paper):
            values[AVERAGE] = sum(paper[t] for t in setting.targets) / len(setting.targets)
        entries[method.name] = {
            column: _entry(by_seed, values.get(column)) for column, by_seed in by_column.items()
        }
    comparisons = {}
    for column in columns_of(setting):
        scores = {name: own[column].by_seed for name, own in entries.items() if column in own}
        found = compare(scores, experiment.methods)
        if found is not None and column in setting.targets and score == experiment.score:
            found = with_bootstrap(work, found, (setting.name, column), results)
        if found is not None:
            comparisons[column] = found
    return Block(setting, _marked(entries, comparisons, experiment.methods), comparisons)


def scores_by_column(
    setting: Setting,
    method: Method,
    results: Mapping[Cell, CellResult],
    score: str,
    labels_from: str | None = None,
) -> dict[str, dict[int, float]]:
    """A method's scores by column and seed; the average is over all targets or not there.

    Args:
      setting: Whose columns.
      method: Which.
      results: Of all cells.
      score: Which score.
      labels_from: Of which labels of the cells; None for those that count.
    """
    found: dict[str, dict[int, float]] = {}
    for cell, result in results.items():
        is_scored = score in result.scores.get(labels_from or result.counts_from, ())
        if (cell.setting, cell.method) == (setting.name, method.name) and is_scored:
            found.setdefault(cell.target, {})[cell.seed] = result.score(score, labels_from)
    if AVERAGE in columns_of(setting) and all(target in found for target in setting.targets):
        seeds = set.intersection(*(set(found[target]) for target in setting.targets))
        if seeds:
            found[AVERAGE] = {
                seed: sum(found[t][seed] for t in setting.targets) / len(setting.targets)
                for seed in sorted(seeds)
            }
    return found


def all_entries(
    table: Table, block: Block, method: Method
) -> Iterator[tuple[str, str, bool, Mapping[str, Entry]]]:
    """A method's entries by column in every score of all its labels.

    Yields:
      Whose labels ("P", "Q" or "votes"), the score, whether these count, and the entries; those
      that count first.
    """
    setting, results = block.setting, table.results
    own = [r for c, r in results.items() if (c.setting, c.method) == (setting.name, method.name)]
    if not own:
        return
    counted = (own[-1].counts_from, table.score)
    yield *counted, True, block.entries[method.name]
    for labels_from, score in itertools.product(TRAINED, NAMES):
        if (labels_from, score) != counted:
            found = scores_by_column(setting, method, results, score, labels_from)
            entries = {column: _entry(by_seed) for column, by_seed in found.items()}
            yield labels_from, score, False, entries


def _entry(by_seed: Mapping[int, float], paper: float | None = None) -> Entry:
    mean, sd = average(list(by_seed.values()))
    return Entry(by_seed, mean, sd if len(by_seed) > 1 else None, paper)


def _marked(
    entries: Mapping[str, Mapping[str, Entry]],
    comparisons: Mapping[str, Comparison],
    methods: Sequence[Method],
) -> dict[str, dict[str, Entry]]:
    """The best of each column bold if the paper's test calls it better, underlined otherwise."""
    compared = [method.name for method in methods if method.role is not Role.BOUND]
    marked = {name: dict(own) for name, own in entries.items()}
    for column, found in comparisons.items():
        best = max(
            (name for name in compared if column in marked[name]),
            key=lambda name: marked[name][column].mean,
        )
        is_bold = best == found.best and found.is_significant
        entry = marked[best][column]
        marked[best][column] = entry._replace(mark=BOLD if is_bold else UNDERLINED)
    return marked


def as_plain(table: Table) -> dict[str, Any]:
    """The table in plain numbers, for JSON and the page."""
    methods = {method.name: method for method in table.experiment.methods}
    return {
        "experiment": table.experiment.name,
        "title": table.experiment.title,
        "score": table.score,
        "seeds": table.experiment.seeds,
        "figure": table.experiment.figure and table.experiment.figure._asdict(),
        "blocks": [
            {
                "setting": block.setting._asdict(),
                "columns": block.columns,
                "rows": [
                    {
                        "name": name,
                        "title": methods[name].title,
                        "group": methods[name].group,
                        "role": methods[name].role,
                        "entries": {column: e._asdict() for column, e in own.items()},
                    }
                    for name, own in block.entries.items()
                    if block.setting.name in methods[name].configs
                ],
                "comparisons": {c: found._asdict() for c, found in block.comparisons.items()},
            }
            for block in table.blocks
        ],
        "cells": [
            {**cell._asdict(), "scores": result.scores, "counts_from": result.counts_from,
             "seconds": result.seconds, "cpu_seconds": result.cpu_seconds}
            for cell, result in table.results.items()
        ],
        "missing": [cell.name for cell in table.missing],
    }  # fmt: skip
