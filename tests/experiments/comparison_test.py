"""The paired bootstrap of a target, for entities in both readings."""

from types import SimpleNamespace

import pytest

from zsl_jax.experiments import comparison
from zsl_jax.experiments.comparison import Comparison, with_bootstrap
from zsl_jax.experiments.plan import Cell

GOLD = [("B-PER", "O")] * 12
# An I-PER that begins an entity is one to conlleval only.
PREDICTED = {"ours": [("I-PER", "O")] * 12, "base": [("O", "O")] * 12}
FOUND = Comparison("ours", "base", 1.0, None, None)


@pytest.fixture
def results(monkeypatch):
    monkeypatch.setattr(
        comparison, "labelled_test", lambda *_: [SimpleNamespace(labels=own) for own in GOLD]
    )
    monkeypatch.setattr(
        comparison, "predicted_labels", lambda work, cell, kind: PREDICTED[cell.method]
    )
    return {Cell("multi", "cc", name, 0): SimpleNamespace(counts_from="Q") for name in PREDICTED}


def work(task, score):
    return SimpleNamespace(experiment=SimpleNamespace(task=task, score=score))


@pytest.mark.parametrize("score", ["f1_conlleval", "f1_strict"])
def test_entities_are_tested_in_both_readings_that_of_the_table_first(results, score):
    tested = with_bootstrap(work("ner", score), FOUND, ("multi", "cc"), results).p_values
    assert next(iter(tested)) == score
    assert tested == {"f1_conlleval": pytest.approx(2 / 1001), "f1_strict": 1.0}


def test_accuracy_of_entities_is_tested_by_words(results, monkeypatch):
    wrong = {"ours": [("B-LOC", "O")] * 12, "base": [("B-LOC", "I-LOC")] * 12}  # F1 is 0 on both
    monkeypatch.setattr(comparison, "predicted_labels", lambda work, cell, kind: wrong[cell.method])
    tested = with_bootstrap(work("ner", "accuracy"), FOUND, ("multi", "cc"), results).p_values
    assert tested == {"accuracy": pytest.approx(2 / 1001), "f1_conlleval": 1.0, "f1_strict": 1.0}


def test_tags_are_tested_by_accuracy_alone(results):
    tested = with_bootstrap(work("pos", "accuracy"), FOUND, ("multi", "cc"), results).p_values
    assert tested == {"accuracy": 1.0}  # both have every O, and no B-PER


def test_without_predictions_there_is_no_test(results, monkeypatch):
    monkeypatch.setattr(comparison, "predicted_labels", lambda *_: None)
    assert with_bootstrap(work("pos", "accuracy"), FOUND, ("multi", "cc"), results) == FOUND
