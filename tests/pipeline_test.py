"""The exported folder in transformers' own pipeline: the same label for every word."""

import json

import numpy as np
import pytest

from tests.tiny_world import CONFIG, SPECIAL, sentences, write_encoder
from zsl_jax import Tagger
from zsl_jax.data.text.writers import write_spans
from zsl_jax.labels import LabelSet
from zsl_jax.types import Sentence
from zsl_jax.workflows.loaded_tagger import load_tagger, save_tagger

pytest.importorskip("torch", reason="the extra torch is not installed")
from benchmarks import pipeline_agreement

BIO = ("O", "B-X", "I-X", "B-Y", "I-Y")
PIECES = "Ka Lo Mi Ru tab sel dor vin pas gata lora mina ##ta ##b ##n - ' . , 1 ##0 10".split()
# Pieces of words, symbols inside words, an unknown word.
ODD = [("Kata", "Ka-tab", "sel'n", "10,0"), ("quite", "tab", ",", "Lo.", "."), ("-",)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("pipeline")
    start = load_tagger(write_encoder(root / "encoder", PIECES))
    kernel = np.random.default_rng(1).normal(size=(CONFIG["hidden_size"], len(BIO)))
    head = {"kernel": 3 * kernel.astype(np.float32), "bias": np.zeros(len(BIO), np.float32)}
    params = {**start.params, "classifier": head}
    save_tagger(root / "tagger", start._replace(params=params, label_set=LabelSet(BIO)))
    assert len(SPECIAL) == 4
    return root / "tagger"


@pytest.mark.parametrize("fed", ["words", "text"])
def test_every_word_has_the_same_label(folder, fed):
    loaded = load_tagger(folder)
    pipeline = pipeline_agreement.open_pipeline(str(folder))
    text = [sentence.words for sentence in sentences(5, 40)] + ODD
    fitting, left_out = pipeline_agreement.fitting_sentences(text, loaded, pipeline)
    assert fitting == text and left_out == 0
    found = pipeline_agreement.agreement(fitting, loaded, pipeline, fed)
    assert found.compared == found.equal == sum(map(len, text)), found.examples
    labels = {label for tagged in Tagger(loaded).predict(text) for label in tagged.labels}
    assert len(labels) > 2  # a constant would be equal, too


def test_differences_and_long_sentences_are_seen(folder):
    loaded = load_tagger(folder)
    other = loaded._replace(params={**loaded.params, "classifier": {
        name: -value for name, value in loaded.params["classifier"].items()
    }})  # fmt: skip
    pipeline = pipeline_agreement.open_pipeline(str(folder))
    text = [("Ka", "tab"), ("Ka",) * 70, ("Lo",)]
    fitting, left_out = pipeline_agreement.fitting_sentences(text, loaded, pipeline)
    assert fitting == [text[0], text[2]] and left_out == 70
    found = pipeline_agreement.agreement(fitting, other, pipeline, "words")
    assert (found.compared, found.equal, len(found.examples)) == (3, 0, 3)


def test_our_spans_are_the_entities_of_the_unchanged_pipeline(folder, tmp_path):
    import transformers

    text = [Sentence(sentence.words) for sentence in sentences(6, 40)]
    found = Tagger.from_pretrained(folder).predict(sentence.words for sentence in text)
    labels = [tagged.labels for tagged in found]
    write_spans(tmp_path / "a.jsonl", zip(text, labels, [None] * len(text), strict=True))
    rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    pipeline = transformers.pipeline(
        "token-classification", str(folder), aggregation_strategy="first", device="cpu"
    )
    for row in rows:
        entities = pipeline(row["text"])
        theirs = [(e["start"], e["end"], e["entity_group"]) for e in entities]
        assert theirs == [(span["start"], span["end"], span["label"]) for span in row["spans"]]
    assert sum(len(row["spans"]) for row in rows) > 20
