"""Tests of zsl_jax.transfer."""

import dataclasses
import functools
import pickle
import re

import numpy as np
import pytest

import zsl_jax
from tests import tiny_world
from tests.killing import Ended, end_at, resumed_from
from tests.tiny_world import LABEL_OF, by_chance, by_rule
from zsl_jax.data.predictions.label_table import read_label_tables
from zsl_jax.data.predictions.prediction_files import read_predictions
from zsl_jax.data.text.readers import read_sentences
from zsl_jax.errors import InputError
from zsl_jax.io.json_file import read_json_object, write_json
from zsl_jax.io.run_folder import RunSpec, create_run_folder
from zsl_jax.training import loop
from zsl_jax.training.config import (
    LabelModelConfig,
    OptimizerConfig,
    TrainConfig,
    TransferConfig,
)
from zsl_jax.training.config_choices import Approach, LabelModelKind
from zsl_jax.workflows import transfer
from zsl_jax.workflows.source_settings import checked_settings
from zsl_jax.workflows.transfer_inputs import transfer_inputs

CONFIG = TransferConfig(
    row_length=32, batch_words=64, optimizer=OptimizerConfig(learning_rate=0.01)
)


def test_a_transfer_is_one_call_and_its_tagger_is_on_disk(world, texts, tmp_path, monkeypatch):
    text, test = texts
    sources = {
        "rule": by_rule,
        "good": by_chance(0.7, 0),
        "bad": by_chance(0.3, 1),
    }
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
    read = read_json_object(tmp_path / "out" / "result.json")["labels"]
    assert set(read["source"]) == set(read["test_source"]) == set(sources)
    assert read["test"] == {"scheme": "plain", "repairs": 0}
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
    pickled = pickle.loads(pickle.dumps(done))
    assert pickled.rows == done.rows and pickled.sentences[3].labels == done.sentences[3].labels
    assert [votes.label_names[label] for label in votes.column("tagger")] == alone
    (votes,) = read_label_tables(tmp_path / "out" / "test_votes.parquet")
    assert votes.columns[-3:] == ("majority", "mean", "tagger")
    by_tagger = [votes.label_names[label] for label in votes.column("tagger")]
    alone = [y for s in done.tagger.predict([words for words, _ in test]) for y in s.labels]
    assert by_tagger == alone
    again = zsl_jax.Tagger.from_pretrained(tmp_path / "out", 32)
    given = {
        "rule": by_rule,
        "good": by_chance(0.7, 2),
        "bad": by_chance(0.3, 3),
    }
    assert again.predict(text[:2])[0].words == tuple(text[0])
    assert len(again.predict(text[:2], given)) == 2
    folder = zsl_jax.aggregate(text[:2], {"model": tmp_path / "out"}, "mean")
    assert [made.labels for made in folder] == [made.labels for made in again.predict(text[:2])]
    with pytest.raises(InputError, match="overwrite"):
        zsl_jax.transfer(*call, config=CONFIG)
    with monkeypatch.context() as elsewhere:
        elsewhere.chdir(tmp_path)
        read = zsl_jax.TransferResult.from_folder("out")
    assert read.tagger.label_names == done.label_names
    assert (read.folder, read.row_length, read.table) == (done.folder, 32, done.table)
    assert read.report == done.report and read.rows == done.rows
    assert len(repr(done)) < 300 and repr(done).startswith("TransferResult(folder=")
    assert read.verdict == done.verdict and re.match(r"lvm \(Q, .*P, ", done.verdict)
    assert done.label_names == read.label_names == done.tagger.label_names
    for one, other in zip(read.sentences, done.sentences, strict=True):
        assert one[:2] == other[:2] and one.label_names == other.label_names == done.label_names
        np.testing.assert_allclose(one.probs, other.probs, atol=1e-3)  # half precision
    assert read.confusion.label_names == done.label_names
    for name, learned in done.confusion.by_source.items():
        np.testing.assert_array_equal(read.confusion.by_source[name], learned)
        voted = learned[:, learned.sum(axis=0) > 0]
        np.testing.assert_allclose(voted.sum(axis=0), 1, atol=1e-5)


