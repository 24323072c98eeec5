"""Which labels are given how often, by whom, and which of them were lost or came anew."""

from typing import Any

import numpy as np

from zsl_jax.data.predictions.label_table import SOURCE, TAGGER
from zsl_jax.labels import OUTSIDE, SILENT
from zsl_jax.report.charts import frequency_chart
from zsl_jax.report.sources_section import label_order
from zsl_jax.report.text_statistics import TextStatistics

MOST_BARS = 30
NAMES = {TAGGER: "P"}


def labels_section(text: TextStatistics) -> dict[str, Any]:
    """The labels for the template."""
    sources = text.sources
    same = {text.columns[0], TAGGER if text.columns[0] == "P" else ""}
    others = [n for n, c in enumerate(text.columns) if c not in same and n not in sources]
    used = np.flatnonzero(text.counts.any(axis=0))
    names = tuple(text.label_names[label] for label in used)
    order = [int(used[place]) for place in label_order(names, text.counts[0][used])]
    columns = [0, *others, *sources]
    rows = [
        {"name": text.label_names[label], "counts": text.counts[columns, label].tolist()}
        for label in order
    ]
    return {
        "reference": text.columns[0],
        "columns": [column_name(text.columns[column]) for column in columns],
        "rows": rows,
        "svg": _chart(text, order, sources),
        "without_outside": text.has_entities,
        "changes": changes(text, order, sources),
    }


def column_name(column: str) -> str:
    """The name of a labelling on the page."""
    return NAMES.get(column, column.removeprefix(SOURCE))


def _chart(text: TextStatistics, order: list[int], sources: list[int]) -> str | None:
    shown = [label for label in order if text.label_names[label] not in (OUTSIDE, SILENT)]
    shown = shown[:MOST_BARS]
    if not shown:
        return None
    counts = text.counts[:, shown]
    given = counts[sources]
    marks = {}
    for column in ("majority", TAGGER):
        if column in text.columns and column_name(column) != text.columns[0]:
            marks[column_name(column)] = counts[text.columns.index(column)].tolist()
    return frequency_chart(
        [text.label_names[label] for label in shown],
        (text.columns[0], counts[0].tolist()),
        marks,
        ("sources, from least to most", list(zip(given.min(0), given.max(0), strict=True))),
    )


def changes(text: TextStatistics, order: list[int], sources: list[int]) -> list[str]:
    """Labels that the sources give and Q or P does not, and the other way round, in words."""
    found = []
    given = text.counts[sources].sum(axis=0)
    targets = {text.columns[0]: 0}
    if TAGGER in text.columns and text.columns[0] != "P":
        targets["P"] = text.columns.index(TAGGER)
    plain = [label for label in order if label < text.num_labels]
    for title, column in targets.items():
        lost = [label for label in plain if given[label] and not text.counts[column, label]]
        if lost:
            listed = ", ".join(f"{text.label_names[n]} {int(given[n]):,}" for n in lost)
            found.append(f"{title} never gives these labels; the sources together do: {listed}.")
    unsaid = {OUTSIDE} if SILENT in text.label_names else set()  # O of sparse sources is silence
    new = [text.label_names[n] for n in plain if not given[n] and text.label_names[n] not in unsaid]
    if new:
        found.append(f"No source gives {', '.join(new)}.")
    return found
