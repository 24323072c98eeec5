"""Inputs of several workflows."""

import json

import pytest

from tests import tiny_world


@pytest.fixture(scope="module")
def texts():
    text = [list(s.words) for s in tiny_world.sentences(5, 40)]
    return text, [(s.words, s.labels) for s in tiny_world.sentences(6, 40)]


@pytest.fixture
def spans(tmp_path):
    """The same entity behind a character beyond the basic plane, in both units."""
    for name, start in (("python", 2), ("java", 3)):
        span = {"start": start, "end": start + 2, "label": "X"}
        line = {"text": "\U0001f45e Al ran", "spans": [span]}
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(line), encoding="utf-8")
    return {name: tmp_path / f"{name}.jsonl" for name in ("python", "java")}