def test_sources_of_which_nothing_was_learned_have_not_moved(world, texts, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "_has_risen", lambda config, progress: len(progress.rounds) == 2)
    model = LabelModelConfig(kind=LabelModelKind.PAPER, confusion_learning_rate=1e-9)
    config = dataclasses.replace(CONFIG, label_model=model, rounds=3, stop_early=True)
    sources = {"good": by_chance(0.7, 0), "bad": by_chance(0.3, 1)}
    done = zsl_jax.transfer(texts[0][:10], sources, world.encoder, tmp_path / "out", config=config)
    assert [report.moved for report in done.report.sources] == pytest.approx([0, 0], abs=1e-6)


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
    assert done.confusion is None and done.table == done.verdict == ""
    assert list(done.report.same_labels) == ["majority", "mean", "dawid_skene", "source rule"]
    read = zsl_jax.TransferResult.from_folder(output)
    assert read.report == done.report and read.confusion is None and read.rows == []
    files = read_predictions(output / "labels.parquet")
    assert files.about["labels_from"] == "P" and list(files.words) == [
        s.words for s in done.sentences
    ]
    again = done.tagger.predict(text)
    assert [made.labels for made in done.sentences] == [made.labels for made in again]
    assert [s.labels for s in read_sentences(output / "labels.conll")] == [s.labels for s in again]
    np.testing.assert_allclose(done.sentences[0].probs, again[0].probs, atol=1e-5)


def test_known_labels_are_given_as_lists_and_a_run_resumes_within_a_round(
    world, texts, tmp_path, monkeypatch
):
    text = texts[0][:20]
    config = dataclasses.replace(CONFIG, rounds=1, epochs=3, batch_words=16)
    known = [(text[3], ["VERB"] * len(text[3])), (text[0], ["VERB", *[None] * (len(text[0]) - 1)])]
    sources = {"good": by_chance(0.9, 0), "rule": by_rule}
    call = functools.partial(zsl_jax.transfer, text, sources, world.encoder, config=config)
    with pytest.raises(
        InputError, match=r"sentence 1: 'verb' is not a label of the sources; write V"
    ):
        call(tmp_path / "whole", gold_words=[(text[3], ["verb"] * len(text[3]))])
    whole = call(tmp_path / "whole", gold_words=iter(known))
    assert set(whole.sentences[3].labels) == {"VERB"} and whole.sentences[0].labels[0] == "VERB"
    free = call(tmp_path / "free")
    assert set(free.sentences[3].labels) != {"VERB"} != free.sentences[0].labels[0]
    file = "\n\n".join(
        "\n".join(f"{w}\t{y or '_'}" for w, y in zip(*pair, strict=True)) for pair in known
    )
    (tmp_path / "known.conll").write_text(file + "\n")
    call(tmp_path / "file", gold_words=tmp_path / "known.conll")
    with monkeypatch.context() as context, pytest.raises(Ended):
        end_at(context, step=8)
        call(tmp_path / "killed", gold_words=known, save_every_steps=np.int64(3))
    call(tmp_path / "killed", gold_words=known)
    assert resumed_from(tmp_path / "killed") == [6]
    for name in ("model.safetensors", "labels.conll"):
        expected = (tmp_path / "whole" / name).read_bytes()
        assert (tmp_path / "file" / name).read_bytes() == expected
        assert (tmp_path / "killed" / name).read_bytes() == expected


def test_settings_that_are_not_read_are_named(tmp_path, caplog):
    config = TransferConfig(approach="mrt", label_model=LabelModelConfig(tau_trainable=3.0))
    with pytest.raises(InputError, match="`sources` is empty"):
        zsl_jax.transfer([["Ka"]], {}, "encoder", tmp_path, config=config)
    assert caplog.messages == [
        "settings that are not used: `tau_trainable` (by `approach`=mrt); omit them"
    ]


