import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from zsl_jax.errors import InputError
from zsl_jax.io.label_model_file import (
    FILE,
    LabelModel,
    StoredChain,
    read_label_model,
    save_label_model,
)
from zsl_jax.labels import LabelSet, SourceLabels

ABOUT = {
    "source_names": ["en", "de"],
    "alphabet": {"names": ["O", "X", "Y"], "targets": [[0], [1], [2]]},
    "prior_weight": 0,
    "source_weight": [1.0, 0.5],
    "predictions": "hard",
}
ALPHABET = SourceLabels.of(LabelSet(("O", "X", "Y")))
TABLE = np.log(np.full((2, 3, 3), 1 / 3, np.float32))


def write(folder, about=ABOUT, table=TABLE, name="log_confusion"):
    save_file({name: table}, folder / FILE, {"label_model": json.dumps(about)})
    return folder


def test_what_is_saved_is_read_back(tmp_path):
    with np.errstate(divide="ignore"):
        table = np.log(np.eye(3, dtype=np.float32)[None].repeat(2, axis=0))
    model = LabelModel(("en", "de"), ALPHABET, table, 1.5, (1.0,), "soft")
    save_label_model(tmp_path, model)
    found = read_label_model(tmp_path)
    np.testing.assert_array_equal(found.log_confusion, table)
    assert found._replace(log_confusion=None) == model._replace(log_confusion=None)
    assert [file.name for file in tmp_path.iterdir()] == [FILE]
    before = read_label_model(write(tmp_path))  # as files were before they recorded the decoding
    assert (before.source_weight, before.decoding) == ((1.0, 0.5), "argmax")


def test_matrices_with_more_rows_than_columns(tmp_path):
    source_labels = SourceLabels.of(LabelSet(("O", "X")), {"O|X": ("O", "X")})
    with np.errstate(divide="ignore"):
        table = np.log(np.array([[[0.5, 0], [0, 0], [0.5, 1]]], np.float32))
    save_label_model(tmp_path, LabelModel(("en",), source_labels, table, 1.0, (1.0,), "hard"))
    found = read_label_model(tmp_path)
    assert found.source_labels == source_labels
    np.testing.assert_array_equal(found.log_confusion, table)


def test_no_label_model(tmp_path):
    with pytest.raises(InputError, match="nothing is known about its sources"):
        read_label_model(tmp_path)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"about": {**ABOUT, "alphabet": {"names": ["O", "X"], "targets": [[0], [1]]}}},
            "expected .*2, 2",
        ),
        (
            {"about": {**ABOUT, "alphabet": {"names": ["O", "X", 3], "targets": [[0], [1], [2]]}}},
            "is not a non-empty string",
        ),
        ({"about": {**ABOUT, "source_weight": [1.0, 1.0, 1.0]}}, "source_weight"),
        (
            {"about": {**ABOUT, "source_weight": [1.0, float("nan")]}},
            "a weight is not a number of at least 0",
        ),
        ({"about": {**ABOUT, "prior_weight": "1"}}, "a weight is not a number of at least 0"),
        ({"about": {**ABOUT, "predictions": "both"}}, "predictions"),
        ({"about": {**ABOUT, "decoding": "best"}}, "decoding is not argmax or viterbi"),
        ({"about": {"source_names": ["en"]}}, "alphabet"),
        ({"about": {**ABOUT, "alphabet": {"names": ["O"], "targets": [[1]]}}}, "fit together"),
        (
            {"about": {**ABOUT, "alphabet": {"names": ["O"], "targets": [[0, "a"]]}}},
            "cannot be read",
        ),
        ({"about": ["en"]}, "cannot be read"),
        ({"table": TABLE.astype(np.float64)}, "expected float32"),
        ({"table": np.exp(TABLE)}, "does not sum to 1"),
        ({"table": np.full((2, 3, 3), np.nan, np.float32)}, "does not sum to 1"),
        ({"name": "phi"}, "log_confusion"),
    ],
)
def test_parts_that_do_not_go_together(tmp_path, changes, expected):
    with pytest.raises(InputError, match=expected) as caught:
        read_label_model(write(tmp_path, **changes))
    assert FILE in str(caught.value)


def chain(**changes):
    """A chain of two sources and three labels, with two levels of word types."""
    even = np.full(3, 1 / 3, np.float32)
    parts = {
        "trust": np.ones(2, np.float32),
        "frequency": np.tile(even, (2, 1)),
        "weights": np.full((2, 3), 0.5, np.float32),
        "mean": even,
        "kappa": np.array([0.5, 0.25], np.float32),
        "prior": even,
        "start": even,
        "transitions": np.tile(even, (3, 1)),
        "type_counts": (np.ones((1, 3), np.float32), np.ones((2, 3), np.float32)),
        "type_names": (("x",), ("été", "a b")),
        "settings": {"source_weight": 0.5, "scale": 0.5, "back_off": 3.0, "tagger_weight": 0.5},
    }
    return StoredChain(**parts | changes)


def test_a_chain_is_read_back(tmp_path):
    model = LabelModel(("en", "de"), ALPHABET, TABLE, 1.0, (1.0,), "soft", chain(), "viterbi")
    save_label_model(tmp_path, model)
    assert read_label_model(tmp_path).decoding == "viterbi"
    found = read_label_model(tmp_path).chain
    for name, array in chain()._asdict().items():
        if name in ("type_names", "settings"):
            assert getattr(found, name) == array
        else:
            np.testing.assert_equal(getattr(found, name), array)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"trust": np.ones(3, np.float32)}, "chain.trust"),
        ({"kappa": np.array([0.5, np.nan], np.float32)}, "chain.kappa has values"),
        ({"transitions": -np.ones((3, 3), np.float32)}, "chain.transitions has values"),
        ({"prior": np.array([0, 0.5, 0.5], np.float32)}, "chain.prior"),
        ({"type_names": (("x",), ("a",))}, "chain.type_counts.1"),
        ({"settings": {"source_weight": 0.5}}, "scale"),
        ({"settings": chain().settings | {"back_off": -1.0}}, "a setting of the chain"),
    ],
)
def test_parts_of_a_chain_that_do_not_go_together(tmp_path, changes, expected):
    model = LabelModel(("en", "de"), ALPHABET, TABLE, 1.0, (1.0,), "soft", chain(**changes))
    save_label_model(tmp_path, model)
    with pytest.raises(InputError, match=expected):
        read_label_model(tmp_path)
