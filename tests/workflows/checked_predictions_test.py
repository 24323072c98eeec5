import jax.numpy as jnp
import numpy as np
import pytest

from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.errors import InputError
from zsl_jax.types import Sentence
from zsl_jax.workflows.checked_predictions import checked_predictions, checked_probs

TEXT = [Sentence(("a", "b")), Sentence(("c",))]
PROBS = np.array([[0.75, 0.25], [0, 0], [0.5, 0.5]])
GIVEN = SourcePredictions(["A", "B"], [0, -1, 1], PROBS, [["a", "b"], ["c"]])


def test_lists_become_what_a_file_gives():
    made = checked_predictions(GIVEN, TEXT, "x")
    assert made.label_names == ("A", "B") and list(made.words) == [("a", "b"), ("c",)]
    assert made.labels.tolist() == [0, -1, 1] and made.labels.dtype == np.int32
    assert made.probs.tolist() == PROBS.tolist() and made.probs.dtype == np.float16


def test_who_abstains_in_labels_or_probabilities_abstains_in_both():
    made = checked_predictions(GIVEN._replace(labels=np.array([-1, 0, 1])), TEXT, "x")
    assert made.labels.tolist() == [-1, -1, 1]
    assert made.probs.tolist() == [[0, 0], [0, 0], [0.5, 0.5]]


def test_the_label_of_an_underscore_abstains():
    made = checked_predictions(GIVEN._replace(label_names=["A", "_"]), TEXT, "x")
    assert made.label_names == ("A",) and made.labels.tolist() == [0, -1, -1]
    assert made.probs.tolist() == [[1], [0], [0]] and made.probs.dtype == np.float16


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": [0, 2, 1]}, r"x: label ids must be from -1 .* to 1, .* are from 0 to 2"),
        ({"labels": [0, -2, 1]}, "x: label ids must be .* are from -2 to 1"),
        ({"labels": [0, 1]}, r"x: its labels are int64 \(2,\); give \[3\] label ids"),
        ({"labels": [0.0, 1.0, 1.0]}, "x: its labels are float64"),
        ({"probs": PROBS[:, :1]}, r"x: probabilities are float64 \(3, 1\); give .* \(3, 2\)"),
        ({"probs": PROBS * 2}, r"x, sentence 1, word 1 \('a'\): the probabilities sum to 2"),
        ({"label_names": ["A", "A"]}, "x: the label name 'A' occurs twice"),
        ({"label_names": {"A", "B"}}, "x: the label names are .* in the order of their ids"),
        ({"label_names": {"A": 0, "B": 1}}, "x: the label names are .* in the order of their ids"),
        ({"labels": np.ma.array([0, 1, 1], mask=[0, 1, 0])}, r"x: masked .*`array\.filled\(-1\)`"),
        ({"probs": np.ma.array(PROBS, mask=PROBS == 0)}, "x: masked arrays are not read"),
        ({"words": None}, "x: its words are None; give those of each sentence"),
        ({"words": [["a", "b"], None]}, "x: its words are .* None.; give those of each sentence"),
        ({"words": [["a", "b"]]}, "x: 1 sentences where the text has 2"),
        ({"words": [["a", "b"], ["d"]]}, "x, sentence 2, word 1: 'd' where the text has 'c'"),
    ],
)
def test_contradictions_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        checked_predictions(GIVEN._replace(**change), TEXT, "x")


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_arrays_of_jax_are_probabilities(dtype):
    words = [sentence.words for sentence in TEXT]
    made = checked_probs(jnp.array(PROBS, dtype), ["A", "B"], words, "x")
    assert made.dtype == np.float16 and made.tolist() == PROBS.tolist()
