"""Observations between two rows: numbers by hand, and a bootstrap over each target's sentences."""

from types import SimpleNamespace

import numpy as np
import pytest

from zsl_jax.experiments import comparison
from zsl_jax.experiments.observations import observe
from zsl_jax.experiments.plan import Cell, Observation
from zsl_jax.experiments.scores import CellResult

ABOVE = Observation("mine above kd", ("multi", "mine"), ("multi", "kd"))
SOURCE = Observation("mine, P, above its best source", ("multi", "mine"), None, "P")
GAIN = Observation("two above one", ("multi", "kd"), ("single", "kd"))
GOLD = [("A", "B")] * 20
RIGHT, HALF = GOLD, [("A", "A")] * 20
SCORES = {
    Cell("multi", "cc", "mine", 0): (100.0, RIGHT),
    Cell("multi", "cc", "mine", 1): (100.0, RIGHT),
    Cell("multi", "cc", "kd", 0): (50.0, HALF),
    Cell("multi", "bb", "mine", 0): (50.0, HALF),
    Cell("multi", "bb", "kd", 0): (50.0, HALF),
    Cell("single", "aa", "kd", 0): (50.0, HALF),
}


@pytest.fixture
def results(monkeypatch):
    monkeypatch.setattr(
        comparison, "labelled_test", lambda *_: [SimpleNamespace(labels=own) for own in GOLD]
    )
    monkeypatch.setattr(
        comparison, "predicted_labels",
        lambda work, cell, kind: HALF if kind == "best_source" else SCORES[cell][1],
    )  # fmt: skip
    best = {"best_source": {"accuracy": 50.0}}
    return {
        cell: CellResult({"P": {"accuracy": value}, **best}, "P", 1.0, "cpu", {})
        for cell, (value, _) in SCORES.items()
    }


def work(*observations):
    experiment = SimpleNamespace(task="pos", score="accuracy", observations=observations)
    return SimpleNamespace(experiment=experiment)


def test_rows_are_compared_on_the_targets_and_seeds_that_both_have(results):
    (found,) = observe(work(ABOVE), results)
    assert found.differences == {"cc": 50.0, "bb": 0.0} and found.mean == 25.0
    assert found.p_values == {"cc": pytest.approx(2 / 1001), "bb": 1.0}
    assert found.p_value == pytest.approx(2 / 1001)
    assert found.text == (
        "mine above kd: +25.00 (bootstrap p = 0.002); of 2 targets, 1 (1 with p < 0.05) above and "
        "0 below, 95% over targets +0.00 to +50.00, lowest bb +0.00; 1 of 2 cells above"
    )


def test_a_row_is_compared_with_the_source_that_agrees_best(results):
    (found,) = observe(work(SOURCE), results)
    assert found.differences == {"cc": 50.0, "bb": 0.0}
    assert found.p_values == {"cc": pytest.approx(2 / 1001), "bb": 1.0}


def test_epsilon_is_the_largest_of_the_targets_and_needs_two_seeds(results):
    (found,) = observe(work(ABOVE), results)
    assert found.epsilon is None
    seeds = np.array([3.0, 4.0, 5.0])
    found = found._replace(scores={"aa": (seeds, seeds - 3), "bb": (seeds, seeds)})
    assert found.epsilon == 1.0 and found.text.endswith("; exact ε at most 1.00")
    assert found._replace(scores={"aa": (seeds, seeds - 3)}).epsilon == 0.0


def test_rows_without_a_common_target_are_left_out(results):
    assert observe(work(GAIN), results) == []


def test_without_predictions_there_is_no_p(results, monkeypatch):
    monkeypatch.setattr(comparison, "predicted_labels", lambda *_: None)
    (found,) = observe(work(ABOVE), results)
    assert found.p_value is None and found.p_values == {}
    assert (
        found.text == "mine above kd: +25.00; of 2 targets, 1 above and 0 below, "
        "95% over targets +0.00 to +50.00, lowest bb +0.00; 1 of 2 cells above"
    )
