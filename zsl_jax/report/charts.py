"""Pictures as SVG that stands inside a page: small, without outside resources, text as text."""

import io
import itertools
import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

# Okabe and Ito's colours, which colour-blind people can tell apart; lines differ in style as well.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000", "#7A7A00")
STYLES = ("-", "--", "-.", ":")
SETTINGS: Any = {
    "svg.fonttype": "none",  # the page's font; searchable
    "svg.hashsalt": "zsl_jax",  # the same page again
    "text.parse_math": False,
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#8a8f98",
    "axes.labelcolor": "#1b1f24",
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "xtick.color": "#3d444d",
    "ytick.color": "#3d444d",
    "axes.grid": False,
    "legend.frameon": False,
    "legend.fontsize": 8,
}
_SHADE = "Blues"  # one hue: readable in every kind of colour blindness, in grey and on paper
DARK = 0.715  # shades from which on white letters have more contrast than black ones
MOST_POINTS = 300
SHOWN_LABEL = 14  # characters of a name beside a picture


class Panel(NamedTuple):
    """One small line chart.

    Attributes:
      title: Above it.
      lines: By name: the x and y values; unnamed lines are background.
      x_label: Below it.
      marks: x values at which something begins.
      percent: Whether y values are shares.
    """

    title: str
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]]
    x_label: str
    marks: Sequence[float] = ()
    percent: bool = False


def heat_map(
    table: Float[np.ndarray, "R C"],
    rows: Sequence[str],
    columns: Sequence[str],
    axes: tuple[str, str],
    least_shown: float = 0.0,
) -> str:
    """A table of shares as colours, with the numbers in percent.

    Args:
      table: [R, C], between 0 and 1; NaN where there is no number.
      rows: R names.
      columns: C names.
      axes: What rows and columns are.
      least_shown: Smaller numbers are shown by colour alone.
    """
    cell = 0.42 if max(table.shape) <= 12 else 0.3
    width, height = cell * len(columns) + 1.5, cell * len(rows) + 1.35
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(max(width, 2.6), max(height, 2.2)), layout="constrained")
        plot = figure.subplots()
        plot.imshow(np.ma.masked_invalid(table), cmap=_SHADE, vmin=0, vmax=1, aspect="equal")
        plot.set_xticks(range(len(columns)), list(map(_short, columns)), rotation=90)
        plot.set_yticks(range(len(rows)), list(map(_short, rows)))
        plot.set_ylabel(axes[0])
        plot.set_xlabel(axes[1])
        plot.tick_params(length=0)
        plot.spines[:].set_visible(False)
        for row, column in itertools.product(range(len(rows)), range(len(columns))):
            value = table[row, column]
            if np.isfinite(value) and value >= least_shown:
                text, colour = f"{100 * value:.0f}", letters_on(value)
                plot.text(column, row, text, ha="center", va="center", color=colour, fontsize=7.5)
        return svg_of(figure)


def letters_on(value: float) -> str:
    """The colour of letters on the shade of a share."""
    return "#ffffff" if value > DARK else "#000000"


def line_charts(panels: Sequence[Panel]) -> str:
    """Small line charts, three side by side."""
    num_columns, num_rows = 3, -(-len(panels) // 3)
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(3.35 * num_columns, 2.45 * num_rows), layout="constrained")
        plots = figure.subplots(num_rows, num_columns, squeeze=False).ravel()
        for plot in plots:
            plot.set_visible(False)
        for plot, panel in zip(plots, panels, strict=False):
            _draw(plot, panel)
        return svg_of(figure)


def _draw(plot: Any, panel: Panel) -> None:
    plot.set_visible(True)
    plot.set_title(panel.title)
    plot.set_xlabel(panel.x_label)
    for mark in panel.marks:
        plot.axvline(mark, color="#8a8f98", linewidth=0.8, linestyle=":")
    for number, (name, (x, y)) in enumerate(panel.lines.items()):
        places, values = thinned(x, y)
        style = STYLES[number // len(COLOURS) % len(STYLES)]
        marker = "o" if len(places) <= 12 else None
        plot.plot(
            places, values, color=COLOURS[number % len(COLOURS)], linestyle=style, marker=marker,
            markersize=3.5, linewidth=1.4, label=_short(name) or "_none",
        )  # fmt: skip
    if any(panel.lines):
        plot.legend(loc="best", ncols=1 if len(panel.lines) <= 6 else 2)
    if panel.percent:
        plot.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=None, symbol=" %"))
    if all(float(value).is_integer() for x, _ in panel.lines.values() for value in x):
        plot.xaxis.get_major_locator().set_params(integer=True)


