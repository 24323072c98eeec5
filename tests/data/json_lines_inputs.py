"""Lines of JSON with words, labels and probabilities that are mostly right."""

from typing import Any

from tests.fuzzing import Generator, encoded

_WORDS = ("a", "b c", "\u200b", "e\u0301")
_LABELS = ("O", "X", None)
_PROBS = ([0.5, 0.5], [1.0, 0.0], [1, 0], [0, 0], None)
_NAMES = (["O", "X"], ["X", "O"], ["X"], ["O", "O"], [])


def json_row(rng: Generator) -> dict[str, Any]:
    """One sentence whose lists have the same length, with at most a few values amiss."""
    count = rng.randint(0, 3)
    row: dict[str, Any] = {
        rng.choice(("words", "tokens")): rng.choices(_WORDS, k=count),
        rng.choice(("labels", "tags", "ner_tags")): rng.choices(_LABELS, k=count),
    }
    if rng.chance(0.5):
        row["probabilities"] = [list(p) if p else p for p in rng.choices(_PROBS, k=count)]
        row["label_names"] = list(rng.choice(_NAMES))
    if rng.chance(0.2):
        del row[rng.choice(list(row))]
    for values in row.values():
        if values and rng.chance(0.1):
            values[rng.randrange(len(values))] = rng.json_value()
    if row and rng.chance(0.1):
        row[rng.choice(list(row))] = rng.json_value()
    if rng.chance(0.2):
        row[rng.choice(("id", "scores", "pos_tags", "valid", "text", "comments"))] = (
            rng.json_value()
        )
    return row


def json_lines(rng: Generator) -> bytes:
    """A file of at most three lines."""
    rows = [json_row(rng) if rng.chance(0.9) else rng.json_value() for _ in range(3)]
    return b"\n".join(encoded(row) for row in rows[: rng.randint(1, 3)])
