"""Test of benchmarks.label_model_parts on a small output like that of `launch.reproduce`."""

import json

import numpy as np
import pytest

from benchmarks import label_model_variants
from benchmarks.label_model_cells import both_scores
from benchmarks.label_model_variants import VARIANTS, labels_of, score_of
from benchmarks.reproduced_cells import ROW, places, read_cell
from benchmarks.word_keys import clusters_of, counted_down, default_keys, numbered, with_clusters
from tests.programs import start
from tests.tiny_world import by_chance, sentences, write_text
from zsl_jax.data.predictions.source_predictions import predictions_of_probs
from zsl_jax.data.text.word_types import TAG_SUFFIXES, word_types
from zsl_jax.workflows import source_annotation

SOURCES = {"a": 0.9, "b": 0.8, "c": 0.3}


@pytest.fixture(scope="module")
def experiment(tmp_path_factory):
    """The folder of an output whose source models are only names for what is in its cache."""
    root = tmp_path_factory.mktemp("parts")
    write_text(root / "train.conll", sentences(2, 60))
    write_text(root / "test.conll", sentences(3, 30))
    output = root / "table"
    run = output / "multi" / "x" / ROW / "0"
    run.mkdir(parents=True)
    for name in SOURCES:
        (output / "models" / name / "0").mkdir(parents=True)
        (output / "models" / name / "0" / "config.json").write_text(f'{{"name": "{name}"}}')
    record = {
        "corpora": {"train": "train.conll", "test": "test.conll"},
        "settings": {"multi": {"sources": [*SOURCES], "max_sentences": 50}},
        "test": {"max_test_sentences": None, "task": "pos"},
        "source": {"row_length": 64},
    }
    (output / "experiment.json").write_text(json.dumps(record))
    (run / "run.json").write_text(json.dumps({"flags": {"sources": [*SOURCES]}}))
    (run / "result.json").write_text("{}")
    return output


@pytest.fixture(scope="module")
def cell(experiment):
    """The only cell, with its predictions now in the cache."""

    def annotate(name, text, *_):
        words = [sentence.words for sentence in text]
        labels, probs = by_chance(SOURCES[name], seed=len(name + name))(words)
        return predictions_of_probs(labels, probs, words)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source_annotation, "load_tagger", lambda path: path.split("/")[-2])
        patch.setattr(source_annotation, "annotate", annotate)
        (place,) = places(experiment)
        return read_cell(place, experiment.parent)


def test_a_call_adds_what_is_missing_and_prints_differences(experiment, cell):
    output = experiment.parent / "parts.json"
    output.write_text(json.dumps({"table": {"default": {"x": {"0": 50.0}}}}))
    done = start(
        "benchmarks.label_model_parts", f"--experiments={experiment}", f"--output={output}",
        f"--data={experiment.parent}", "--variants=mean of the sources",
    ).finish()  # fmt: skip
    assert done.returncode == 0, done.stderr
    scores = json.loads(output.read_text())["table"]
    mean = score_of(cell, VARIANTS["mean of the sources"], "pos", None)
    assert scores == {"default": {"x": {"0": 50.0}}, "mean of the sources": {"x": {"0": mean}}}
    difference = f"{mean - 50:+.2f}"
    assert f"{difference} to {difference}  {difference} (table x)" in done.stdout


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (["--variants=no chian"], "--variants=no chian: give some of default, mean of the sources"),
        (["--seeds=7"], f"has no finished row {ROW} with these seeds; run launch.reproduce"),
    ],
)
def test_what_is_not_there_is_named(experiment, changes, said):
    done = start(
        "benchmarks.label_model_parts", f"--experiments={experiment}", *changes,
        f"--output={experiment.parent / 'none.json'}", f"--data={experiment.parent}",
    ).finish()  # fmt: skip
    assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr
    assert not (experiment.parent / "none.json").exists()


def test_the_default_is_the_chain_and_what_is_replaced_is_put_back(cell, monkeypatch):
    monkeypatch.setattr(label_model_variants, "counted_down", list)
    default = labels_of(cell, VARIANTS["default"], None)
    score = score_of(cell, VARIANTS["default"], "pos", None)
    assert both_scores(cell, cell.text, cell.votes, "pos")[1] == score > 60
    for name in ("no chain", "no weighted mean r", "source_weight = 0"):
        assert (labels_of(cell, VARIANTS[name], None) != default).any(), name
    np.testing.assert_array_equal(labels_of(cell, VARIANTS["default"], None), default)


def test_keys_are_those_of_word_types():
    text, test = (
        tuple(tuple(words) for words in part)
        for part in ([["Go", "on", "X9"], ["on", "Off"]], [["Off", "Go", "new"]])
    )
    own = word_types(text, suffixes=TAG_SUFFIXES)
    keys = numbered(text, test, default_keys, False)
    np.testing.assert_array_equal(keys[0], own.keys)
    np.testing.assert_array_equal(keys[1], word_types(test, own.names).keys)
    down = counted_down(keys)
    assert down[0].max() > 1000 and ((down[1] < 0) == (keys[1] < 0)).all()


def test_clusters_are_one_more_level():
    states = [np.array([[0.0], [0.1], [5.0], [5.1]]), np.array([[4.9], [0.2]])]
    text, test = clusters_of(states, 2)
    assert text[0] == text[1] == test[1] and text[2] == text[3] == test[0] != text[0]
    keys = [np.array([[0, 0], [0, 1], [0, 0], [0, 0]]), np.array([[0, 0], [0, 1]])]
    before, _ = with_clusters(keys, (text, test), "before")
    assert before[:, 1].tolist() == text.tolist()
    after, of_test = with_clusters(keys, (text, test), "after")
    assert after[2, 2] == after[3, 2] == of_test[0, 2] != after[0, 2]
    assert of_test[1, 2] == after[1, 2]
