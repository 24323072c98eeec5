"""Whatever bytes predictions and label maps consist of, they are read whole or refused."""

import numpy as np

from tests.data.fuzz_checks import check_predictions
from tests.data.json_lines_inputs import json_lines
from tests.fuzzing import encoded, fuzz, read_or_refuse
from zsl_jax.data.predictions.label_maps import map_labels, read_label_map
from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.data.text import json_spans, known_keys, span_fields
from zsl_jax.data.text.offset_units import UNITS
from zsl_jax.errors import InputError
from zsl_jax.types import Sentence

PREDICTIONS = (
    b'{"label_names": ["O", "X"]}\n'
    b'{"words": ["a", "b"], "labels": ["O", null], "probabilities": [[0.75, 0.25], null]}\n'
    b'{"words": ["c"], "probabilities": [[0.5, 0.5]]}\n'
)


@fuzz
def test_json_predictions(tmp_path, rng):
    data = rng.damaged(PREDICTIONS) if rng.chance(0.5) else json_lines(rng)
    check_predictions(tmp_path / "a.jsonl", data)


@fuzz
def test_column_predictions(tmp_path, rng):
    check_predictions(tmp_path / "a.conll", rng.damaged(b"Anna\tB-PER\nsings\t_\n\n#\tO\n"))


TEXT = [Sentence(("Anna", "sings", ".")), Sentence(("\u05e9\u05dc", "e\u0301"))]
SPANS = (
    '{"text": "Anna sings.", "spans": [{"start": 0, "end": 4, "label": "PER", "score": 0.9}]}\n'
    '{"text": "\u05e9\u05dc e\u0301", "entities": [[0, 2, "LOC"], {"type": "X", "word": "e"}]}\n'
).encode()
LABELS = ("PER", "LOC", "B-PER", "I-PER", "B_PER", "O", "B")
UNREAD = (
    *sorted(known_keys._HARMLESS | known_keys._OF_TEXTS)[::6], "token_start", "index", "at",
    "rawScore", "error", "kb_id", "label_id", "verified", "logit", "polarity",
)  # fmt: skip


def span_object(rng):
    """A span under any of the keys that are read, with a few others."""
    start, end = rng.choice(((0, 4), (0, 4), (5, 10), (rng.randint(-1, 12), rng.randint(-1, 12))))
    label, score = rng.choice(LABELS), rng.uniform(0, 1)
    mention = rng.choice(("Anna", "sings", "anna", "x", "e"))
    flair = [{"value": label, "confidence": score}]
    listed = rng.choice(([label], [f"{label} (0.5)"], flair, [label, label]))
    fields = {
        rng.choice(span_fields.START_KEYS): start, rng.choice(span_fields.END_KEYS): end,
        rng.choice(span_fields.LABEL_KEYS): label,
    }  # fmt: skip
    other = {
        "labels": listed, rng.choice(span_fields.SCORE_KEYS): score, "word": mention,
        rng.choice(span_fields.TEXT_KEYS): mention, rng.choice(span_fields.LABEL_KEYS): label,
        "answer": "accept", rng.choice(UNREAD): rng.scalar(), "meta": rng.scalar(),
        "length": end - start, "category": label, "BeginOffset": start, "EndOffset": end,
    }  # fmt: skip
    return rng.json_object(fields, present=0.9) | rng.json_object(other, present=0.15)


def span(rng):
    """A span as an object or as a list."""
    kind = rng.randrange(8)
    start, end = rng.randint(-1, 12), rng.randint(-1, 12)
    if kind == 0:
        return [start, end, "PER"]
    if kind == 1:
        return ["X", start, end, rng.choice((0.5, 1, 2, None, "1"))]
    return rng.several(rng.scalar, 4) if kind == 2 else span_object(rng)


def span_file(rng):
    """Both lines, with the right texts and mostly some spans amiss."""
    rows = []
    for text in ("Anna sings.", "\u05e9\u05dc e\u0301"):
        row = {rng.choice(json_spans.TEXT_KEYS): text}
        values = rng.several(lambda: span(rng), 4) if rng.chance(0.9) else rng.json_value()
        row[rng.choice(json_spans.LIST_KEYS)] = values
        other = {
            "answer": rng.choice(("accept", "reject", "ignore")), "status": "Discarded",
            "_is_binary": rng.chance(0.5), "tokens": ["Anna"], "relations": [], "id": 1,
            "labels": [{"value": "X", "confidence": 0.5}], "ents": [], "words": ["Anna"],
            rng.choice(UNREAD): rng.json_value(),
        }  # fmt: skip
        rows.append(row | rng.json_object(other, present=0.1))
    return b"\n".join(map(encoded, rows))


@fuzz
def test_span_predictions(tmp_path, rng):
    data = rng.damaged(SPANS) if rng.chance(0.3) else span_file(rng)
    offsets = rng.choice((None, *UNITS))
    predictions = check_predictions(tmp_path / "spans.jsonl", data, TEXT, offsets)
    if predictions is not None and "spans" in predictions.about:
        assert list(predictions.words) == [sentence.words for sentence in TEXT]


LABEL_MAP = b"""PER: PERSON  # one line each
'NO': &a "LOC"
B-X: *a
MISC: null
FAC: [LOC, ORG]
? "\\u00e9"
: |-
  O
"""
PARTS_OF_YAML = (
    "!!int x|!!float x|!!timestamp x|2001-99-99|0x|1_0|.inf|<<: *a|*a|&a|{a: b}|? [a]|!!set {a}|"
    "!!python/name:os.system |!!binary x|!!omap [a]|---|...|%YAML 9.9|[|{|PER: x|~|yes|'|\"|"
    "PER|LOC|O|I-X|[LOC, PER]|[LOC, null]|[]|1e9|0o7|=|<<|!|!!null x|&a *a"
).split("|")
LAUGHS = b"a: &a [x, x]\n" + b"".join(
    b"%c: &%c [*%c, *%c]\n" % (letter, letter, letter - 1, letter - 1)
    for letter in range(ord("b"), ord("z") + 1)
)


def label_map_file(rng):
    """A damaged map, lines of odd YAML, or JSON, which is YAML too."""
    kind = rng.randrange(3)
    if kind == 0:
        return rng.damaged(LABEL_MAP, LABEL_MAP, LABEL_MAP, LAUGHS)
    if kind == 1:
        return encoded(rng.json_value())
    lines = [": ".join(rng.choices(PARTS_OF_YAML, k=2)) for _ in range(rng.randint(0, 4))]
    return "\n".join(lines).encode()


@fuzz
def test_label_maps(tmp_path, rng):
    path = tmp_path / "map.yaml"
    path.write_bytes(label_map_file(rng))
    label_map = read_or_refuse(read_label_map, path)
    if label_map is None:
        return
    for name, target in label_map.targets.items():
        labels = target if isinstance(target, tuple) else (target or "O",)
        assert labels and all(isinstance(value, str) and value for value in (name, *labels))
    predictions = SourcePredictions(
        ("O", "B-PER", "I-PER"), np.array([0, 1, -1], np.int32), None, (("a", "b", "c"),)
    )
    try:
        mapped = map_labels(predictions, label_map, "the source en")
    except InputError as error:
        assert str(path) in str(error)
        return
    assert mapped.labels.shape == (3,) and mapped.labels[2] == -1
    assert mapped.labels.max() < len(mapped.label_names)
