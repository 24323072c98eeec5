"""Tests of zsl_jax.workflows.error_analysis."""

import numpy as np
import pytest

from zsl_jax.types import Sentence, SourceVotes
from zsl_jax.workflows import scoring
from zsl_jax.workflows.error_analysis import error_analysis
from zsl_jax.workflows.labelled_text import LabelledText

GOLD = [
    Sentence(("a", "b", "c"), ("A", "B", "A")),
    Sentence((), ()),
    Sentence(("d", "e"), ("B", "unheard")),
]
VOTES = np.array([[0, 0], [1, -1], [1, 1], [0, 1], [0, 1]])


def test_errors_are_told_apart_by_who_makes_them():
    ids = np.array([1, 0, 1, 1, 1])  # b: its one source is right; c: both are wrong; e: unknown
    probs = np.full((5, 2), 0.25) + 0.5 * np.eye(2)[ids]
    plain = [sentence._replace(labels=None) for sentence in GOLD]
    text = LabelledText(plain, ("A", "B"), ids, probs)
    found = error_analysis({"P": text}, scoring.TestSet(GOLD, SourceVotes(VOTES, None), None))
    errors = found["errors"]
    assert (errors["words"], errors["wrong"], found["labels_from"]) == (5, 4, "P")
    assert [e["word"] for e in errors["no_source"]["examples"]] == ["a", "b"]
    assert [e["word"] for e in errors["all_sources"]["examples"]] == ["c", "e"]
    assert errors["all_sources"]["count"] == 2
    last = errors["all_sources"]["examples"][1]
    assert (last["sentence"], last["gold"], last["predicted"]) == (3, "unheard", "B")
    assert (last["before"], last["after"]) == (("d",), ())
    assert found["calibration"]["P"]["error"] == pytest.approx(0.75 - 1 / 5)
    (part,) = found["calibration"]["P"]["bins"]
    assert (part["num_words"], part["accuracy"]) == (5, pytest.approx(1 / 5))
    assert {"gold": "A", "predicted": "B", "num_words": 2, "share": 1.0} in found["confusions"]
