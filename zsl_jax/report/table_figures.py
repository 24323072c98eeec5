"""Figures of an experiment's table: scores by method, or along sizes and temperatures."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from zsl_jax.report.charts import COLOURS, SETTINGS, STYLES

AVERAGE = "Avg."
_MARKERS = "os^Dvp"


def figures_of(table: Mapping[str, Any]) -> dict[str, Figure]:
    """The figures of a table by their file names.

    Args:
      table: What table.json holds.
    """
    with matplotlib.rc_context(SETTINGS):
        if table["figure"] is not None:
            across = _across_settings if table["figure"]["across"] == "settings" else _across_rows
            lines = across(table)
            return {table["experiment"]: _lines(lines, table["figure"]["x_label"], table["score"])}
        return {
            f"{table['experiment']}-{block['setting']['name']}": _dots(block, table["score"])
            for block in table["blocks"]
            if any(row["entries"] for row in block["rows"])
        }


def _dots(block: Mapping[str, Any], score: str) -> Figure:
    """A line of dots for each method: its targets, and their mean with the deviation over seeds."""
    rows = [row for row in block["rows"] if row["entries"]]
    figure = Figure(figsize=(8.2, 1.1 + 0.3 * len(rows)), layout="constrained")
    plot = figure.subplots()
    for number, column in enumerate(block["columns"]):
        there = [(p, r["entries"][column]) for p, r in enumerate(rows) if column in r["entries"]]
        if not there:
            continue
        places, entries = zip(*there, strict=True)
        means, deviations = [e["mean"] for e in entries], [e["sd"] or 0 for e in entries]
        is_average = column == AVERAGE
        plot.errorbar(
            means, places, xerr=deviations, label=column, linestyle="none",
            marker="D" if is_average else _MARKERS[number % len(_MARKERS)],
            color="#000000" if is_average else COLOURS[number % len(COLOURS)],
            markersize=7 if is_average else 5, elinewidth=1,
        )  # fmt: skip
    plot.set_yticks(range(len(rows)), [f"{row['title']} – {row['group']}" for row in rows])
    plot.invert_yaxis()
    plot.grid(axis="y", color="#d8dee4", linewidth=0.6)
    plot.set_xlabel(_score_label(score, (e["sd"] for r in rows for e in r["entries"].values())))
    figure.legend(loc="outside upper left", ncols=len(block["columns"]))
    return figure


def _score_label(score: str, deviations: Iterable[float | None]) -> str:
    """The label of an axis; there are deviations if some point has several seeds."""
    several = any(deviation is not None for deviation in deviations)
    return f"{score}, %" + (" (± standard deviation over seeds)" if several else "")


Point = tuple[float, float, float | None]  # x, mean and deviation
Lines = Mapping[str, Sequence[Point]]  # by name


def _lines(lines: Lines, x_label: str, score: str) -> Figure:
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    plot = figure.subplots()
    styles = itertools.cycle(zip(COLOURS, itertools.cycle(STYLES), itertools.cycle(_MARKERS)))
    for (name, points), (colour, style, marker) in zip(lines.items(), styles, strict=False):
        if points:
            x, means, deviations = zip(*sorted(points), strict=True)
            plot.errorbar(
                x, means, yerr=[one or 0 for one in deviations], label=name,
                color=colour, linestyle=style, marker=marker, capsize=2, linewidth=1.4,
            )  # fmt: skip
    plot.set_xlabel(x_label)
    plot.set_ylabel(_score_label(score, (sd for line in lines.values() for *_, sd in line)))
    if any(lines.values()):
        plot.legend(loc="best")
    return figure


def _across_settings(table: Mapping[str, Any]) -> Lines:
    """A line for each method; the settings' names are numbers."""
    lines: dict[str, list[Point]] = {}
    for block in table["blocks"]:
        for row in block["rows"]:
            points = lines.setdefault(f"{row['title']} – {row['group']}", [])
            entry = row["entries"].get(block["columns"][-1])
            if entry is not None:
                points.append((float(block["setting"]["name"]), entry["mean"], entry["sd"]))
    return lines


def _across_rows(table: Mapping[str, Any]) -> Lines:
    """A line for each target of each setting; the rows' titles are numbers."""
    lines: dict[str, list[Point]] = {}
    several = len(table["blocks"]) > 1
    for block in table["blocks"]:
        for column in block["columns"]:
            lines[f"{block['setting']['title']}, {column}" if several else column] = [
                (float(row["title"]), row["entries"][column]["mean"], row["entries"][column]["sd"])
                for row in block["rows"]
                if column in row["entries"]
            ]
    return lines
