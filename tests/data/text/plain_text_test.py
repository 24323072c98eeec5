import gzip
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from zsl_jax.data.text.readers import read_sentences
from zsl_jax.errors import InputError
from zsl_jax.types import Sentence

TEXT = "Anna sings.\r\n\r\n  # 3 songs, \n"


def read(tmp_path, content, name="a.txt", with_labels=False, **options):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_sentences(path, None, with_labels, **options)


def test_a_line_is_a_sentence(tmp_path):
    expected = [
        Sentence(("Anna", "sings."), None, (), "Anna sings.", (0, 5)),
        Sentence(("#", "3", "songs,"), None, (), "  # 3 songs, ", (2, 4, 6)),
    ]
    assert read(tmp_path, TEXT) == expected
    assert read(tmp_path, gzip.compress(TEXT.encode()), "a.txt.gz") == expected
    cut = read(tmp_path, "\ufeff" + TEXT, words="unicode")
    assert [sentence.words for sentence in cut] == [
        ("Anna", "sings", "."),
        ("#", "3", "songs", ","),
    ]
    assert cut[0].starts == (0, 5, 10)


def test_plain_text_has_no_labels(tmp_path):
    with pytest.raises(InputError, match=r"a\.txt is read as plain text, which has no labels"):
        read(tmp_path, TEXT, with_labels=True)


def test_columns_with_tabs_are_read_as_columns(tmp_path, caplog):
    text = "-DOCSTART-\n# id = 1\nAnna\tB-PER\nsings\tO\n"
    (found,) = read(tmp_path, text, with_labels=True)
    assert (found.words, found.labels) == (("Anna", "sings"), ("B-PER", "O"))
    assert not caplog.text
    read(tmp_path, text, words="unicode")
    assert "a.txt is read as conll: its words are taken as they are, not cut" in caplog.text


@pytest.mark.parametrize("name", ["a.conll", "a.jsonl", "a.parquet"])
def test_a_rule_for_words_that_are_not_cut_is_told(tmp_path, name, caplog):
    path = tmp_path / name
    path.write_text('{"words": ["a,b"]}\n' if name == "a.jsonl" else "a,b\n", encoding="utf-8")
    if name == "a.parquet":
        pq.write_table(pa.table({"words": [["a,b"]]}), path)
    assert read_sentences(path, with_labels=False)[0].words == ("a,b",) and not caplog.text
    assert read_sentences(path, with_labels=False, words="unicode")[0].words == ("a,b",)
    assert re.search(rf"{name} is read as \w+: its words are taken as they are", caplog.text)


@pytest.mark.parametrize(
    ("text", "as_columns"),
    [
        ("Anna B-PER\nsings O\n\nyes O\n", [("Anna", "sings"), ("yes",)]),
        ("# id = 1\nAnna\nsings\n", [("Anna", "sings")]),
        ("-DOCSTART- O\n\nAnna B-PER\nsings O\n", [("Anna", "sings")]),
        ("Anna sang\nHe heard\n", [("Anna", "He")]),
    ],
)
def test_what_may_be_columns_is_refused_until_the_format_is_given(tmp_path, text, as_columns):
    with pytest.raises(InputError, match=r"a\.txt may be plain text or CoNLL columns.*`format`"):
        read(tmp_path, text)
    columns = read(tmp_path, text, format="conll")
    assert [sentence.words for sentence in columns] == as_columns
    plain = read(tmp_path, text, format="plain")
    assert [sentence.text for sentence in plain] == [line for line in text.split("\n") if line]


def test_some_tabs_are_refused_too(tmp_path):
    with pytest.raises(InputError, match="some lines have tabs"):
        read(tmp_path, "Anna\tB-PER\nsings O\n")
    (found,) = read(tmp_path, "a\tb c\n", format="plain")
    assert found.words == ("a", "b", "c")
