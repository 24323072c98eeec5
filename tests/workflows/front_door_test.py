"""Transfer and aggregation from Python."""

import dataclasses
import json

import numpy as np
import pytest

import zsl_jax
from tests import tiny_world
from zsl_jax.data.predictions.label_table import read_label_tables
from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.data.predictions.store import read_predictions
from zsl_jax.data.text.readers import read_sentences
from zsl_jax.errors import InputError
from zsl_jax.training.config import OptimizerConfig, TrainConfig, TransferConfig
from zsl_jax.training.config_choices import Approach
from zsl_jax.types import Sentence
from zsl_jax.workflows import front_door
from zsl_jax.workflows.function_source import predictions_by_function

LABEL_OF = {word: label for label, stems in tiny_world.STEMS.items() for word in stems.split()}
CONFIG = TransferConfig(
    row_length=32, batch_words=64, optimizer=OptimizerConfig(learning_rate=0.01)
)


def by_rule(sentences):
    """Right about two kinds of words, and silent about the third."""
    labels = [[LABEL_OF[word] for word in words] for words in sentences]
    return [[None if label == "VERB" else label for label in own] for own in labels]


def by_chance(right, seed):
    """A source that gives the true label with probability `right`, as probabilities."""

    def function(sentences):
        rng = np.random.default_rng(seed)
        truth = [tiny_world.LABELS.index(LABEL_OF[w]) for words in sentences for w in words]
        wrong = rng.integers(0, 3, len(truth))
        labels = np.where(rng.random(len(truth)) < right, truth, wrong)
        return tiny_world.LABELS, 0.1 + 0.7 * np.eye(3, dtype=np.float32)[labels]

    return function


@pytest.fixture(scope="module")
def texts():
    text = [list(s.words) for s in tiny_world.sentences(5, 40)]
    return text, [(s.words, s.labels) for s in tiny_world.sentences(6, 40)]


def test_a_transfer_is_one_call_and_its_tagger_is_on_disk(world, texts, tmp_path):
    text, test = texts
    sources = {"rule": by_rule, "good": by_chance(0.7, 0), "bad": by_chance(0.3, 1)}
    call = (text, sources, world.encoder, tmp_path / "out")
    (tmp_path / "known.conll").write_text("\n".join(f"{word}\tVERB" for word in text[3]))
    more = {"gold_words": tmp_path / "known.conll", "tensorboard": tmp_path / "tb", "report": True}
    done = zsl_jax.transfer(*call, config=CONFIG, test=test, **more)
    assert set(done.sentences[3].labels) == {"VERB"}  # known, though not true
    assert "<title>out: report" in (tmp_path / "out" / "report.html").read_text()
    assert [path.name for path in (tmp_path / "tb").iterdir()] == ["lvm"]
    assert [made.words for made in done.sentences] == [tuple(words) for words in text]
    right = [LABEL_OF[w] == y for made in done.sentences for w, y in zip(*made[:2], strict=True)]
    assert np.mean(right) > 0.8
    names = [(row.name, row.labels_from) for row in done.rows]
    assert names[:3] == [("rule", "source"), ("good", "source"), ("bad", "source")]
    assert names[-2:] == [("lvm", "P"), ("lvm", "Q")] and "weighted_mean" in done.table
    assert done.report is not None and [r.name for r in done.report.sources] == list(sources)
    files = read_predictions(tmp_path / "out" / "labels.parquet")
    assert files.about["labels_from"] == "Q" and list(files.words) == [
        s.words for s in done.sentences
    ]
    by_name = [files.label_names[label] for label in files.labels]
    assert by_name == [label for made in done.sentences for label in made.labels]
    (votes,) = read_label_tables(tmp_path / "out" / "votes.parquet")
    assert votes.sources == tuple(sources)
    alone = [y for s in done.tagger.predict(text) for y in s.labels]
    assert [votes.label_names[label] for label in votes.column("tagger")] == alone
    (votes,) = read_label_tables(tmp_path / "out" / "test_votes.parquet")
    assert votes.columns[-3:] == ("majority", "mean", "tagger")
    by_tagger = [votes.label_names[label] for label in votes.column("tagger")]
    alone = [y for s in done.tagger.predict([words for words, _ in test]) for y in s.labels]
    assert by_tagger == alone
    again = zsl_jax.Tagger.from_pretrained(tmp_path / "out", 32)
    given = {"rule": by_rule, "good": by_chance(0.7, 2), "bad": by_chance(0.3, 3)}
    assert again.predict(text[:2])[0].words == tuple(text[0])
    assert len(again.predict(text[:2], given)) == 2
    folder = zsl_jax.aggregate(text[:2], {"model": tmp_path / "out"}, "mean")
    assert [made.labels for made in folder] == [made.labels for made in again.predict(text[:2])]
    with pytest.raises(InputError, match="overwrite"):
        zsl_jax.transfer(*call, config=CONFIG)


