"""Tests of zsl_jax.train."""

import json
import pickle

import jax
import pytest

import zsl_jax
from tests import tiny_world
from zsl_jax.errors import InputError
from zsl_jax.training.config import OptimizerConfig, TrainConfig, TransferConfig


def test_supervised_training_is_one_call_and_its_tagger_is_on_disk(
    world, texts, tmp_path, monkeypatch
):
    labelled = texts[1]
    jax.clear_caches()  # so that the training compiles, whatever ran in this process before
    monkeypatch.chdir(tmp_path)
    config = TrainConfig(
        epochs=2, row_length=32, batch_words=64, optimizer=OptimizerConfig(learning_rate=0.01)
    )
    done = zsl_jax.train(labelled, world.encoder, "out", config=config, dev=labelled)
    monkeypatch.chdir("/")
    assert len(done.scores) == 2 and done.best in (0, 1)
    predicted = done.tagger.predict([list(words) for words, _ in labelled])
    assert [len(sentence.labels) for sentence in predicted] == [len(y) for _, y in labelled]
    again = pickle.loads(pickle.dumps(done)).tagger.predict([list(labelled[0][0])])
    assert again[0].labels == predicted[0].labels
    assert json.loads((tmp_path / "out" / "result.json").read_text())["compilations"] > 0
    with pytest.raises(InputError, match="overwrite"):
        zsl_jax.train(labelled, world.encoder, tmp_path / "out", config=config)
    with pytest.raises(InputError, match="text, sentence 1: 2 words and 1 labels; give one label"):
        zsl_jax.train([(["Ka", "tab"], ["NAME"])], world.encoder, tmp_path / "other")


def test_a_tagger_that_gives_every_word_one_label_is_named(world, tmp_path, caplog):
    text = [(["tab", "sel", "dor", "vin", "gata"], ["NOUN"] * 4 + ["VERB"])] * 20
    dev = [*text, (["Ka"], ["NAME"])]
    config = TrainConfig(
        epochs=1, row_length=32, batch_words=512, optimizer=OptimizerConfig(learning_rate=1e-3)
    )
    with caplog.at_level("INFO"):
        zsl_jax.train(text, world.encoder, tmp_path / "out", config=config, dev=dev)
    assert "text: 20 sentences, 100 words; words per label: NOUN 80, VERB 20" in caplog.text
    assert "`dev` has the labels NAME, which the training text lacks" in caplog.text
    expected = "gives every word of `dev` the label NOUN, where gold has 3 labels"
    assert expected in caplog.text and "`batch_words`" in caplog.text


def test_plain_labels_with_o_are_warned_of(world, tmp_path, caplog):
    for labels, expected in ((["O", "I_PER", "LOC"], True), (["NAME", "NOUN", "VERB"], False)):
        caplog.clear()
        with pytest.raises(InputError, match="`dev` has the labels OTHER, the training text"):
            zsl_jax.train(
                [(["Ka", "tab", "sel"], labels)],
                world.encoder,
                tmp_path / "out",
                dev=[(["Ka"], ["OTHER"])],
            )
        said = "training text: I_PER, LOC, O are read as plain tags, not entities; if they are"
        assert (said in caplog.text) == expected


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"task": "nre"}, "there is no task 'nre'"),
        ({"dev": [(["Ka"], ["NAME"])], "task": "ner"}, "the gold label 'NAME' is neither O nor"),
        (
            {"dev": [(["Ka"], ["name"])]},
            "`dev` has the labels name, the training text NAME, and no",
        ),
        ({"config": TransferConfig()}, "is not a TrainConfig; give zsl_jax.TrainConfig"),
        ({"output": "encoder", "overwrite": True}, "`output`=encoder is `encoder` itself"),
        ({"output": None}, "`output`: None is not a path; give one"),
        ({"encoder": 5}, "`encoder`: 5 is not a path; give one"),
        ({"tensorboard": ""}, "`tensorboard`: '' is not a path; give one"),
        ({"overwrite": "no"}, "`overwrite`='no' must be True or False; correct it"),
    ],
)
def test_arguments_are_refused_before_training(world, tmp_path, monkeypatch, more, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "encoder").symlink_to(world.encoder)
    given = {"encoder": "encoder", "output": "out"} | more
    with pytest.raises(InputError, match=message):
        zsl_jax.train([(["Ka"], ["NAME"])], **given)
    assert [path.name for path in tmp_path.iterdir()] == ["encoder"]


def test_a_loss_that_is_not_finite_names_the_rates_that_the_training_has(world, tmp_path):
    text = [(s.words, s.labels) for s in tiny_world.sentences(1, 30)]
    steep = OptimizerConfig(learning_rate=1e30, warmup=0.0)
    config = TrainConfig(epochs=2, row_length=32, batch_words=16, optimizer=steep)
    remedy = "lower `learning_rate` or `head_learning_rate`$"
    with pytest.raises(InputError, match=rf"the loss of step \d+ is nan; {remedy}"):
        zsl_jax.train(text, world.encoder, tmp_path / "out", config=config)
