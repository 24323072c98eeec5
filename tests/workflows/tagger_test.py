"""Tests of zsl_jax.workflows.tagger, and through it of prediction chunk by chunk."""

import copy
import json
import pickle
import shutil

import numpy as np
import pytest

import zsl_jax
from tests.tiny_world import CONFIG, LABELS, sentences
from zsl_jax.data.predictions.parquet_writer import write_predictions
from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.data.predictions.to_bio import bio_predictions
from zsl_jax.data.text_shard import TextShard
from zsl_jax.errors import InputError
from zsl_jax.io.label_model_file import LabelModel, read_label_model, save_label_model
from zsl_jax.labels import LabelSet, SourceLabels
from zsl_jax.runtime import compilation
from zsl_jax.workflows import prediction
from zsl_jax.workflows.label_decoding import decode
from zsl_jax.workflows.loaded_tagger import load_tagger, predict_log_probs, save_tagger
from zsl_jax.workflows.resolve_sources import resolve_sources
from zsl_jax.workflows.sources import Source

BIO = ("O", "B-X", "I-X")
TEXT = sentences(4, 60)
WORDS = [sentence.words for sentence in TEXT]
NUM_WORDS = sum(map(len, WORDS))


def write_tagger(folder, encoder, names):
    """A tagger with a random head, and a label model of two sources beside it."""
    start = load_tagger(encoder)
    rng = np.random.default_rng(3)
    kernel = rng.normal(size=(CONFIG["hidden_size"], len(names))).astype(np.float32)
    head = {"kernel": kernel, "bias": np.zeros(len(names), np.float32)}
    params = {**start.params, "classifier": head}
    save_tagger(folder, start._replace(params=params, label_set=LabelSet(names)))
    confusion = np.log(rng.dirichlet(np.ones(len(names)), (2, len(names))).transpose(0, 2, 1))
    source_labels = SourceLabels.of(LabelSet(names))
    model = LabelModel(("a", "b"), source_labels, confusion.astype(np.float32), 1.0, (1.0,), "soft")
    save_label_model(folder, model)
    return folder


@pytest.fixture(scope="module")
def folder(world, tmp_path_factory):
    return write_tagger(tmp_path_factory.mktemp("tagger") / "bio", world.encoder, BIO)


@pytest.fixture(scope="module")
def tagger(folder):
    return zsl_jax.Tagger.from_pretrained(folder, row_length=32)


def test_labels_and_probabilities_of_every_word(folder, tagger):
    expected = np.exp(predict_log_probs(load_tagger(folder), TEXT, 32))
    found = tagger.predict(WORDS)
    assert tagger.label_names == BIO and [tagged.words for tagged in found] == WORDS
    probs = np.concatenate([tagged.probs for tagged in found])
    assert probs.dtype == np.float32
    np.testing.assert_array_equal(probs, expected)
    labels = [label for tagged in found for label in tagged.labels]
    assert labels == [BIO[label] for label in expected.argmax(-1)]
    assert all(len(tagged.probs) == len(tagged.words) for tagged in found)
    sequence = decode(expected, LabelSet(BIO), WORDS, "viterbi")
    found = tagger.predict(WORDS, decode="viterbi")
    assert [y for tagged in found for y in tagged.labels] == [BIO[label] for label in sequence]


def test_a_tagger_is_a_source(tagger):
    names, probs = tagger(WORDS)
    assert names == BIO and probs.shape == (NUM_WORDS, 3)
    alone = tagger.predict(WORDS)
    found = zsl_jax.aggregate(WORDS, {"en": tagger}, "mean")
    assert found.label_names == BIO and [s.words for s in found] == WORDS
    np.testing.assert_allclose(found[0].probs, alone[0].probs, atol=2e-3)
    assert tagger([])[1].shape == (0, 3)