def test_a_test_that_is_no_labelled_text_is_refused(world, tmp_path):
    config = dataclasses.replace(CONFIG, approach=Approach.KD, rounds=1)
    given = ([["Ka", "tab"]], {"rule": by_rule}, world.encoder)
    with pytest.raises(InputError, match="test, sentence 1: 2 words and 1 labels; give one label"):
        test = [(["Ka", "tab"], ["NAME"])]
        zsl_jax.transfer(*given, tmp_path / "out", config=config, test=test)


def test_approaches_without_a_label_model_label_by_the_tagger(world, texts, tmp_path):
    config = dataclasses.replace(CONFIG, approach=Approach.KD, rounds=1)
    text, output = texts[0][:10], tmp_path / "kd"
    sources = {"rule": by_rule}
    one_source = dataclasses.replace(config, approach=Approach.HARD)
    with pytest.raises(InputError, match="takes one source"):
        both = {**sources, "again": by_rule}
        zsl_jax.transfer(text, both, world.encoder, output, config=one_source)
    call = (text, sources, world.encoder, output)
    done = zsl_jax.transfer(*call, config=config, overwrite=True)  # the folder is free again
    assert len(done.sentences) == 10 and done.rows == []
    assert done.report.reference == "P" and "agrees with P" in done.report.text
    files = read_predictions(output / "labels.parquet")
    assert files.about["labels_from"] == "P" and list(files.words) == [
        s.words for s in done.sentences
    ]
    again = done.tagger.predict(text)
    assert [made.labels for made in done.sentences] == [made.labels for made in again]
    assert [s.labels for s in read_sentences(output / "labels.conll")] == [s.labels for s in again]
    np.testing.assert_allclose(done.sentences[0].probs, again[0].probs, atol=1e-5)


def test_aggregation_of_a_function_a_file_an_array_and_predictions(texts, tmp_path):
    text, _ = texts
    truth = [[LABEL_OF[word] for word in words] for words in text]
    file = tmp_path / "file.conll"
    tiny_world.write_text(
        file, [Sentence(tuple(w), tuple(y)) for w, y in zip(text, truth, strict=True)]
    )
    ids = np.array([tiny_world.LABELS.index(label) for own in truth for label in own])
    words = tuple(map(tuple, text))
    made = SourcePredictions(tiny_world.LABELS, np.zeros(len(ids), np.int32), None, words)
    sources = {"function": by_rule, "file": str(file), "array": ids, "constant": made}
    for method in ("majority", "chain"):
        found = zsl_jax.aggregate(text, sources, method, tiny_world.LABELS)
        assert [list(one.labels) for one in found] == truth
        assert [one.probs.shape for one in found] == [(len(own), 3) for own in truth]
    with pytest.raises(InputError, match="method='vote' is not one of majority, mean"):
        zsl_jax.aggregate(text, sources, "vote")


def test_a_copy_of_a_source_is_named_and_changes_nothing(texts, caplog):
    text, _ = texts
    sources = {name: by_chance(0.8, seed) for seed, name in enumerate("abc")}
    once = zsl_jax.aggregate(text, sources, label_names=tiny_world.LABELS)
    assert "nearly the same labels" not in caplog.text
    again = zsl_jax.aggregate(text, sources | {"copy": sources["b"]}, label_names=tiny_world.LABELS)
    assert "the sources b and copy give nearly the same labels" in caplog.text
    for first, second in zip(once, again, strict=True):
        assert first.labels == second.labels
        np.testing.assert_allclose(first.probs, second.probs, atol=1e-4)


def test_a_rule_that_is_marked_sparse_does_not_outvote_what_it_does_not_know():
    text = [["Ann", "met", "Bo"], ["Bo", "ran"]]

    def knows(name):
        return lambda sentences: [
            [(n, n + 1, "PER") for n, word in enumerate(words) if word == name]
            for words in sentences
        ]

    sources = {"ann": knows("Ann"), "bo": knows("Bo"), "none": knows("Cy")}
    by_votes = zsl_jax.aggregate(text, sources, "majority")
    assert [made.labels for made in by_votes] == [("O", "O", "O"), ("O", "O")]
    found = zsl_jax.aggregate(text, sources, "majority", sparse=sources)
    assert [made.labels for made in found] == [("B-PER", "O", "B-PER"), ("B-PER", "O")]
    with pytest.raises(InputError, match=r"sparse=\['bob'\]: the sources are ann, bo, none"):
        zsl_jax.aggregate(text, sources, "majority", sparse=["bob"])


@pytest.fixture
def spans(tmp_path):
    """The same entity behind a character beyond the basic plane, in both units."""
    for name, start in (("python", 2), ("java", 3)):
        span = {"start": start, "end": start + 2, "label": "X"}
        line = {"text": "\U0001f45e Al ran", "spans": [span]}
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(line), encoding="utf-8")
    return {name: tmp_path / f"{name}.jsonl" for name in ("python", "java")}


SHOE = [["\U0001f45e", "Al", "ran"]]


