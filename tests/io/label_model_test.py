import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from zsl_jax.errors import InputError
from zsl_jax.io.label_model import FILE, LabelModel, read_label_model, save_label_model
from zsl_jax.labels import Alphabet, LabelScheme

ABOUT = {
    "source_names": ["en", "de"],
    "alphabet": {"names": ["O", "X", "Y"], "targets": [[0], [1], [2]]},
    "prior_weight": 0,
    "source_weight": [1.0, 0.5],
    "predictions": "hard",
}
ALPHABET = Alphabet.of(LabelScheme(("O", "X", "Y")))
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
    assert read_label_model(write(tmp_path)).source_weight == (1.0, 0.5)


def test_matrices_with_more_rows_than_columns(tmp_path):
    alphabet = Alphabet.of(LabelScheme(("O", "X")), {"O|X": ("O", "X")})
    with np.errstate(divide="ignore"):
        table = np.log(np.array([[[0.5, 0], [0, 0], [0.5, 1]]], np.float32))
    save_label_model(tmp_path, LabelModel(("en",), alphabet, table, 1.0, (1.0,), "hard"))
    found = read_label_model(tmp_path)
    assert found.alphabet == alphabet
    np.testing.assert_array_equal(found.log_confusion, table)


def test_no_label_model(tmp_path):
    with pytest.raises(InputError, match="nothing is known of its sources"):
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
            "is no string",
        ),
        ({"about": {**ABOUT, "source_weight": [1.0, 1.0, 1.0]}}, "source_weight"),
        ({"about": {**ABOUT, "source_weight": [1.0, float("nan")]}}, "no positive number"),
        ({"about": {**ABOUT, "prior_weight": "1"}}, "no positive number"),
        ({"about": {**ABOUT, "predictions": "both"}}, "predictions"),
        ({"about": {"source_names": ["en"]}}, "alphabet"),
        ({"about": {**ABOUT, "alphabet": {"names": ["O"], "targets": [[1]]}}}, "alphabet"),
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
