"""The parts of a written table: rows of cells with marks, whatever the format."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from zsl_jax.experiments.plan import Cell, Method
from zsl_jax.experiments.scores import NAMES, CellResult
from zsl_jax.experiments.table import Block, Entry, Table

SCORE_TITLES = {
    "accuracy": "accuracy",
    "f1_strict": "strict F1",
    "f1_conlleval": "F1 in conlleval's reading",
}
EMPTY = "–"


class Written(NamedTuple):
    """A cell of a grid: text, and how it is marked."""

    text: str
    mark: str | None = None


class Grid(NamedTuple):
    """One table of text.

    Attributes:
      title: Above it.
      columns: Of the numbers.
      rows: Group, title and cells of each.
    """

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, str, Sequence[Written]]]


def grids_of(table: Table, others: Sequence[Table] = ()) -> list[Grid]:
    """A grid per setting; the paper's values with the difference; other scores.

    Args:
      table: Of the score that counts.
      others: Of other scores of the same cells.
    """
    score = SCORE_TITLES[table.score]
    found = [
        _grid(table, block, f"{block.setting.title}: {score}", _mean) for block in table.blocks
    ]
    for block in table.blocks:
        title = f"{block.setting.title}: the paper's {score} (ours minus the paper's)"
        found.append(_grid(table, block, title, _paper))
    for other in others:
        for block in other.blocks:
            title = f"{block.setting.title}: {SCORE_TITLES[other.score]}"
            found.append(_grid(other, block, title, _mean))
    found += _by_other_labels(table)
    return [grid for grid in found if grid.rows]


def _grid(table: Table, block: Block, title: str, write: Callable[[Entry], Written]) -> Grid:
    rows = []
    for method in table.experiment.methods:
        own = block.entries.get(method.name, {})
        if block.setting.name in method.configs:
            cells = [write(own[c]) if c in own else Written(EMPTY) for c in block.columns]
            if any(cell.text != EMPTY for cell in cells):
                rows.append((method.group, method.title, cells))
    return Grid(title, block.columns, rows)


def _mean(entry: Entry) -> Written:
    text = f"{entry.mean:.2f}"
    return Written(text if entry.sd is None else f"{text} ± {entry.sd:.2f}", entry.mark)


def _paper(entry: Entry) -> Written:
    if entry.paper is None:
        return Written(EMPTY)
    return Written(f"{entry.paper:.2f} ({entry.mean - entry.paper:+.2f})")


def _by_other_labels(table: Table) -> Iterator[Grid]:
    """What P gives where Q counts, and the other way round."""
    for block in table.blocks:
        other = "P" if block.setting.labels_from == "Q" else "Q"
        rows = []
        for method in table.experiment.methods:
            cells = [
                _other(table.results, (block, method, target, other), table.score)
                for target in block.setting.targets
            ]
            if any(cell.text != EMPTY for cell in cells):
                rows.append((method.group, method.title, cells))
        what = "by the tagger alone (P)" if other == "P" else "by tagger and sources (Q)"
        score = SCORE_TITLES[table.score]
        yield Grid(f"{block.setting.title}: {score} {what}", block.setting.targets, rows)


def _other(results: Mapping, where: tuple[Block, Method, str, str], score: str) -> Written:
    block, method, target, kind = where
    values = [
        result.scores[kind][score]
        for cell, result in results.items()
        if (cell.setting, cell.method, cell.target) == (block.setting.name, method.name, target)
        and kind in result.scores
        and result.counts_from != kind
    ]
    return Written(f"{sum(values) / len(values):.2f}") if values else Written(EMPTY)


def other_scores(results: Mapping[Cell, CellResult], score: str) -> list[str]:
    """The scores that the results have besides the one that counts."""
    found = {name for result in results.values() for own in result.scores.values() for name in own}
    return [name for name in NAMES if name in found and name != score]


def as_plain_grids(grids: Sequence[Grid]) -> list[dict[str, Any]]:
    """Grids for JSON and the page."""
    return [
        {
            "title": grid.title,
            "columns": grid.columns,
            "rows": [
                {"group": group, "title": title, "cells": [cell._asdict() for cell in cells]}
                for group, title, cells in grid.rows
            ],
        }
        for grid in grids
    ]
