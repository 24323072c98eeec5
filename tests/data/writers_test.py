"""Tests of zsl_jax.data.writers."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from zsl_jax.data.readers import read_sentences
from zsl_jax.data.writers import write_conll, write_jsonl
from zsl_jax.errors import InputError
from zsl_jax.types import Sentence

odd_words = st.sampled_from(
    ["#", "# id = 1", "#x", "a b", "\u3000", "\u2028", "\x85", "_", "O", '"']
)
words = st.one_of(odd_words, st.text(st.characters(codec="utf-8"), min_size=1, max_size=6)).filter(
    lambda word: word.strip(" ") and not set("\t\n\r") & set(word)
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
    marks = ("-DOCSTART-", "\ufeff")
    assume(not any(sentence.words[0].startswith(marks) for sentence in corpus))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write(path, corpus, [sentence.labels for sentence in corpus])
        assert read_sentences(path) == corpus
        assert [entry.name for entry in Path(folder).iterdir()] == [name]


def test_conll_text(capsys):
    sentences = [Sentence(("a", "b"), ("X", "X"), ("# id = 1",)), Sentence(("c",))]
    write_conll("-", sentences, [["O", "B-PER"], ["O"]])
    assert capsys.readouterr().out == "# id = 1\na\tO\nb\tB-PER\n\nc\tO\n\n"


def test_jsonl_text(capsys):
    sentences = [Sentence(("é",), None, ("# id = 1",)), Sentence(("c",))]
    write_jsonl("-", sentences, [["O"], ["X"]])
    assert capsys.readouterr().out == (
        '{"words": ["é"], "labels": ["O"], "comments": ["# id = 1"]}\n'
        '{"words": ["c"], "labels": ["X"]}\n'
    )


def test_comments_never_become_words(tmp_path):
    notes = ("#", "#tag", "# a\tb", "free", "# two\nlines")
    write_conll(tmp_path / "a.conll", [Sentence(("w",), None, notes)], [["O"]])
    (sentence,) = read_sentences(tmp_path / "a.conll")
    assert sentence.words == ("w",)
    assert sentence.comments == ("# ", "# tag", "# a b", "# free", "# two lines")


@pytest.mark.parametrize("word", ["a\tb", "a\nb", "", " ", "-DOCSTART-", "\ufeffa"])
def test_words_that_conll_cannot_hold(tmp_path, word):
    path = tmp_path / "a.conll"
    sentences = [Sentence(("a",)), Sentence((word,))]
    with pytest.raises(InputError, match=r"a\.conll, sentence 2: .*\.jsonl"):
        write_conll(path, sentences, [["O"], ["O"]])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("write", [write_conll, write_jsonl])
def test_one_label_a_word(tmp_path, write):
    for given_labels in ([["O"]], [["O", "O", "O"]], []):
        with pytest.raises(AssertionError, match="label"):
            write(tmp_path / "a", [Sentence(("a", "b"))], given_labels)
    assert not list(tmp_path.iterdir())


def test_a_failed_write_keeps_the_old_file(tmp_path):
    path = tmp_path / "a.jsonl"
    write_jsonl(path, [Sentence(("old",))], [["O"]])
    with pytest.raises(UnicodeEncodeError):
        write_jsonl(path, [Sentence(("new",)), Sentence(("\ud800",))], [["O"], ["O"]])
    assert read_sentences(path)[0].words == ("old",)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.jsonl"]


def test_missing_folder(tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        write_conll(tmp_path / "none" / "a.conll", [Sentence(("a",))], [["O"]])
