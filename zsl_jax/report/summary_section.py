"""The run in one sentence, with the numbers that matter and the warnings."""

from typing import Any

from zsl_jax.evaluation.warning_signs import labelling_phrase
from zsl_jax.report.run_record import RunRecord
from zsl_jax.report.text_statistics import TextStatistics


def summary_section(record: RunRecord, text: TextStatistics) -> dict[str, Any]:
    """The summary for the template."""
    sources = record.result["sources"]
    reports = sources["sources"]
    ranked = sorted(reports, key=_trust, reverse=True)
    rows = record.result.get("rows") or []
    return {
        "name": record.folder.resolve().name,
        "approach": record.approach,
        "label_model": _label_model(record),
        "reference": record.labels_from,
        "num_words": text.num_words,
        "num_sentences": text.num_sentences,
        "source_names": [report["name"] for report in reports],
        "most_trusted": ranked[0],
        "least_trusted": ranked[-1] if len(ranked) > 1 else None,
        "by_entities": reports[0].get("entity_agreement") is not None,
        "changed": {_labelling(name): 1 - s for name, s in sources["same_labels"].items()},
        "expected_errors": text.expected_errors / max(text.num_words, 1),
        "warnings": sources["warnings"],
        "last_row": rows[-1] if rows else None,
        "verdict": record.result.get("verdict"),
    }


def _labelling(name: str) -> str:
    of_sources = " of the sources" if name in ("majority", "mean") else ""
    return labelling_phrase(name) + of_sources


def _trust(report: dict[str, Any]) -> float:
    entities = report.get("entity_agreement")
    return float(report["agreement"] if entities is None else entities)


def _label_model(record: RunRecord) -> str | None:
    if record.label_model is None:
        return None
    return "paper’s model" if record.label_model.chain is None else "chain"
