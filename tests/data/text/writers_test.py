"""Tests of zsl_jax.data.text.writers."""

import gzip
import json
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from zsl_jax.data.text.readers import read_sentences
from zsl_jax.data.text.writers import write_conll, write_jsonl, write_spans
from zsl_jax.errors import InputError
from zsl_jax.labels import entity_spans
from zsl_jax.types import Sentence

odd_words = st.sampled_from(
    ["#", "# id = 1", "#x", "a b", "\u3000", "\u2028", "\x85", "_", "O", '"']
)
words = st.one_of(odd_words, st.text(st.characters(codec="utf-8"), min_size=1, max_size=6)).filter(
    lambda word: word.strip(" ") and not set("\0\t\n\r") & set(word) and '""' not in word
)
labels = st.sampled_from(["O", "B-PER", "NOUN", "#", "two words"])
comments = st.lists(st.sampled_from(["# id = 1", "# free remark", "-DOCSTART- -X- O"]), max_size=2)
labelled_words = st.lists(st.tuples(words, labels), min_size=1, max_size=6)
sentences = st.builds(
    lambda pairs, notes: Sentence(
        tuple(word for word, _ in pairs), tuple(label for _, label in pairs), tuple(notes)
    ),
    labelled_words,
    comments,
)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(sentences, min_size=1, max_size=5),
    st.sampled_from(["a.conll", "a.conll.gz", "a.jsonl", "a.jsonl.gz"]),
)
def test_what_is_written_is_read_back(corpus, name):
    write = write_conll if "conll" in name else write_jsonl
    assume(not any(word.startswith("\ufeff") for sentence in corpus for word in sentence.words))
    pairs = [list(zip(sentence.words, sentence.labels, strict=True)) for sentence in corpus]
    first_labels = [next((y for w, y in rows if w[0] != "#"), "O") for rows in pairs]
    first_labels += [rows[0][1] for rows in pairs]
    assume("two words" not in first_labels)  # the line may be a header or a comment
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write(path, ((sentence, sentence.labels) for sentence in corpus))
        assert read_sentences(path) == corpus
        assert [entry.name for entry in Path(folder).iterdir()] == [name]


def test_conll_text(capsys):
    sentences = [Sentence(("a", "b"), ("X", "X"), ("# id = 1",)), Sentence(("c",))]
    write_conll("-", zip(sentences, [["O", "B-PER"], ["O"]], strict=True))
    assert capsys.readouterr().out == "# id = 1\na\tO\nb\tB-PER\n\nc\tO\n\n"


def test_jsonl_text(capsys):
    sentences = [Sentence(("é",), None, ("# id = 1",)), Sentence(("c",))]
    write_jsonl("-", zip(sentences, [["O"], ["X"]], strict=True))
    assert capsys.readouterr().out == (
        '{"words": ["é"], "labels": ["O"], "comments": ["# id = 1"]}\n'
        '{"words": ["c"], "labels": ["X"]}\n'
    )


def test_comments_never_become_words(tmp_path):
    notes = ("#", "#tag", "# a\tb", "free", "# two\nlines")
    write_conll(tmp_path / "a.conll", [(Sentence(("w",), None, notes), ["O"])])
    (sentence,) = read_sentences(tmp_path / "a.conll")
    assert sentence.words == ("w",)
    assert sentence.comments == ("# ", "# tag", "# a b", "# free", "# two lines")


@pytest.mark.parametrize("word", ["a\tb", "a\nb", "", " ", "-DOCSTART-", "-DOCSTART- x", "\ufeffa"])
def test_words_that_conll_cannot_hold(tmp_path, word):
    path = tmp_path / "a.conll"
    rows = [(Sentence(("a",)), ["O"]), (Sentence((word,)), ["O"])]
    with pytest.raises(InputError, match=r"a\.conll, sentence 2: .*\.jsonl"):
        write_conll(path, rows)
    assert not list(tmp_path.iterdir())


def test_a_word_behind_a_mark_is_refused_wherever_it_stands(tmp_path):
    with pytest.raises(InputError, match=r"cannot hold the word '.ufeffa'"):
        write_conll(tmp_path / "a.conll", [(Sentence(("b", "\ufeffa")), ["O", "O"])])
    write_conll(tmp_path / "a.conll", [(Sentence(("b", "\ufeff")), ["O", "O"])])
    assert read_sentences(tmp_path / "a.conll")[0].words == ("b", "\ufeff")


@pytest.mark.parametrize("write", [write_conll, write_jsonl])
def test_one_label_a_word(tmp_path, write):
    for given_labels in (["O"], ["O", "O", "O"], []):
        with pytest.raises(AssertionError, match="label"):
            write(tmp_path / "a", [(Sentence(("a", "b")), given_labels)])
    assert not list(tmp_path.iterdir())


