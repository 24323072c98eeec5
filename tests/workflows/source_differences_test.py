"""Warnings of sources whose types or numbers of entities differ from those of the others."""

import numpy as np
import pytest
import yaml

from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.labels import LabelSet
from zsl_jax.workflows.source_differences import compare_sources


def said(labels, sets=None):
    """Predictions for one sentence; "_" abstains."""
    names = LabelSet.from_labels([set(labels.split()) - {"_"}]).names
    ids = np.array([names.index(n) if n != "_" else -1 for n in labels.split()], np.int32)
    return SourcePredictions(names, ids, None, (("w",) * len(ids),), sets=sets or {})


def warnings(caplog, *parts):
    with caplog.at_level("WARNING", "absl"):
        compare_sources(parts)
    return [record.getMessage() for record in caplog.records]


def draft(message):
    """The label map that a warning has."""
    return yaml.safe_load(message.partition("\n")[2])


def test_a_type_of_one_source_gets_a_drafted_label_map(caplog):
    parts = {
        "a": said("B-PER I-PER O B-LOC B-LOC O B-ORG"),
        "b": said("B-PERSON I-PERSON O B-GPE O B-MISC B-ORG"),
    }
    (message,) = warnings(caplog, parts)
    assert message.startswith("source b alone has the types GPE, MISC, PERSON; ")
    assert "`label_map`=b=FILE" in message
    assert draft(message) == {"PERSON": "PER", "GPE": "LOC", "MISC": "MISC", "ORG": "ORG"}


def test_types_of_several_sources_are_targets_wherever_they_stand(caplog):
    parts = [
        {"a": said("B-person O"), "b": said("B-PER O"), "c": said("B-PER O")},
        {"a": said("B-person"), "b": said("O"), "c": said("B-PER")},
    ]
    (message,) = warnings(caplog, *parts)
    assert message.startswith("source a alone has the types person; ")
    assert draft(message) == {"person": "PER"}


def test_plain_labels_that_differ_by_case_get_a_drafted_label_map(caplog):
    parts = {"a": said("NOUN VERB X ADP"), "b": said("noun X VERB SYM"), "c": said("VERB X NOUN X")}
    (message,) = warnings(caplog, parts)
    assert message.startswith("source b alone has the labels noun; ")
    expected = {"noun": "NOUN", "VERB": "VERB", "X": "X", "SYM": "SYM"}
    assert "`label_map`=b=FILE" in message and draft(message) == expected


def test_a_source_that_shares_no_plain_label_with_the_others_is_warned_of(caplog):
    (message,) = warnings(caplog, {"a": said("NOUN VERB NOUN"), "b": said("NNP VBZ NNP")})
    assert message.startswith("source b alone has the labels NNP, VBZ; ")
    assert draft(message) == {"NNP": "NOUN", "VBZ": "VERB"}
    caplog.clear()
    (message,) = warnings(caplog, {"a": said("NOUN _"), "b": said("_ VBZ")})
    assert "VBZ: VBZ  # no other source has it" in message


@pytest.mark.parametrize(
    "parts",
    [
        {"a": said("B-PER O"), "b": said("I-PER O")},
        {"a": said("B-PER O"), "b": said("_ _")},
        {"a": said("NOUN VERB X"), "b": said("NOUN VERB SYM")},
        {"a": said("NOUN O"), "b": said("_ _")},
        {"a": said("B-PER B-LOC"), "b": said("B-PER|LOC B-LOC", {"PER|LOC": ("PER", "LOC")})},
        {"a": said("B-PER B-LOC"), "b": said("B-PER O")},
    ],
)
def test_sources_of_the_same_types_are_not_warned_of(caplog, parts):
    assert not warnings(caplog, parts)


def test_a_source_that_names_far_fewer_entities_is_warned_of(caplog):
    many = "B-X " * 20 + "O " * 20
    few = "B-X " * 3 + "O " * 37
    (message,) = warnings(caplog, {"a": said(many), "b": said(many), "list": said(few)})
    assert message.startswith("source list has entities on 3 words, the others on about 20: ")
    assert "`sparse`=list" in message
    caplog.clear()
    silent = few.replace("O", "_")
    assert not warnings(caplog, {"a": said(many), "b": said(many), "list": said(silent)})
    caplog.clear()
    assert not warnings(caplog, {"a": said("B-X " * 4 + "O"), "b": said(many[:16])})
