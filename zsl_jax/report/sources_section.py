"""The sources: their coverage, agreement and confusions."""

from typing import Any

import numpy as np
from jaxtyping import Float

from zsl_jax.data.predictions.label_table import SOURCE
from zsl_jax.labels import SILENT, is_bio
from zsl_jax.report.charts import heat_map
from zsl_jax.report.doubtful_sentences import Excerpt
from zsl_jax.report.run_record import RunRecord
from zsl_jax.report.text_statistics import TextStatistics

MOST_LABELS = 20  # of a confusion matrix that can still be read
CONTEXT = 9  # words on each side
LEAST_SHOWN = 0.05  # as a number in a confusion matrix


def sources_section(record: RunRecord, text: TextStatistics) -> dict[str, Any]:
    """The sources for the template."""
    reports = record.result["sources"]["sources"]
    places = [0, *text.sources]
    names = [text.columns[place].removeprefix(SOURCE) for place in places]
    table = text.agreement[np.ix_(places, places)]
    return {
        "reports": [_source(record, text, report) for report in reports],
        "entities": any(report.get("entity_agreement") is not None for report in reports),
        "has_model": record.label_model is not None,
        "agreement": {
            "names": names,
            "table": [[None if np.isnan(x) else float(x) for x in row] for row in table],
            "svg": heat_map(table, names, names, ("", "")),
            "of_entities": text.has_entities,
        },
        "lost_mentions": lost_mentions(record),
    }


def lost_mentions(record: RunRecord) -> list[dict[str, Any]]:
    """Sources that named entities which do not stand in the text, as language models do."""
    read = record.result.get("labels", {}).get("source", {})
    return [
        {"name": name, "count": about["lost_mentions"], "examples": about.get("lost_examples", "")}
        for name, about in read.items()
        if about.get("lost_mentions")
    ]


def _source(record: RunRecord, text: TextStatistics, report: dict[str, Any]) -> dict[str, Any]:
    """One source: its numbers, its confusion matrix, and its mistakes in context."""
    confusions = [
        {**found, "examples": [in_context(e) for e in _examples(text, report["name"], found)]}
        for found in report["confusions"]
    ]
    return {**report, "confusions": confusions, "svg": _confusion_svg(record, text, report["name"])}


def _examples(text: TextStatistics, source: str, found: dict[str, Any]) -> list[Excerpt]:
    return text.examples.get((source, found["predicted"], found["inferred"]), [])


def in_context(excerpt: Excerpt) -> dict[str, Any]:
    """A word of a sentence with those around it."""
    first, stop = max(excerpt.place - CONTEXT, 0), excerpt.place + CONTEXT + 1
    return {
        "number": excerpt.number,
        "before": excerpt.words[first : excerpt.place],
        "word": excerpt.words[excerpt.place],
        "after": excerpt.words[excerpt.place + 1 : stop],
        "cut_before": first > 0,
        "cut_after": stop < len(excerpt.words),
    }


def _confusion_svg(record: RunRecord, text: TextStatistics, name: str) -> dict[str, Any] | None:
    """φ of a source as a picture: its labels by the true ones, frequent labels first."""
    model = record.label_model
    if model is None:
        return None
    label_set, names = model.source_labels.label_set, model.source_labels.names
    table = np.exp(model.log_confusion[model.source_names.index(name)].astype(np.float64))
    order = label_order(label_set.names, text.counts[0][: label_set.size])
    shown = order[:MOST_LABELS]
    given = [*shown, *range(label_set.size, len(names))]
    true_names = [label_set.names[label] for label in shown]
    svg = heat_map(
        table[np.ix_(given, shown)], [names[label] for label in given], true_names,
        ("the source's label", "true label, as the model sees it"), LEAST_SHOWN,
    )  # fmt: skip
    return {"svg": svg, "left_out": len(order) - len(shown)}


def label_order(names: tuple[str, ...], counts: Float[np.ndarray, " K"]) -> list[int]:
    """Labels by frequency; those of one entity type stand together.

    >>> label_order(("B-LOC", "B-PER", "I-LOC", "O"), np.array([2, 3, 2, 9]))
    [3, 0, 2, 1]
    """
    by_type = is_bio({*names} - {SILENT})
    types = [name.split("-", 1)[-1] if by_type else name for name in names]
    of_type = {
        kind: sum(c for c, t in zip(counts, types, strict=True) if t == kind) for kind in types
    }
    first = {kind: place for place, kind in reversed(list(enumerate(types)))}
    return sorted(
        range(len(names)),
        key=lambda label: (-of_type[types[label]], first[types[label]], names[label]),
    )
