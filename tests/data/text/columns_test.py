"""Tests of zsl_jax.data.text.columns, as far as readers_test has none."""

import re

import pytest

from zsl_jax.data.text.readers import read_sentences
from zsl_jax.errors import InputError
from zsl_jax.types import Sentence

CONLL_2003 = """-DOCSTART- -X- -X- O

Rome NNP B-NP B-LOC
waits VBZ B-VP O

-DOCSTART- -X- -X- O

Yes UH B-INTJ O
"""
CONLL_2002 = """-DOCSTART- -DOCSTART- O
Zij Pron O
zag V O
-DOCSTART- -DOCSTART- O
Één Num B-MISC
"""
UNER = """# sent_id = a-1
# text = du tabac\tà Rome
1-2\tdu\tO\t-\tme
1\tde\tO\t-\tme
2\tle\tO\t-\tme
2.1\tx\tO\t-\tme
3\tRome\tB-LOC\t-\tme

# sent_id = a-2
1\t#\tO\t-\tme
"""
WIKIANN = "be-x-old:Рым\tB-LOC\nbe-x-old::\tO\n\nbe-x-old:en:x\tO\n"


def read(tmp_path, content, name="a.conll", **options):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_sentences(path, **options)


def message(tmp_path, content, name="a.conll", **options):
    with pytest.raises(InputError, match=re.escape(name)) as caught:
        read(tmp_path, content, name, **options)
    return str(caught.value)


def test_conll_2003(tmp_path):
    mark = ("-DOCSTART- -X- -X- O",)
    assert read(tmp_path, CONLL_2003, "eng.testa") == [
        Sentence(("Rome", "waits"), ("B-LOC", "O"), mark),
        Sentence(("Yes",), ("O",), mark),
    ]
    assert read(tmp_path, CONLL_2003, column=1)[0].labels == ("NNP", "VBZ")


def test_conll_2002_in_latin_1_with_documents_that_no_empty_line_separates(tmp_path):
    data = CONLL_2002.encode("iso-8859-1")
    assert "`encoding`=iso-8859-1" in message(tmp_path, data, "ned.train")
    found = read(tmp_path, data, "ned.train", encoding="iso-8859-1")
    mark = ("-DOCSTART- -DOCSTART- O",)
    assert found == [
        Sentence(("Zij", "zag"), ("O", "O"), mark),
        Sentence(("Één",), ("B-MISC",), mark),
    ]


def test_universal_ner(tmp_path):
    expected = [
        Sentence(
            ("de", "le", "Rome"),
            ("O", "O", "B-LOC"),
            ("# sent_id = a-1", "# text = du tabac\tà Rome"),
        ),
        Sentence(("#",), ("O",), ("# sent_id = a-2",)),
    ]
    assert read(tmp_path, UNER, "en-dev.iob2") == expected
    assert read(tmp_path, UNER, "dev", format="uner") == expected
    assert read(tmp_path, UNER, "en-dev.iob2", column=4)[0].labels == ("me",) * 3
    assert "2 column(s) where 5 are expected" in message(tmp_path, "a\tO\n", "a.iob2")
    assert "`format`=conll" in message(tmp_path, "a\tb\tc\td\te\n", "a.iob2")


REST = {"a.conllu": "\t_\tX" + "\t_" * 6, "a.iob2": "\tO\t-\tme"}


@pytest.mark.parametrize("name", REST)
@pytest.mark.parametrize(
    ("numbers", "line", "expected"),
    [
        ("1 2 1", 3, "number 1 where 3 is"),
        ("1 1", 2, "number 1 where 2 is"),
        ("1 3", 2, "number 3 where 2 is"),
        ("1 2  2", 4, "number 2 where 1 is"),
        ("0 1", 1, "number 0 where 1 is"),
        ("1-2 1 1.1 3", 4, "number 3 where 2 is"),
    ],
)
def test_sentences_without_an_empty_line_between_them_are_refused(
    tmp_path, name, numbers, line, expected
):
    rows = [f"{number}\tw{REST[name]}" if number else "" for number in numbers.split(" ")]
    refused = message(tmp_path, "\n".join(rows), name)
    assert f"line {line}: word {expected} expected; a line is missing, or an empty" in refused
    assert refused.endswith("number the words of each sentence from 1")


@pytest.mark.parametrize("name", REST)
def test_a_comment_behind_a_sentence_needs_an_empty_line(tmp_path, name):
    word = f"1\tAnna{REST[name]}\n"
    for comment in ("# sent_id = 2\n", "#" + "\tx" * (REST[name].count("\t") + 1) + "\n"):
        refused = message(tmp_path, word + comment + word, name)
        assert "line 2: '#" in refused and "write an empty line between sentences" in refused
        assert len(read(tmp_path, f"{word}\n{comment}{word}", name)) == 2


def test_wikiann(tmp_path):
    assert read(tmp_path, WIKIANN, "train", format="wikiann") == [
        Sentence(("Рым", ":"), ("B-LOC", "O")),
        Sentence(("en:x",), ("O",)),
    ]
    refused = message(tmp_path, "en:a\tO\nb\tO\n", format="wikiann")
    assert "line 2: 'b' has no language" in refused
    assert "line 1: a word is empty" in message(tmp_path, "en:\tO\n", format="wikiann")


def test_wikiann_is_not_taken_for_columns(tmp_path):
    refused = message(tmp_path, WIKIANN, "train")
    assert "'be-x-old:'" in refused and "`format`=wikiann" in refused
    assert read(tmp_path, WIKIANN, "train", format="conll")[1].words == ("be-x-old:en:x",)
    assert read(tmp_path, WIKIANN + "\nb\tO\n", "train")[0].words[0] == "be-x-old:Рым"