def reliability_diagram(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float], Sequence[int]]],
) -> str:
    """How often labels are right, by their probability; below the diagonal they are too sure.

    Args:
      lines: By name: for each range of probabilities its mean, the accuracy, and the words in it.
    """
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(4.2, 4.0), layout="constrained")
        plot = figure.subplots()
        plot.plot([0, 1], [0, 1], color="#8a8f98", linewidth=1, linestyle=":", label="calibrated")
        for number, (name, (probs, accuracies, words)) in enumerate(lines.items()):
            colour, marker = COLOURS[number], "os^D"[number % 4]
            plot.plot(probs, accuracies, STYLES[number], color=colour, linewidth=1.3, label=name)
            sizes = 12 + 150 * np.sqrt(np.array(words) / max(sum(words), 1))
            plot.scatter(probs, accuracies, sizes, color=colour, marker=marker, zorder=3)
        for axis, title in ((plot.xaxis, "probability of the label"), (plot.yaxis, "right")):
            axis.set_major_formatter(PercentFormatter(1.0, decimals=None, symbol=" %"))
            axis.set_label_text(title)
        plot.set_xlim(0, 1.03)
        plot.set_ylim(0, 1.03)
        plot.legend(loc="upper left")
        return svg_of(figure)


def frequency_chart(
    labels: Sequence[str],
    bars: tuple[str, Sequence[float]],
    marks: Mapping[str, Sequence[float]],
    ranges: tuple[str, Sequence[tuple[float, float]]],
) -> str:
    """Words per label: a bar, marks on it, and the range of others.

    Args:
      labels: Their names, from top to bottom.
      bars: A name and a number for each label.
      marks: By name: numbers for each label.
      ranges: A name and the least and the greatest number for each label.
    """
    places = np.arange(len(labels))
    shapes = ("D", "o", "^", "s")
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(8.2, 0.75 + 0.27 * len(labels)), layout="constrained")
        plot = figure.subplots()
        plot.barh(places, bars[1], height=0.62, color="#9ecae1", label=bars[0])
        lows, highs = np.array(ranges[1]).T
        plot.hlines(places, lows, highs, color="#4a4f57", linewidth=1.6, label=ranges[0])
        for number, (name, values) in enumerate(marks.items()):
            colour = COLOURS[number + 1]
            plot.plot(values, places, shapes[number], color=colour, markersize=5, label=name)
        plot.set_yticks(places, list(map(_short, labels)))
        plot.invert_yaxis()
        plot.set_xlim(left=0)
        plot.set_xlabel("words")
        figure.legend(loc="outside upper left", ncols=2 + len(marks))
        plot.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        return svg_of(figure)


def thinned(x: Sequence[float], y: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """At most `MOST_POINTS` points, each the mean of as many.

    >>> thinned(range(4), [1, 2, 3, 4])[1].tolist()
    [1.0, 2.0, 3.0, 4.0]
    """
    table = np.array([x, y], np.float64)
    if table.shape[1] > MOST_POINTS:
        parts = np.array_split(table, MOST_POINTS, axis=1)
        table = np.stack([part.mean(axis=1) for part in parts], axis=1)
    return table[0], table[1]


def _short(name: str) -> str:
    """A name that leaves room for the picture; Matplotlib hides names that begin with _."""
    name = name if len(name) <= SHOWN_LABEL else name[: SHOWN_LABEL - 1] + "…"
    return f"\u200b{name}" if name.startswith("_") else name


def svg_of(figure: Figure) -> str:
    """The figure as an element of HTML, without the parts that only a file needs."""
    target = io.StringIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # letters that the font for measuring lacks
        figure.savefig(target, format="svg", metadata={"Date": None}, transparent=True)
    text = target.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'<g id="[^"]*">', "<g>", text)  # the same in every figure
    text = re.sub(r"font-family: [^;\"]*;?", "", text)
    text = re.sub(r" ?transform=\"rotate\(-0 [^\"]*\)\"", "", text)
    text = re.sub(r">\s+<", "><", text)
    return text.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)