def test_a_failed_write_keeps_the_old_file(tmp_path):
    path = tmp_path / "a.jsonl"
    write_jsonl(path, [(Sentence(("old",)), ["O"])])
    with pytest.raises(UnicodeEncodeError):
        write_jsonl(path, [(Sentence((word,)), ["O"]) for word in ("new", "\ud800")])
    assert read_sentences(path)[0].words == ("old",)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.jsonl"]


def test_missing_folder(tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        write_conll(tmp_path / "none" / "a.conll", [(Sentence(("a",)), ["O"])])


TEXT = Sentence(("Anna", "K", ".", "sings"), None, (), " Anna K. sings", (1, 6, 7, 9))
BIO = ("B-PER", "I-PER", "O", "I-X")


def spans(tmp_path, sentences, labels, scores=None, name="a.jsonl"):
    scores = [None] * len(labels) if scores is None else scores
    write_spans(tmp_path / name, zip(sentences, labels, scores, strict=True))
    opened = gzip.open if name.endswith(".gz") else open
    with opened(tmp_path / name, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def test_spans_have_the_places_of_the_text(tmp_path):
    (row,) = spans(tmp_path, [TEXT], [BIO], [(0.5, 1.0, 0.1, 0.25)])
    assert row == {
        "text": " Anna K. sings",
        "spans": [
            {"start": 1, "end": 7, "label": "PER", "score": 0.75},
            {"start": 9, "end": 14, "label": "X", "score": 0.25},
        ],
    }
    assert [row["text"][s["start"] : s["end"]] for s in row["spans"]] == ["Anna K", "sings"]


def test_spans_of_words_without_a_text(tmp_path):
    corpus = [Sentence(("e\u0301", "\U0001f469", "b")), Sentence(("x",))]
    labels = [("O", "B-A", "B-A"), ("_",)]
    assert spans(tmp_path, corpus, labels, name="a.jsonl.gz") == [
        {
            "text": "e\u0301 \U0001f469 b",
            "spans": [
                {"start": 3, "end": 4, "label": "A"},
                {"start": 5, "end": 6, "label": "A"},
            ],
        },
        {"text": "x", "spans": []},
    ]


def test_spans_need_bio_labels(tmp_path):
    with pytest.raises(InputError, match=r"a\.jsonl: spans need BIO labels, but there is 'NOUN'"):
        spans(tmp_path, [Sentence(("a", "b"))], [("O", "NOUN")])
    assert not list(tmp_path.iterdir())


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(["O", "B-A", "I-A", "I-B"]), min_size=1, max_size=8), st.data())
def test_spans_are_those_of_the_labels(tmp_path_factory, labels, data):
    source_labels = st.text("ab\u0301\U0001f469", min_size=1, max_size=3)
    words = data.draw(st.lists(source_labels, min_size=len(labels), max_size=len(labels)))
    sentence = Sentence(tuple(words))
    folder = tmp_path_factory.getbasetemp()
    (row,) = spans(folder, [sentence], [labels])
    expected = [
        (span.type, " ".join(words[span.start : span.end])) for span in entity_spans(labels)
    ]
    found = [(span["label"], row["text"][span["start"] : span["end"]]) for span in row["spans"]]
    assert found == expected


@pytest.mark.parametrize(
    ("raised", "expected", "message"),
    [
        (OSError(28, "No space left on device"), InputError, "output cannot be written: No space"),
        (BrokenPipeError(32, "Broken pipe"), BrokenPipeError, "Broken pipe"),  # the reader is done
    ],
)
def test_standard_output_that_cannot_be_written(monkeypatch, raised, expected, message):
    class Closed:
        def writelines(self, blocks):
            raise raised

    monkeypatch.setattr(sys, "stdout", Closed())
    with pytest.raises(expected, match=message):
        write_conll("-", [(Sentence(("a",)), ["O"])])


@pytest.mark.parametrize("write", [write_conll, write_jsonl])
def test_gzipped_output_is_the_same_bytes_every_time_and_everywhere(tmp_path, monkeypatch, write):
    made = []
    for number, name in enumerate(["a.gz", "b.gz", "a.gz"]):
        monkeypatch.setattr("time.time", lambda number=number: 1e9 + 1e5 * number)
        write(tmp_path / name, [(Sentence(("Rome", "é")), ["B-LOC", "O"])] * 999)
        made.append((tmp_path / name).read_bytes())
    assert made[0] == made[1] == made[2]
    assert gzip.decompress(made[0]).decode().count("é") == 999