def test_a_source_without_entities_is_not_asked_to_be_sparse_after_training(
    tagger, tmp_path, caplog
):
    """Whether its O is silence was learned, and `predict` has no `sparse`."""
    silent = SourcePredictions(BIO, np.zeros(2, np.int32), None, (("Ka", "tab"),))
    write_predictions(tmp_path / "a.parquet", silent)
    for given in (silent, tmp_path / "a.parquet", Source("a", str(tmp_path / "a.parquet"))):
        with caplog.at_level("WARNING", "absl"):
            tagger.predict([["Ka", "tab"]], {"a": given, "b": given})
            tagger.predict([["Ka", "tab"]], {"a": given, "b": silent})
    assert "names no entity" not in caplog.text
    zsl_jax.aggregate([["Ka", "tab"]], {"a": silent}, "majority")
    assert "source a names no entity in 2 words" in caplog.text


def test_a_pickled_tagger_is_read_again_from_its_folder(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    tagger = zsl_jax.Tagger.from_pretrained(folder.name, row_length=32)
    monkeypatch.chdir("/")
    assert repr(tagger) == f"Tagger({str(folder)!r}, row_length=32)"
    for again in (pickle.loads(pickle.dumps(tagger)), copy.deepcopy(tagger)):
        assert again.predict(WORDS[:3]) == tagger.predict(WORDS[:3])
    sources = dict.fromkeys("ab", np.zeros(2, int))
    assert again.predict([["Ka", "tab"]], sources) == tagger.predict([["Ka", "tab"]], sources)
    with pytest.raises(InputError, match=r"made in memory cannot be pickled .* with zsl_jax\.work"):
        pickle.dumps(zsl_jax.Tagger(load_tagger(folder)))


def test_the_class_of_an_underscore_is_no_label(world, tmp_path):
    folder = write_tagger(tmp_path / "tags", world.encoder, ("NOUN", "_", "VERB"))
    expected = np.exp(predict_log_probs(load_tagger(folder), TEXT, 32))
    tagger = zsl_jax.Tagger.from_pretrained(folder, row_length=32)
    found = tagger.predict(WORDS)
    labels = [label for tagged in found for label in tagged.labels]
    assert labels == [("NOUN", "_", "VERB")[label] for label in expected.argmax(-1)]
    assert set(labels) > {"_"} and tagger.label_names == found[0].label_names == ("NOUN", "VERB")
    sums = np.concatenate([tagged.probs for tagged in found]).sum(-1)
    np.testing.assert_allclose(sums, [label != "_" for label in labels], atol=1e-5)
    (source,) = resolve_sources({"a": folder}, TextShard(TEXT), 32).values()
    alone = zsl_jax.aggregate(WORDS, {"tagger": tagger}, "majority")
    assert source.label_names == alone.label_names == ("NOUN", "VERB")
    assert [y for tagged in alone for y in tagged.labels] == labels
    assert [("NOUN", "VERB", "_")[label] for label in source.labels] == labels


def test_strings_are_cut_into_words_with_their_places(tagger):
    first, empty, second = tagger.predict(["Ka  tab,gata", "", "Lo"], words="unicode")
    assert first.words == ("Ka", "tab", ",", "gata") and first.starts == (0, 4, 7, 8)
    assert (first.text, second.words) == ("Ka  tab,gata", ("Lo",))
    assert (empty.words, empty.labels, empty.probs.shape) == ((), (), (0, 3))
    assert tagger.predict(["Ka  tab,gata"])[0].words == ("Ka", "tab,gata")
    assert tagger.predict([]) == [] and tagger.predict([[], ""])[1].labels == ()


def test_chunks_change_nothing(tagger, monkeypatch):
    """But for the last bits: other sentences share a row."""
    whole = tagger.predict(WORDS)
    monkeypatch.setattr(prediction, "CHUNK_WORDS", 16)
    found = tagger.predict(WORDS)
    assert [tagged.labels for tagged in found] == [tagged.labels for tagged in whole]
    for ours, theirs in zip(found, whole, strict=True):
        np.testing.assert_allclose(ours.probs, theirs.probs, atol=1e-5)


def test_nothing_is_compiled_for_later_chunks(tagger, monkeypatch):
    monkeypatch.setattr(prediction, "CHUNK_WORDS", 64)
    compilation.watch_compilations()
    text = TEXT * 4
    blocks = tagger.label(iter(text), decode="viterbi")
    for _ in range(2):
        next(blocks)
    before = compilation.compilations().programs
    full = [block for block in blocks if len(block.labels) > 32]
    assert len(full) > 8 and compilation.compilations().programs == before


def said(seed, soft=True):
    rng = np.random.default_rng(seed)
    probs = rng.dirichlet(np.ones(3), NUM_WORDS).astype(np.float16)
    labels = probs.argmax(-1).astype(np.int32)
    return SourcePredictions(BIO, labels, probs if soft else None, tuple(WORDS))


def posterior(folder, predictions):
    """Q in float64, straight from its definition (soft evidence, alpha = beta = 1)."""
    prior = predict_log_probs(load_tagger(folder), TEXT, 32).astype(np.float64)
    joint = prior.copy()
    for made, table in zip(predictions, read_label_model(folder).log_confusion, strict=True):
        probs = made.probs.astype(np.float64)
        probs /= np.maximum(probs.sum(1, keepdims=True), 1e-30)
        likelihood = probs @ np.exp(table.astype(np.float64))
        joint += np.log(np.where(probs.any(1)[:, None], likelihood, 1))
    joint = np.exp(joint - joint.max(1, keepdims=True))
    return joint / joint.sum(1, keepdims=True)


@pytest.mark.parametrize("chunk_words", [32, 1 << 16])
def test_sources_give_the_posterior(folder, tagger, tmp_path, monkeypatch, chunk_words):
    monkeypatch.setattr(prediction, "CHUNK_WORDS", chunk_words)
    stray, b = said(1), said(2)
    silent = np.arange(NUM_WORDS) % 5 == 0
    b = b._replace(
        probs=np.where(silent[:, None], 0, b.probs), labels=np.where(silent, -1, b.labels)
    )
    found = tagger.predict(WORDS, {"b": b.probs, "a": stray})
    probs = np.concatenate([tagged.probs for tagged in found])
    expected = posterior(folder, [bio_predictions(stray), bio_predictions(b)])
    np.testing.assert_allclose(probs, expected, atol=2e-4)  # votes are kept as float16
    write_predictions(tmp_path / "a.parquet", stray)
    from_file = tagger.predict(WORDS, {"a": tmp_path / "a.parquet", "b": b})
    for ours, theirs in zip(from_file, found, strict=True):
        np.testing.assert_array_equal(ours.probs, theirs.probs)
    write_predictions(tmp_path / "b.parquet", b)
    streamed = tagger.predict(WORDS, {name: tmp_path / f"{name}.parquet" for name in "ab"})
    for ours, theirs in zip(streamed, found, strict=True):
        np.testing.assert_array_equal(ours.probs, theirs.probs)


def test_labels_by_q_follow_from_it_as_the_label_model_recorded(folder, tagger, tmp_path):
    """Without a record, as in a folder from before there was one, by arg max."""
    sources = {"a": said(1), "b": said(2)}
    recorded = tmp_path / "recorded"
    shutil.copytree(folder, recorded)
    model = read_label_model(folder)
    assert model.decoding == "argmax"
    save_label_model(recorded, model._replace(decoding="viterbi"))
    other = zsl_jax.Tagger.from_pretrained(recorded, row_length=32)

    def labels(tagger, *arguments):
        found = tagger.predict(WORDS, *arguments)
        return [label for tagged in found for label in tagged.labels]

    assert (tagger.decoding("auto", True), other.decoding("auto", True)) == ("argmax", "viterbi")
    assert tagger.decoding("auto", False) == other.decoding("auto", False) == "argmax"
    by_word, by_sentence = (labels(tagger, sources, how) for how in ("argmax", "viterbi"))
    assert by_word != by_sentence
    assert labels(tagger, sources) == labels(other, sources, "argmax") == by_word
    assert labels(other, sources) == by_sentence
    assert labels(tagger) == labels(other)  # P alone


def test_labels_alone_are_certain_for_a_model_of_probabilities(tagger):
    labels = {name: said(seed, soft=False).labels for seed, name in enumerate("ab")}
    labels["a"] = np.where(np.arange(NUM_WORDS) % 4, labels["a"], -1)
    rows = np.vstack([np.eye(3), np.zeros(3)])
    found = tagger.predict(WORDS, labels)
    for mixed in ({**labels, "b": rows[labels["b"]]}, {n: rows[y] for n, y in labels.items()}):
        for ours, theirs in zip(tagger.predict(WORDS, mixed), found, strict=True):
            np.testing.assert_allclose(ours.probs, theirs.probs, atol=1e-5)


def test_what_is_refused(folder, tagger, world, tmp_path):
    both = {"a": said(1), "b": said(2)}
    for arguments, message in (
        ((WORDS, {"a": said(1)}), "the sources given are a, but .* trained with a, b"),
        ((WORDS[:-1], both), "the source a: 60 sentences where the text has 59"),
        ((WORDS, {**both, "b": np.zeros((2, 3))}), r"the source b: .* are float64 \(2, 3\)"),
        ((WORDS, {**both, "b": np.full(NUM_WORDS, 3)}), "the source b: label ids must be"),
        ((WORDS, {"a": tmp_path / "none.parquet", "b": said(2)}), "none.parquet"),
        ((WORDS, {}), "`sources` is empty; give at least one"),
        ((WORDS, None, "best"), "`decode`=best is not one of auto, argmax, viterbi"),
        ((WORDS, None, "argmax", "letters"), "`words`=letters is not one of whitespace"),
        (([["a"], ["b\tc"]],), r"sentence 2: the word 'b\\tc' has a tab"),
        (([["a", ""]],), "sentence 1: a word is empty"),
        ((WORDS, None, "auto", "whitespace", "utf16"), "`offsets` is about `sources`; give these"),
        ((WORDS, None, "auto", "whitespace", None, {"a": {}}), "`label_map` is about `sources`"),
        (("one string",), "sentences is a string; give a list"),
    ):
        with pytest.raises(InputError, match=message):
            tagger.predict(*arguments)
    with pytest.raises(InputError, match="encoder without a token-classification head"):
        zsl_jax.Tagger.from_pretrained(world.encoder)
    with pytest.raises(AttributeError, match="no attribute 'Taggers'"):
        zsl_jax.Taggers  # noqa: B018


def test_every_name_of_the_package_is_there():
    assert {*zsl_jax.__all__} <= {*dir(zsl_jax)}
    assert all(getattr(zsl_jax, name) for name in zsl_jax.__all__)


@pytest.mark.parametrize("length", [None, "64", 64.0, True, 5])
def test_a_row_length_that_is_none_is_refused(folder, length):
    with pytest.raises(InputError, match=f"`row_length`={length!r} must be "):
        zsl_jax.Tagger.from_pretrained(folder, length)


def test_a_path_in_place_of_a_loaded_tagger_is_refused():
    with pytest.raises(InputError, match="is not a loaded tagger"):
        zsl_jax.Tagger("models/ca")


def test_a_tagger_without_numbers_is_refused(folder):
    loaded = load_tagger(folder)
    bias = np.full(3, np.nan, np.float32)
    head = {**loaded.params["classifier"], "bias": bias}
    broken = loaded._replace(params={**loaded.params, "classifier": head})
    with pytest.raises(InputError, match="probabilities that are not numbers"):
        zsl_jax.Tagger(broken).predict(WORDS)


def test_plain_labels_too(world, tmp_path):
    tagger = zsl_jax.Tagger.from_pretrained(write_tagger(tmp_path / "pos", world.encoder, LABELS))
    assert set(tagger.predict(WORDS)[0].labels) <= set(LABELS)


def test_a_label_that_was_renamed_since_the_training_is_told(folder, tmp_path):
    renamed = tmp_path / "renamed"
    shutil.copytree(folder, renamed)
    config = json.loads((renamed / "config.json").read_text())
    config["id2label"] = {"0": "O", "1": "B-Y", "2": "I-Y"}
    (renamed / "config.json").write_text(json.dumps(config))
    tagger = zsl_jax.Tagger.from_pretrained(renamed, row_length=32)
    votes = np.zeros(NUM_WORDS, np.int64)
    said = "config.json has the labels O, B-Y, I-Y, but .* has O, B-X, I-X; put these back"
    with pytest.raises(InputError, match=said.replace(".json", r"\.json")):
        tagger.predict(WORDS, sources={"a": votes, "b": votes})
