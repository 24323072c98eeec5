"""A tagger of each family of encoders: trained, interrupted, resumed, exported and opened again."""

import dataclasses
import string

import numpy as np
import pytest

import zsl_jax
from tests import tiny_world
from tests.killing import Ended, end_at, metrics, resumed_from
from tests.real_data import corpus
from zsl_jax.data.text.readers import read_sentences
from zsl_jax.training.config import OptimizerConfig, TransferConfig
from zsl_jax.workflows.loaded_tagger import load_tagger

LABEL_OF = {word: label for label, stems in tiny_world.STEMS.items() for word in stems.split()}
CONFIG = TransferConfig(
    rounds=2,
    epochs=4,
    row_length=32,
    batch_words=64,
    optimizer=OptimizerConfig(learning_rate=0.01),
)
TEXT = [list(sentence.words) for sentence in tiny_world.sentences(5, 40)]
# Words that were not trained on are cut into their letters.
LETTERS = [letter for letter in string.printable if not letter.isspace()]
PIECES = [*tiny_world.WORDS, *LETTERS, *(f"##{letter}" for letter in LETTERS)]


def by_rule(sentences):
    return [[LABEL_OF[word] for word in words] for words in sentences]


@pytest.fixture(scope="module", params=tiny_world.FAMILIES)
def trained(request, tmp_path_factory):
    """The encoder, and a tagger that was trained from it in one go."""
    root = tmp_path_factory.mktemp(request.param)
    encoder = tiny_world.write_encoder(root / "encoder", PIECES, request.param)
    return encoder, transfer(encoder, root / "whole", CONFIG), root / "whole"


def transfer(encoder, output, config):
    return zsl_jax.transfer(TEXT, {"rule": by_rule}, encoder, output, config=config)


def accuracy(done):
    pairs = [pair for s in done.sentences for pair in zip(s.words, s.labels, strict=True)]
    return np.mean([LABEL_OF[word] == label for word, label in pairs])


def test_a_tagger_learns_and_its_folder_gives_the_same_labels(trained):
    _, done, folder = trained
    assert accuracy(done) > 0.9
    again = zsl_jax.Tagger.from_pretrained(folder, 32).predict(TEXT)
    assert [s.labels for s in again] == [s.labels for s in done.sentences]
    assert load_tagger(folder).config["architectures"][0].endswith("ForTokenClassification")


def test_an_interrupted_run_ends_as_the_one_that_was_left_alone(trained, tmp_path, monkeypatch):
    encoder, _, whole = trained
    steps = [line["step"] for line in metrics(whole) if line["kind"] == "step"]
    with monkeypatch.context() as context, pytest.raises(Ended):
        end_at(context, step=steps[-2])
        transfer(encoder, tmp_path / "killed", CONFIG)
    transfer(encoder, tmp_path / "killed", CONFIG)
    assert resumed_from(tmp_path / "killed") == [len(steps) // 2]
    for name in ("model.safetensors", "labels.conll"):
        assert (tmp_path / "killed" / name).read_bytes() == (whole / name).read_bytes()


def test_frozen_layers_stay_as_they_are(trained, tmp_path):
    encoder, _, whole = trained
    if load_tagger(whole).encoder.family not in ("deberta-v2", "modernbert"):
        pytest.skip("its layers do not differ and share nothing")
    config = dataclasses.replace(CONFIG, trainable_layers=1)
    done = transfer(encoder, tmp_path / "upper", config)
    assert accuracy(done) > 0.9
    before, after = (load_tagger(f).params["encoder"] for f in (encoder, tmp_path / "upper"))
    np.testing.assert_array_equal(before["embeddings"]["word"], after["embeddings"]["word"])
    kernels = [params["layers"]["attention_output"]["kernel"] for params in (before, after)]
    assert np.any(kernels[0] != kernels[1], axis=(1, 2)).tolist() == [False, True]


def invented():
    return TEXT


def portuguese():
    return [sentence.words for sentence in read_sentences(corpus("ner/pt/test.conll"))[:200]]


@pytest.mark.parametrize("text", [invented, portuguese])
def test_the_folder_opens_in_transformers_pipeline_with_the_same_labels(trained, text):
    pytest.importorskip("torch", reason="the extra torch is not installed")
    from benchmarks import pipeline_agreement

    loaded = load_tagger(trained[2])
    pipeline = pipeline_agreement.open_pipeline(str(trained[2]))
    words, _ = pipeline_agreement.fitting_sentences(text(), loaded, pipeline)
    labels = {label for tagged in zsl_jax.Tagger(loaded).predict(words) for label in tagged.labels}
    assert sum(map(len, words)) > 100 and len(labels) > 1  # a constant would be equal, too
    for fed in ("words", "text"):
        same = pipeline_agreement.agreement(words, loaded, pipeline, fed)
        assert same.compared == same.equal > 100, same.examples
