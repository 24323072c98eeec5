import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zsl_jax.evaluation.averages import average, average_scores
from zsl_jax.evaluation.metrics import score


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9))
def test_mean_and_deviation_are_those_of_numpy(values):
    found = average(values)
    assert found.mean == pytest.approx(np.mean(values))
    assert found.sd == pytest.approx(np.std(values, ddof=1) if len(values) > 1 else 0.0, abs=1e-9)


def test_equal_files_have_no_deviation():
    assert average([0.1] * 3) == (0.1, 0.0)


def test_entities_are_averaged_overall_and_by_type():
    gold = [["B-PER", "B-LOC"]]
    files = [score(gold, [names]) for names in (["B-PER", "O"], ["B-PER", "I-LOC"], ["O", "B-X"])]
    found = average_scores(files)
    assert list(found) == ["accuracy", "f1_strict", "f1_conlleval", "per_type"]
    strict = [2 / 3, 2 / 3, 0.0]
    assert found["f1_strict"] == pytest.approx({"mean": 4 / 9, "sd": np.std(strict, ddof=1)})
    assert found["f1_conlleval"]["mean"] == pytest.approx((2 / 3 + 1.0 + 0.0) / 3)
    assert list(found["per_type"]) == ["LOC", "PER", "X"]
    assert found["per_type"]["PER"]["mean"] == pytest.approx(2 / 3)
    assert found["per_type"]["X"] == {"mean": 0.0, "sd": 0.0}


def test_labels_are_averaged_by_label():
    gold = [["N", "V"]]
    found = average_scores([score(gold, [["N", "V"]]), score(gold, [["N", "_"]])])
    assert found["accuracy"] == pytest.approx({"mean": 0.75, "sd": np.sqrt(0.125)})
    assert found["per_label"]["N"] == {"mean": 1.0, "sd": 0.0}
    assert found["per_label"]["V"]["mean"] == 0.5
    assert list(found) == ["accuracy", "per_label"]
