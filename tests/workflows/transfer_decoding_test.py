"""The decoding of a transfer of entities: of its files, its table and its folder."""

import dataclasses
import json

import numpy as np
import pytest

import zsl_jax
from tests.tiny_world import LABEL_OF
from tests.workflows.transfer_test import CONFIG
from zsl_jax.data.predictions.prediction_files import read_predictions
from zsl_jax.io.label_model_file import read_label_model
from zsl_jax.labels import sentence_starts, to_bio
from zsl_jax.workflows import prediction

NAMES = ("O", "B-NAME", "I-NAME")
ONE_EPOCH = dataclasses.replace(CONFIG, epochs=1, rounds=1)


def entities(sentences):
    """Label ids: words that are names and stand side by side are one name."""
    ids = []
    for words in sentences:
        names = [LABEL_OF[word] == "NAME" for word in words]
        ids += [
            int(name) + (name and before)
            for name, before in zip(names, [False, *names], strict=False)
        ]
    return np.array(ids)


def source(right, seed):
    """Gives the true label with probability `right`, and any label otherwise."""

    def function(sentences):
        rng, truth = np.random.default_rng(seed), entities(sentences)
        labels = np.where(rng.random(len(truth)) < right, truth, rng.integers(0, 3, len(truth)))
        return NAMES, 0.2 + 0.4 * np.eye(3, dtype=np.float32)[labels]

    return function


SOURCES = {"good": source(0.6, 0), "bad": source(0.4, 1)}


@pytest.fixture(scope="module")
def transferred(world, texts, tmp_path_factory):
    """A transfer by the default, with the true labels of three sentences, and its arguments."""
    folder, (text, gold) = tmp_path_factory.mktemp("entities"), texts
    names = iter(entities(text[:3]))
    known = [[f"{word}\t{NAMES[next(names)]}" for word in words] for words in text[:3]]
    (folder / "known.conll").write_text("\n\n".join(map("\n".join, known)))
    test = [(words, [NAMES[label] for label in entities([words])]) for words, _ in gold]
    call = {"encoder": world.encoder, "output": folder / "out", "config": ONE_EPOCH}
    call |= {"test": test, "gold_words": folder / "known.conll"}
    return text, call, zsl_jax.transfer(text, SOURCES, **call)


def ids_of(sentences):
    return np.array([NAMES.index(label) for made in sentences for label in made.labels])


def needs_repair(sentences):
    starts = sentence_starts([len(made.words) for made in sentences])
    return to_bio(NAMES, ids_of(sentences), starts).repairs > 0


def test_labels_of_the_text_are_the_best_path_of_the_chain(transferred):
    text, call, done = transferred
    probs = np.concatenate([made.probs for made in done.sentences])
    best = probs.argmax(axis=1)
    ids = ids_of(done.sentences)
    assert 0.8 < (ids == best).mean() < 1 and not needs_repair(done.sentences)
    known = sum(map(len, text[:3]))
    np.testing.assert_array_equal(ids[:known], entities(text[:3]))
    for name in ("labels", "test"):
        about = read_predictions(call["output"] / f"{name}.parquet").about
        assert about == {"labels_from": "Q", "decode": "viterbi"}
    labels = read_predictions(call["output"] / "labels.parquet")
    assert [labels.label_names[label] for label in labels.labels] == [NAMES[label] for label in ids]
    assert json.loads((call["output"] / "result.json").read_text())["decode"] == "viterbi"
    assert [(row.name, row.labels_from) for row in done.rows[-2:]] == [("lvm", "P"), ("lvm", "Q")]


def test_a_run_that_resumes_writes_the_same_labels(transferred):
    text, call, done = transferred
    (call["output"] / "result.json").unlink()  # as if it had been killed when all was trained
    again = zsl_jax.transfer(text, SOURCES, **call)
    for ours, theirs in zip(again.sentences, done.sentences, strict=True):
        assert ours.labels == theirs.labels
        np.testing.assert_array_equal(ours.probs, theirs.probs)
    assert again.rows == done.rows


def test_the_folder_labels_other_texts_by_the_best_path_too(transferred, monkeypatch):
    _, call, done = transferred
    words = [words for words, _ in call["test"]]
    votes = {name: function(words)[1] for name, function in SOURCES.items()}
    assert read_label_model(call["output"]).decoding == "viterbi"
    found = done.tagger.predict(words, votes)
    labels = read_predictions(call["output"] / "test.parquet")
    assert [labels.label_names[label] for label in labels.labels] == [
        label for made in found for label in made.labels
    ]
    by_word = done.tagger.predict(words, votes, "argmax")
    for ours, theirs in zip(by_word, found, strict=True):
        np.testing.assert_array_equal(ours.probs, theirs.probs)
        assert ours.labels == tuple(NAMES[label] for label in ours.probs.argmax(axis=1))
    assert not needs_repair(found) and (ids_of(found) != ids_of(by_word)).any()
    monkeypatch.setattr(prediction, "CHUNK_WORDS", 16)
    chunks = done.tagger.predict(words, votes)
    assert [made.labels for made in chunks] == [made.labels for made in found]


def test_what_is_chosen_holds_everywhere(transferred, tmp_path):
    text, call, _ = transferred
    done = zsl_jax.transfer(text, SOURCES, **{**call, "output": tmp_path / "out"}, decode="argmax")
    probs = np.concatenate([made.probs for made in done.sentences])
    np.testing.assert_array_equal(ids_of(done.sentences), probs.argmax(axis=1))
    assert read_label_model(tmp_path / "out").decoding == "argmax"
    assert json.loads((tmp_path / "out" / "run.json").read_text())["flags"]["decode"] == "argmax"
    for name in ("labels", "test"):
        about = read_predictions(tmp_path / "out" / f"{name}.parquet").about
        assert about == {"labels_from": "Q", "decode": "argmax"}
    assert [row.labels_from for row in done.rows[-2:]] == ["P argmax", "Q argmax"]
