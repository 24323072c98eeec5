"""How the training went, from metrics.jsonl."""

from collections.abc import Sequence
from typing import Any

from zsl_jax.report.charts import Panel, line_charts
from zsl_jax.report.run_record import RunRecord

STEP_PANELS = (
    ("Loss of an update", "loss", False),
    ("Learning rate", "learning_rate", False),
    ("Words per second", "words_per_second", False),
)
ROUND_PANELS = (("Entropy of Q, nats per word", "entropy", False),)
SOURCE_PANELS = (
    ("Agreement with Q", "agreement", True),
    ("Movement of σ from its start", "confusion_moved", True),
)


def learning_section(record: RunRecord) -> dict[str, Any]:
    """The course of the training for the template."""
    steps, rounds = record.lines("step"), record.lines("round")
    begins = _round_starts(steps, rounds)
    panels = [
        Panel(title, {"": _points(steps, "step", key)}, "update", begins, percent)
        for title, key, percent in STEP_PANELS
        if steps
    ]
    if rounds:
        lines = {name: _points(rounds, "round", key) for name, key in _OBJECTIVES.items()}
        same = lines["J"] == lines["bound"]
        panels.append(
            Panel("J per word" if same else "J and its bound, per word",
                  {"": lines["J"]} if same else lines, "round")
        )  # fmt: skip
        panels += [
            Panel(title, {"": _points(rounds, "round", key)}, "round", (), percent)
            for title, key, percent in ROUND_PANELS
        ]
        for title, key, percent in SOURCE_PANELS:
            by_source = _by_source(rounds, key)
            if any(any(y) for _, y in by_source.values()):
                panels.append(Panel(title, by_source, "round", (), percent))
    return {
        "svg": line_charts(panels) if panels else None,
        "num_updates": len(steps),
        "rounds": [_round(line) for line in rounds],
        "last_loss": steps[-1]["loss"] if steps else None,
        "first_loss": steps[0]["loss"] if steps else None,
        "resumed": len(record.lines("resumed")),
        "notes": notes(record, rounds),
    }


_OBJECTIVES = {"J": "objective", "bound": "bound"}


def notes(record: RunRecord, rounds: Sequence[dict[str, Any]]) -> list[str]:
    """Notes on curves that rise or fall by construction, whatever the result."""
    if not rounds:
        return []
    if record.label_model is not None and record.label_model.chain is not None:
        return [
            "Each round trains the tagger anew from its start, so the loss jumps up where a round "
            "begins (dotted lines). That is by construction.",
            "J of the first round is that of the sources alone; the tagger joins in later rounds. "
            "J of different rounds therefore cannot be compared.",
        ]
    mixes = [line["mix"] for line in record.lines("step")]
    if mixes and mixes[0] > mixes[-1]:
        return [
            f"φ is a mixture whose share of the sharp fixed matrices falls from {mixes[0]:.2f} to "
            f"{mixes[-1]:.2f} in this training. As it falls, the same agreement of the sources "
            "costs more and the same disagreement less: the loss and J move by construction, and a "
            "loss that rises does not mean that the tagger gets worse."
        ]
    return []


def _points(lines: Sequence[dict[str, Any]], x: str, y: str) -> tuple[list[float], list[float]]:
    both = [(line[x], line[y]) for line in lines if line.get(y) is not None]
    return [a for a, _ in both], [b for _, b in both]


def _by_source(
    rounds: Sequence[dict[str, Any]], key: str
) -> dict[str, tuple[list[float], list[float]]]:
    names = list(rounds[0].get(key) or {})
    return {
        name: ([line["round"] for line in rounds], [line[key].get(name, 0.0) for line in rounds])
        for name in names
    }


def _round_starts(steps: Sequence[dict[str, Any]], rounds: Sequence[dict[str, Any]]) -> list[int]:
    """The updates at which a round begins; rounds have equally many updates."""
    number = max(len(rounds) - 1, 1)
    per_round = len(steps) // number
    return [per_round * place + 1 for place in range(1, number)] if per_round else []


def _round(line: dict[str, Any]) -> dict[str, Any]:
    agreement = line.get("agreement") or {}
    keys = ("round", "objective", "bound", "entropy")
    return {**{key: line.get(key) for key in keys}, "agreement": agreement}
