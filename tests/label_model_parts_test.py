"""Tests of benchmarks that read outputs of `launch.reproduce`, on a small one."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import (
    gold_counts,
    label_model_variants,
    start_share_scores,
    tagger_weight_scores,
)
from benchmarks.gold_counts import fit_to_gold, gold_ids
from benchmarks.label_model_cells import both_scores
from benchmarks.label_model_variants import VARIANTS, labels_of, score_of
from benchmarks.reproduced_cells import ROW, places, read_cell
from benchmarks.variant_tables import tables, with_hindsight
from benchmarks.word_keys import clusters_of, counted_down, default_keys, numbered, with_clusters
from tests.programs import start
from tests.tiny_world import by_chance, sentences, write_text
from zsl_jax.data.predictions.source_predictions import predictions_of_probs
from zsl_jax.data.text.word_types import TAG_SUFFIXES, word_types
from zsl_jax.io.label_model_file import LabelModel
from zsl_jax.labels import common_source_labels
from zsl_jax.training import chain_sources
from zsl_jax.training.config import ChainConfig
from zsl_jax.types import Sentence
from zsl_jax.workflows import source_annotation
from zsl_jax.workflows.chain_model import (
    ChainModel,
    chain_labels,
    fit_chain_model,
    stored_chain,
    text_words,
)
from zsl_jax.workflows.loaded_tagger import LoadedTagger

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


def test_what_is_counted_from_gold_labels_is_what_they_say(cell):
    label_set, config = cell.label_set, ChainConfig()
    labels = chain_labels(cell.votes[0], label_set)
    text, _ = label_model_variants.texts_of(cell, VARIANTS["default"], None)
    gold = gold_ids(cell.text, label_set)
    assert (gold >= 0).all()
    fitted, sources_alone = (
        fit_to_gold(text, labels, config, "soft", gold, parts)
        for parts in (gold_counts.COUNTED["everything"], ())
    )
    counts = np.zeros((label_set.size, label_set.size))
    np.add.at(counts, (np.asarray(text.votes).argmax(axis=2)[:, 0], gold), 1)
    counts += chain_sources.POSTERIOR_COUNT / label_set.size
    share = config.identity_share
    confusion = (1 - share) * counts / counts.sum(axis=0) + share * np.eye(label_set.size)
    np.testing.assert_allclose(
        np.exp(np.asarray(fitted.sources.log_confusion)[0]), confusion, atol=1e-5
    )
    forms = np.zeros((text.keys[:, -1].max() + 1, label_set.size))
    np.add.at(forms, (text.keys[:, -1], gold), 1)
    np.testing.assert_allclose(fitted.state.type_counts[-1][: len(forms)], forms, atol=1e-4)
    np.testing.assert_allclose(fitted.state.prior, np.bincount(gold) / len(gold), atol=1e-4)
    default = label_model_variants.fit_label_model(text, labels, config, "soft").fitted
    np.testing.assert_allclose(sources_alone.sources.weights, fitted.sources.weights)
    assert (np.asarray(default.sources.log_confusion) != fitted.sources.log_confusion).any()
    assert (sources_alone.state.type_counts[-1][: len(forms)] != forms).any()


def test_gold_labels_that_no_source_has_are_not_counted(cell):
    names = [*cell.label_set.names]
    text = [Sentence(("a", "b"), (names[1], "elsewhere"))]
    assert gold_ids(text, cell.label_set).tolist() == [1, -1]


def test_the_tagger_joins_the_label_model_by_each_weight(experiment, cell, monkeypatch):
    label_set, config = cell.label_set, ChainConfig()
    words = text_words([cell.text], label_set)
    fitted = fit_chain_model(cell.votes[0], words, label_set, config, "soft").fitted
    source_labels = common_source_labels([label_set.names] * len(SOURCES), {})
    model = LabelModel(
        tuple(SOURCES), source_labels, np.asarray(fitted.sources.log_confusion), 1.0, (1.0,),
        "soft", stored_chain(ChainModel(config, fitted, words.types.names)),
    )  # fmt: skip
    gold = gold_ids(cell.test, label_set)
    right = np.log(np.eye(label_set.size, dtype=np.float32)[gold] + 1e-6)
    monkeypatch.setattr(tagger_weight_scores, "read_label_model", lambda folder: model)
    monkeypatch.setattr(tagger_weight_scores, "load_tagger", lambda folder: None)
    monkeypatch.setattr(tagger_weight_scores, "log_prob_function", lambda *_: lambda *_: right)
    (place,) = places(experiment)
    monkeypatch.setattr(tagger_weight_scores, "read_cell", lambda *_: cell)
    scores = tagger_weight_scores.scores_of(place, "recommended", experiment.parent)
    assert list(scores.values()) == sorted(scores.values()) and scores["1"] == 100 > scores["0"]
    assert scores["0"] == score_of(cell, VARIANTS["default"], "pos", None)
    table = {
        "0.1": {"x": {"0": 50.0}, "y": {"0": 40.0}},
        "1": {"x": {"0": 40.0}, "y": {"0": 42.0}},
    }
    (*_, line) = tables({"a": with_hindsight(table)}, [*table, "best in hindsight"], "0.1")["a"]
    assert (line["mean"], line["difference"], line["least"]) == ("46.00", "+1.00", "+0.00 (x)")


def test_the_tagger_is_averaged_with_the_source_it_started_from(experiment, cell, monkeypatch):
    """The start, "b", gives label 1 by a margin of 1, and the tagger label 0 by one of 2."""
    label_set = cell.label_set

    def model(path, margin):
        head = {"kernel": np.zeros((1, label_set.size)), "bias": np.full(label_set.size, -9.0)}
        head["bias"][:2] = 0, margin
        encoder = SimpleNamespace(hidden_size=1)
        return LoadedTagger(str(path), {}, encoder, {"classifier": head}, label_set, None)

    models = {"a": 7.0, "b": 1.0, "c": 6.0}
    (place,) = places(experiment)
    folders = {f"{experiment / 'models' / name / '0'}": margin for name, margin in models.items()}
    folders[str(place.folder("other"))] = -2.0
    monkeypatch.setattr(
        start_share_scores, "load_tagger", lambda path: model(path, folders[str(path)])
    )
    monkeypatch.setattr(
        start_share_scores,
        "log_prob_function",
        lambda tagger, _: (
            lambda words, _: np.tile(
                tagger.params["classifier"]["bias"], (sum(len(s.words) for s in words), 1)
            )
        ),
    )
    monkeypatch.setattr(start_share_scores, "read_cell", lambda *_: cell)
    scores = start_share_scores.scores_of(place, "other", experiment.parent)
    gold = gold_ids(cell.test, label_set)
    first, second = (100 * (gold == label).mean() for label in (0, 1))
    assert first != second
    assert scores == pytest.approx(
        {"0": first, "0.25": first, "0.5": first, "0.75": second, "1": second}
    )
