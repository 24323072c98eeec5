"""Files whose contents are of another kind than their names say."""

import bz2
import gzip
import io
import json
import pickle
import zlib

import numpy as np
import pytest

from zsl_jax.data.predictions.prediction_files import read_predictions
from zsl_jax.data.text.readers import read_sentences
from zsl_jax.errors import InputError
from zsl_jax.types import Sentence

ROW = {"words": ["Anna", "sings"], "labels": ["B-PER", "O"]}
CONLLU = "1\tAnna\t_\tPROPN\t_\t_\t2\tnsubj\t_\t_\n2\tsings\t_\tVERB\t_\t_\t0\troot\t_\t_\n"
ONTONOTES = "#begin document (bn/a); part 000\nbn/a 0 0 Rome NN * - - - - (GPE) -\n"


def write(tmp_path, content, name):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def saved(save):
    """The bytes that NumPy writes of an array."""
    file = io.BytesIO()
    save(file, np.eye(2))
    return file.getvalue()


@pytest.mark.parametrize("name", ["a.json", "a.txt", "a.conll", "a", "a.json.gz"])
def test_json_lines_are_read_whatever_they_are_called(tmp_path, name):
    content = (json.dumps(ROW) + "\n").encode()
    path = write(tmp_path, gzip.compress(content) if name.endswith(".gz") else content, name)
    assert read_sentences(path) == [Sentence(("Anna", "sings"), ("B-PER", "O"))]
    found = read_predictions(path)
    assert [found.label_names[label] for label in found.labels] == ["B-PER", "O"]


def test_spans_are_read_from_json(tmp_path):
    line = {"text": "Anna sings", "spans": [{"start": 0, "end": 4, "label": "PER"}]}
    path = write(tmp_path, json.dumps(line), "a.json")
    found = read_predictions(path, [Sentence(("Anna", "sings"))])
    assert [found.label_names[label] for label in found.labels] == ["B-PER", "O"]


def test_ontonotes_is_read_whatever_it_is_called(tmp_path):
    path = write(tmp_path, ONTONOTES, "a.conll")
    assert read_sentences(path)[0].words == ("Rome",)
    assert read_predictions(path).label_names == ("B-GPE",)


@pytest.mark.parametrize(
    ("content", "name", "expected"),
    [
        (json.dumps([ROW]), "a.json", "one JSON document; write one object per line"),
        (json.dumps([ROW], indent=2), "a.txt", "one JSON document"),
        (json.dumps(ROW, indent=2), "a.conll", "one JSON document"),
        ('[[{"text": "Anna", "ner": "S-PER"}]]', "a.json", "one JSON document"),
        ('[["Anna", "B-PER"], ["sings", "O"]]', "a.txt", "one JSON document"),
        ("[[\n  {\n", "a.json", "one JSON document"),
        (r"{\rtf1\ansi Anna}", "a.conll", "Rich Text Format; export its text"),
        ("Anna/NNP sings/VBZ ./.\n", "a.txt", "labels between its words, such as 'Anna/NNP'"),
        ("Anna <B-PER> sings\n", "a.txt", "labels between its words, such as '<B-PER>'"),
        ('<?xml version="1.0"?>\n<Reviews/>\n', "a.txt", r"XML; .*\.xml"),
        ("<!DOCTYPE html>\n", "a.html", "XML"),
        ("T1\tPER 0 4\tAnna\n", "a.ann", "brat"),
        ("#FORMAT=WebAnno TSV 3.2\n\n1-1\t0-4\tAnna\t_\t\n", "a.tsv", "WebAnno TSV; export it"),
        ("Anna,B-PER\nsings,O\n", "a.csv", "cut at commas"),
        (CONLLU, "a.conll", "CoNLL-U; .*`format`=conllu"),
        (b"PAR1\x15rest", "a.conll", r"Parquet file; let its name end in \.parquet"),
        (gzip.compress(b"Anna\tO\n", mtime=0), "a.conll", r"gzipped; let its name end in \.gz"),
        (gzip.compress(b"Anna\tO\n", mtime=0), "a.jsonl", r"gzipped; let its name end in \.gz"),
        (b"PK\x03\x04rest", "a.txt", "zip"),
        (b"%PDF-1.7", "a.txt", "PDF"),
        (bz2.compress(b"Anna\tO\n"), "a.conll", "compressed by bzip2; unpack it first"),
        (bz2.compress(b""), "a.conll", "compressed by bzip2; unpack it first"),
        (zlib.compress(b"Anna"), "a.spacy", "DocBin .* as CoNLL .* as the source, as spacy:"),
        (zlib.compress(b"Anna", 1), "a.conll", "like the DocBin files of spaCy"),
        (pickle.dumps({"a": 1}), "a.conll", "pickle"),
        (saved(np.save), "a.npy", "an array of NumPy; load it .* with `label_names`"),
        (saved(np.savez), "a.npz", "an array of NumPy; load it .* with `label_names`"),
        ("a\tO\n".encode("utf-16"), "a.conll", "iconv -f utf-16 -t utf-8 FILE"),
    ],
)
def test_files_of_another_kind_are_refused_by_name(tmp_path, content, name, expected):
    path = write(tmp_path, content, name)
    for read in (lambda: read_sentences(path, with_labels=False), lambda: read_predictions(path)):
        with pytest.raises(InputError, match=expected) as caught:
            read()
        assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("word", ["BZh", "BZh9", "PAR1", "%PDF-", "x\u01c8", "{\\rtf"])
def test_texts_that_begin_like_another_kind_are_read(tmp_path, word):
    text = f"{word}\tB-GENE\nbinds\tO\n"
    assert read_sentences(write(tmp_path, text, "a.conll"))[0].words == (word, "binds")


def test_text_in_an_encoding_where_zlib_files_begin_alike_is_read(tmp_path):
    path = write(tmp_path, "x\xda\tO\n".encode("iso-8859-1"), "a.conll")
    assert read_sentences(path, encoding="iso-8859-1")[0].words == ("x\xda",)


def test_the_ways_out_of_a_wrong_name_lead_out(tmp_path):
    path = write(tmp_path, CONLLU, "a.conll")
    assert read_sentences(path, format="conllu")[0].labels == ("PROPN", "VERB")
    assert read_sentences(path, 3, format="conll")[0].words == ("Anna", "sings")
    path = write(tmp_path, "a\tO\n".encode("utf-16"), "b.conll")
    assert read_sentences(path, encoding="utf-16") == [Sentence(("a",), ("O",))]


@pytest.mark.parametrize(
    "text", ["[\tO\n{\tO\n", "{\tO\n", "<b>\tO\n", "T1\tO\n", "{} O\n", "[[\tO\n"]
)
def test_words_that_look_like_the_start_of_another_format_are_words(tmp_path, text):
    found = read_sentences(write(tmp_path, text, "a.conll"))
    assert found[0].words[0] == text.split()[0]


@pytest.mark.parametrize("text", ["and/or AC/DC\n", "a <b> c\n", "x <B-PER\n", "/ / ./.\n"])
def test_signs_in_plain_text_are_words(tmp_path, text):
    path = write(tmp_path, text, "a.txt")
    (sentence,) = read_sentences(path, with_labels=False)
    assert list(sentence.words) == text.split()


def test_text_with_labels_between_its_words_is_read_if_the_user_says_so(tmp_path):
    path = write(tmp_path, "Anna/NNP sings/VBZ\n", "a.txt")
    (sentence,) = read_sentences(path, with_labels=False, format="plain")
    assert sentence.words == ("Anna/NNP", "sings/VBZ")