def by_nobody(sentences):
    raise AssertionError("a source was asked before the arguments were checked")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"task": "nre"}, "there is no task 'nre'; choose one of pos, ner, plain"),
        ({"test": [(["Ka"], ["NAME"])], "task": "ner"}, "the gold label 'NAME' is neither O nor"),
        ({"test_sources": {"a": by_nobody}}, "`test_sources` is given without `test`; give both"),
        ({"test": [(["Ka"], ["NAME"])], "test_sources": 5}, "`test_sources` must have names"),
        ({"test_sources": {"b": by_nobody}}, "`test_sources`: there is no source b; .* are a"),
        ({"config": TrainConfig()}, "is not a TransferConfig; give zsl_jax.TransferConfig"),
        ({"config": {"rounds": 1}}, "config={'rounds': 1} is not a TransferConfig"),
        ({"config": TransferConfig(stop_early=True)}, "`stop_early` is for the paper's label"),
        ({"config": TransferConfig(approach="direct")}, "`approach`=direct takes exactly one"),
        ({"config": TransferConfig(approach="direct"), "gold_words": [(["Ka"], ["NAME"])]},
         "`gold_words` is not used by `approach`=direct"),
        ({"decode": "best"}, "`decode`=best is not one of"),
        ({"encoder": None}, "`encoder` is missing"),
        ({"encoder": 5}, "`encoder`: 5 is not a path; give one"),
        ({"output": None}, "`output`: None is not a path; give one"),
        ({"output": ""}, "`output`: '' is not a path; give one"),
        ({"cache": 5}, "`cache`: 5 is not a path; give one"),
        ({"cache": "foreign/notes"}, "`cache`=foreign/notes cannot be a folder, since"),
        ({"tensorboard": "foreign/notes/a"}, "since foreign/notes is a file; give another"),
        ({"sources": {"a": ""}}, "the source a: '' is not a path; give one"),
        ({"overwrite": "no"}, "`overwrite`='no' must be True or False; correct it"),
        ({"report": "report.html"}, "`report`='report.html' must be True or False; correct it"),
        ({"save_every_steps": 0}, "`save_every_steps`=0 must be a whole number from 1"),
        ({"gold_words": [["Ka", "tab"]]}, "gold_words, sentence 1: .* is not a pair of words and"),
        ({"gold_words": [(["Ka", "tab"], ["NAME"])]}, "gold_words, sentence 1: .* neither 2 lab"),
        ({"gold_words": []}, "`gold_words` has no words"),
        ({"output": "finished"}, "finished already holds a finished run"),
        ({"output": "encoder", "overwrite": True}, "`output`=.* is `encoder` itself; give another"),
        ({"output": "foreign"}, "foreign is not empty .* and was not made by a run"),
        ({"sources": {"a": "finished/labels.conll"}, "output": "finished", "overwrite": True},
         r"`sources`\['a'\]=finished/labels.conll is a record of the run in `output`=finished"),
    ],
)  # fmt: skip
def test_arguments_are_refused_before_a_source_is_asked(
    world, tmp_path, monkeypatch, more, message
):
    monkeypatch.chdir(tmp_path)
    spec = RunSpec({}, 0)
    run = create_run_folder("finished", spec)
    run.write_result({})
    (tmp_path / "finished" / "labels.conll").write_text("Ka\tNAME\n")
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "notes").write_text("")
    (tmp_path / "encoder").symlink_to(world.encoder)
    given = {"sources": {"a": by_nobody}, "encoder": "encoder", "output": "out"} | more
    with pytest.raises(InputError, match=message):
        zsl_jax.transfer([["Ka", "tab"]], **given)
    assert not (tmp_path / "out").exists() and (tmp_path / "finished" / "result.json").exists()


def test_files_of_a_pattern_are_one_text_with_a_file_of_predictions_each(world, tmp_path):
    for name, word, label in (("1", "Ka", "NAME"), ("2", "tab", "NOUN")):
        (tmp_path / f"text{name}.conll").write_text(f"{word}\n")
        (tmp_path / f"source{name}.conll").write_text(f"{word}\t{label}\n")
    text, source = (str(tmp_path / f"{name}*.conll") for name in ("text", "source"))
    found = zsl_jax.aggregate(text, {"a": source}, "majority")
    assert [(made.words, made.labels) for made in found] == [
        (("Ka",), ("NAME",)),
        (("tab",), ("NOUN",)),
    ]
    config = dataclasses.replace(CONFIG, approach=Approach.KD, rounds=1)
    done = zsl_jax.transfer(text, {"a": source}, world.encoder, tmp_path / "out", config=config)
    assert [made.words for made in done.sentences] == [("Ka",), ("tab",)]
    words = read_predictions(tmp_path / "out" / "labels.parquet").words
    assert list(words) == [("Ka",), ("tab",)]


