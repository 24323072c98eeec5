"""Tests of zsl_jax.workflows.scoring; the scores are tested in those of whole transfers."""

from types import SimpleNamespace

import pytest

from zsl_jax.labels import LabelSet, SourceLabels
from zsl_jax.types import Sentence
from zsl_jax.workflows.scoring import prepare_test

NAMES = LabelSet(("O", "B-PER", "I-PER", "B-LOC", "I-LOC"))
TASK = SimpleNamespace(names=("a",), label_set=NAMES, source_labels=SourceLabels.of(NAMES))


@pytest.mark.parametrize(("label", "is_known"), [("I-PER", True), ("B-PRE", False)])
def test_labels_of_a_test_that_no_source_gives_are_named(label, is_known, caplog):
    prepare_test(TASK, [Sentence(("Ann", "sings"), (label, "O"))], {}, None)
    said = "`test` has the labels PRE, which no source gives, so that every row is wrong there; if"
    assert is_known == (not caplog.messages)
    assert is_known or (said in caplog.text and "they are the target's (LOC, PER)" in caplog.text)