def test_each_file_has_the_unit_of_its_own_offsets(spans):
    given = {"java": "utf16"}
    (made,) = zsl_jax.aggregate(SHOE, spans, "mean", offsets=given)
    assert made.labels == ("O", "B-X", "O") and made.probs.max(axis=1).tolist() == [1, 1, 1]
    only = {"java": spans["java"]}
    assert zsl_jax.aggregate(SHOE, only, "mean", offsets="utf16")[0].labels == ("O", "B-X", "O")
    with pytest.raises(InputError, match=r"java\.jsonl: .*`offsets`=utf16"):
        zsl_jax.aggregate(SHOE, only, "mean")
    with pytest.raises(InputError, match=r"offsets=\{'c': 'utf16'\}: the sources are python, java"):
        zsl_jax.aggregate(SHOE, spans, "mean", offsets={"c": "utf16"})
    with pytest.raises(InputError, match="offsets='utf8': a unit is one of characters, utf16"):
        zsl_jax.aggregate(SHOE, spans, "mean", offsets="utf8")


@pytest.mark.parametrize("offsets", ["utf16", {"java": "utf16", "python": "characters"}])
def test_offsets_of_a_transfer_hold_for_the_test_too(world, spans, tmp_path, monkeypatch, offsets):
    read = []

    def run_transfer(transfer_task, config, run, text, read_test):
        read.append(read_test().predictions["java"])
        raise InputError("stopped")

    monkeypatch.setattr(front_door, "run_transfer", run_transfer)
    java = {"java": spans["java"]}
    sources = java if isinstance(offsets, str) else spans
    test = [(SHOE[0], ["O", "B-X", "O"])]
    how = {"test": test, "test_sources": java, "offsets": offsets}
    with pytest.raises(InputError, match="stopped"):
        zsl_jax.transfer(SHOE, sources, world.encoder, tmp_path / "out", **how)
    assert [read[0].label_names[label] for label in read[0].labels] == ["O", "B-X", "O"]


def test_entities_of_a_function_are_bio():
    text = [Sentence(("Ann", "Lee", "met", "Bo")), Sentence(("in", "Rome")), Sentence(("hm",))]
    spans = [[(0, 2, "PER"), (3, 4, "PER")], [(1, 2, "LOC")], None]
    made = predictions_by_function(lambda _: spans, text, "x")
    names = [made.label_names[label] if label >= 0 else None for label in made.labels]
    assert names == ["B-PER", "I-PER", "O", "B-PER", "O", "B-LOC", None]


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ([["A"]], "one item for each of the 2 sentences"),
        ([["A"], ["A"]], "sentence 2: .* is neither 2 labels nor entities"),
        ([["A"], [(0, 3, "X")]], "sentence 2: the entity .* is not in 2 words"),
        ([["A"], [(0, 2, "X"), (1, 2, "Y")]], "sentence 2: .* overlaps another one"),
        ((("A", "B"), np.zeros((2, 2))), r"float64 \(2, 2\), expected floating \(3, 2\)"),
        (3, "one item for each"),
    ],
)
def test_what_a_function_may_not_return(returned, message):
    text = [Sentence(("a",)), Sentence(("b", "c"))]
    with pytest.raises(InputError, match=message):
        predictions_by_function(lambda _: returned, text, "x")


def test_supervised_training_is_one_call_and_its_tagger_is_on_disk(world, texts, tmp_path):
    labelled = texts[1]
    config = TrainConfig(
        epochs=2, row_length=32, batch_words=64, optimizer=OptimizerConfig(learning_rate=0.01)
    )
    done = zsl_jax.train(labelled, world.encoder, tmp_path / "out", config=config, dev=labelled)
    assert len(done.scores) == 2 and done.best in (0, 1)
    predicted = done.tagger.predict([list(words) for words, _ in labelled])
    assert [len(sentence.labels) for sentence in predicted] == [len(y) for _, y in labelled]
    assert json.loads((tmp_path / "out" / "result.json").read_text())["compilations"] > 0
    with pytest.raises(InputError, match="overwrite"):
        zsl_jax.train(labelled, world.encoder, tmp_path / "out", config=config)
    with pytest.raises(InputError, match="text, sentence 1: 2 words and 1 labels; give one label"):
        zsl_jax.train([(["Ka", "tab"], ["NAME"])], world.encoder, tmp_path / "other")


def test_a_cache_keeps_what_models_predict(world, tmp_path):
    text = [(s.words, s.labels) for s in tiny_world.sentences(1, 12)]
    config = TrainConfig(epochs=1, row_length=32, batch_words=64)
    model = zsl_jax.train(text, world.encoder, tmp_path / "model", config=config).folder
    words, cache = [["Ka", "tab"], ["Lo", "gata"]], tmp_path / "cache"
    direct = dataclasses.replace(CONFIG, approach=Approach.DIRECT)
    call = (words, {"model": model}, model)
    first = zsl_jax.transfer(*call, tmp_path / "a", config=direct, cache=cache, test=text[:3])
    kept = {path: path.stat().st_mtime_ns for path in cache.iterdir()}
    assert len(kept) == 2  # of the text and of the test
    second = zsl_jax.transfer(*call, tmp_path / "b", config=direct, cache=cache, test=text[:3])
    assert {path: path.stat().st_mtime_ns for path in cache.iterdir()} == kept
    assert [s.labels for s in first.sentences] == [s.labels for s in second.sentences]