SHOE = [["\U0001f45e", "Al", "ran"]]


@pytest.mark.parametrize("offsets", ["utf16", {"java": "utf16", "python": "characters"}])
def test_offsets_of_a_transfer_hold_for_the_test_too(world, spans, tmp_path, monkeypatch, offsets):
    read = []

    def run_transfer(transfer_task, config, run, text, read_test, writing):
        read.append(read_test().predictions["java"])
        raise InputError("stopped")

    monkeypatch.setattr(transfer, "run_transfer", run_transfer)
    java = {"java": spans["java"]}
    sources = java if isinstance(offsets, str) else spans
    test = [(SHOE[0], ["O", "B-X", "O"])]
    how = {"test": test, "test_sources": java, "offsets": offsets}
    with pytest.raises(InputError, match="stopped"):
        zsl_jax.transfer(SHOE, sources, world.encoder, tmp_path / "out", **how)
    assert [read[0].label_names[label] for label in read[0].labels] == ["O", "B-X", "O"]


def test_an_encoder_beside_the_source_as_it_is_is_told_to_be_unused(world, caplog):
    config = TransferConfig(approach=Approach.DIRECT)
    inputs = transfer_inputs({"a": world.encoder}, None, checked_settings(["a"]), 32, None)
    assert inputs.start(config, None) == str(world.encoder) and not caplog.messages
    inputs.start(config, "none")
    assert "`encoder` is not used by `approach`=direct, which takes the one" in caplog.text


def test_a_cache_keeps_what_models_predict(world, tmp_path):
    text = [(s.words, s.labels) for s in tiny_world.sentences(1, 12)]
    config = TrainConfig(epochs=1, row_length=32, batch_words=64)
    model = zsl_jax.train(text, world.encoder, tmp_path / "model", config=config).folder
    words, cache = [["Ka", "tab"], ["Lo", "gata"]], tmp_path / "cache"
    direct = dataclasses.replace(CONFIG, approach=Approach.DIRECT)
    call = (words, {"model": model}, None)  # the tagger is the source
    first = zsl_jax.transfer(*call, tmp_path / "a", config=direct, cache=cache, test=text[:3])
    kept = {path: path.stat().st_mtime_ns for path in cache.iterdir()}
    assert len(kept) == 2  # of the text and of the test
    second = zsl_jax.transfer(*call, tmp_path / "b", config=direct, cache=cache, test=text[:3])
    assert {path: path.stat().st_mtime_ns for path in cache.iterdir()} == kept
    assert [s.labels for s in first.sentences] == [s.labels for s in second.sentences]


def test_a_source_with_a_label_for_no_label_is_taken_as_it_is(world, tmp_path):
    text = [(s.words, s.labels) for s in tiny_world.sentences(1, 12)]
    config = TrainConfig(epochs=1, row_length=32, batch_words=64)
    model = zsl_jax.train(text, world.encoder, tmp_path / "model", config=config).folder
    settings = read_json_object(model / "config.json")
    (first, name), *others = settings["id2label"].items()
    named = {first: "_", **dict(others)}
    label2id = {label: int(number) for number, label in named.items()}
    write_json(model / "config.json", {**settings, "id2label": named, "label2id": label2id})
    direct = dataclasses.replace(CONFIG, approach=Approach.DIRECT)
    words = [["Ka", "tab"], ["Lo", "gata"]]
    done = zsl_jax.transfer(words, {"model": model}, None, tmp_path / "out", config=direct)
    assert done.label_names == done.tagger.label_names and name not in done.label_names
    assert set(done.label_names) == {label for _, label in others}
