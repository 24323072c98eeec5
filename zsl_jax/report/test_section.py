"""The results on a labelled test: scores, confusions, calibration, origins of errors."""

from typing import Any

from zsl_jax.report.charts import reliability_diagram
from zsl_jax.report.run_record import RunRecord

ERRORS = {
    "no_source": "No source makes this error",
    "all_sources": "Every source that votes makes an error here, too",
}


def test_section(record: RunRecord) -> dict[str, Any]:
    """The test for the template; "rows" is empty without one."""
    rows, found = record.result.get("rows") or [], record.result.get("test") or {}
    best = max((row["scores"]["score"] for row in rows), default=None)
    errors = found.get("errors") or {}
    return {
        "rows": [{**row, "best": row["scores"]["score"] == best} for row in rows],
        "labels_from": found.get("labels_from"),
        "confusions": found.get("confusions") or [],
        "calibration": found.get("calibration") or {},
        "svg": _diagram(found.get("calibration") or {}),
        "errors": [{"title": title, **errors[kind]} for kind, title in ERRORS.items() if errors],
        "words": errors.get("words"),
        "wrong": errors.get("wrong"),
    }


def _diagram(calibration: dict[str, Any]) -> str | None:
    if not calibration:
        return None
    keys = ("probability", "accuracy", "num_words")
    lines: Any = {
        name: tuple([part[key] for part in found["bins"]] for key in keys)
        for name, found in calibration.items()
    }
    return reliability_diagram(lines)
