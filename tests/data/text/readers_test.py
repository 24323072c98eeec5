"""Tests of zsl_jax.data.text.readers, and through it of columns and checks."""

import gzip
import json
import re
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.real_data import corpus
from zsl_jax.data.batches.windows import cut_sentences
from zsl_jax.data.predictions.prediction_files import read_predictions
from zsl_jax.data.text.formats import FORMATS
from zsl_jax.data.text.readers import read_sentences
from zsl_jax.data.text.word_rules import WORD_RULES
from zsl_jax.errors import InputError
from zsl_jax.types import Sentence

REST = "\t_" * 6
CONLLU = """# sent_id = a-1
# free text
1-2\tau\t_\t_\t_\t_\t_\t_\t_\t_
1\tà\tà\tADP\tPREP\t_\t2\tcase\t_\t_
2\tle\tle\tDET\tART\t_\t3\tdet\t_\t_
2.1\tnul\tnul\tVERB\t_\t_\t_\t_\t_\t_
3\t10 000\t10000\tNUM\tCARD\t_\t0\troot\t_\t_

#
1\t#\t#\tSYM\tX\t_\t0\troot\t_\t_
"""


def read(tmp_path, content, name="corpus.conll", **options):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_sentences(path, **options)


def message(tmp_path, content, name="corpus.conll", **options):
    with pytest.raises(InputError) as caught:
        read(tmp_path, content, name, **options)
    text = str(caught.value)
    assert name in text and "\n" not in text
    return text


def test_conllu_skips_multiword_tokens_and_empty_nodes(tmp_path):
    first, second = read(tmp_path, CONLLU, "a.conllu")
    assert first == Sentence(
        ("à", "le", "10 000"), ("ADP", "DET", "NUM"), ("# sent_id = a-1", "# free text")
    )
    assert second == Sentence(("#",), ("SYM",), ("#",))


@pytest.mark.parametrize(
    ("column", "expected"),
    [("xpos", "PREP"), ("XPOS", "PREP"), (4, "PREP"), ("4", "PREP"), (-3, "case"), (None, "ADP")],
)
def test_conllu_column_by_name_or_number(tmp_path, column, expected):
    labels = read(tmp_path, CONLLU, "a.conllu", column=column)[0].labels
    assert labels is not None and labels[0] == expected


@pytest.mark.parametrize("gap", ["\t", " ", "   ", " \t"])
def test_columns_are_cut_at_tabs_or_blanks(tmp_path, gap):
    text = "-DOCSTART- -X- O\n\nDon NNP B-PER\nran VBD O\n\n\n# SYM O\n".replace(" ", gap)
    if gap == " \t":  # tabs win: the blank in front of them belongs to the word
        text = text.replace(" \t", "\t")
    assert read(tmp_path, text) == [
        Sentence(
            ("Don", "ran"),
            ("B-PER", "O"),
            (f"-DOCSTART-{gap.strip(' ') or gap}-X-{gap.strip(' ') or gap}O",),
        ),
        Sentence(("#",), ("O",), ()),
    ]
    assert read(tmp_path, text, column=1)[0].labels == ("NNP", "VBD")
    assert read(tmp_path, text, column=-2)[0].labels == ("NNP", "VBD")


def test_comments_and_the_word_number_sign(tmp_path):
    text = "# id = 1\n# two words\n#\tO\na\tO\n#\tX\n\n#key=v\n#tag\tO\n\n# x = y\tO\n"
    assert read(tmp_path, text) == [
        Sentence(("#", "a", "#"), ("O", "O", "X"), ("# id = 1", "# two words")),
        Sentence(("#tag",), ("O",), ("#key=v",)),
        Sentence(("# x = y",), ("O",), ()),
    ]


def test_number_sign_in_a_file_cut_at_blanks(tmp_path):
    text = "# sent_id = 4\nwe O\n\n# O\n1 B\n\n# a remark of mine\n#1 O\n"
    assert read(tmp_path, text) == [
        Sentence(("we",), ("O",), ("# sent_id = 4",)),
        Sentence(("#", "1"), ("O", "B"), ()),
        Sentence(("#1",), ("O",), ("# a remark of mine",)),
    ]


def test_unlabelled_columns_need_no_labels(tmp_path):
    expected = [Sentence(("a", "#"), None, ()), Sentence(("#",), None, ("# id = 2",))]
    assert read(tmp_path, "a\n#\n\n# id = 2\n#\n", with_labels=False) == expected
    labelled = "a\tO\n#\tX\n\n# id = 2\n#\tO\n"
    assert read(tmp_path, labelled, with_labels=False) == expected
    assert "no labels" in message(tmp_path, "a\nb\n")


def test_byte_order_mark_line_ends_gzip_and_odd_spaces(tmp_path):
    text = "\ufeffa\u00a0b\tO\r\nc\u2028d\x0c\tX\r\n\r\n\u3000\tO\r\n"
    expected = [
        Sentence(("a\u00a0b", "c\u2028d\x0c"), ("O", "X"), ()),
        Sentence(("\u3000",), ("O",), ()),
    ]
    assert read(tmp_path, text) == expected
    assert read(tmp_path, gzip.compress(text.encode()), "a.conll.gz") == expected
    assert read(tmp_path, gzip.compress(CONLLU.encode()), "a.conllu.gz")[1].words == ("#",)


def test_jsonl_keys(tmp_path):
    rows = [
        {"words": ["a", "b c"], "labels": ["O", "X"], "comments": ["# id = 1"]},
        {"tokens": ["d"], "tags": ["Y"], "ner": ["Z"]},
    ]
    text = "\n\n".join(json.dumps(row) for row in rows) + "\n"
    refused = message(tmp_path, text, "a.jsonl")
    assert "line 3: the key 'ner' is not read" in refused and "`column`" in refused
    first, second = read(tmp_path, text.replace("ner", "fine_tags"), "a.jsonl")
    assert first == Sentence(("a", "b c"), ("O", "X"), ("# id = 1",))
    assert second == Sentence(("d",), ("Y",), ())
    assert read(tmp_path, text.splitlines()[2], "b.jsonl", column="ner")[0].labels == ("Z",)
    assert read(tmp_path, '{"words": ["a"]}', "c.jsonl", with_labels=False)[0].labels is None


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.conll", "a\t_\nb\t\nc\tX\n"),
        (
            "a.conllu",
            "1\ta\t_\t_\t_\t_\t_\t_\t_\t_\n2\tb\t_\t_\t_\t_\t_\t_\t_\t_\n3\tc\t_\tX" + "\t_" * 6,
        ),
        ("a.jsonl", '{"words": ["a", "b", "c"], "labels": [null, "", "X"]}'),
    ],
)
def test_missing_labels_only_where_allowed(tmp_path, name, content):
    assert read(tmp_path, content, name, allow_missing=True)[0].labels == ("_", "_", "X")
    assert "line 1: the word 'a' has no label" in message(tmp_path, content, name)
    assert read(tmp_path, content, name, with_labels=False)[0].words == ("a", "b", "c")


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.conll", "a\tO\n\nb\n", r"line 3: 1 column\(s\) where 2 are expected, cut at tabs"),
        ("a.conll", "a O\nb c O\n", r"line 2: 3 column\(s\) where 2 are expected, cut at blanks"),
        ("a.conll", "a\tO\n#\n", r"line 2: 1 column"),
        ("a.conll", "#tag\n\na\tO\n", r"line 1: 1 column"),
        ("a.conll", "a\tO\n\tO\n", "line 2: a word is empty"),
        ("a.conll", "a\tO\n \tO\n", "line 2: a word is empty"),
        ("a.conll", "", "no words"),
        ("a.conll", "\n\n# id = 1\n\n", "no words"),
        ("a.conllu", "# only = comments\n", "no words"),
        ("a.conllu", "1\ta\tX\n", r"line 1: 3 column\(s\) where 10 are expected"),
        ("a.conllu", "a" + "\tb" * 9, "line 1: 'a' is not a CoNLL-U word number"),
        ("a.conll", b"a\tO\nb\tO\n\xe9t\xe9\tO\n", "line 3: byte 0xe9 at offset 8 .* not UTF-8"),
        ("a.conll", "a\tO\n".encode("utf-16"), "line 1: byte 0xff at offset 0 .* not UTF-8"),
        ("a.conll.gz", b"a\tO\n", "cannot be read"),
        ("a.conll.gz", gzip.compress(b"a\tO\n" * 99, mtime=0)[:20], "cannot be read"),
        ("a.jsonl", '{"words": ["a"], "labels": ["O"]}\n{"words"\n', "line 2: not JSON"),
        ("a.jsonl", '["a"]\n', "line 1: not an object"),
        ("a.jsonl", '{"text": "a"}\n', 'line 1: no list "words" or "tokens"'),
        ("a.jsonl", '{"words": [], "labels": []}\n', "a.jsonl holds no words"),
        ("a.jsonl", '{"words": [], "labels": ["O"]}\n', "line 1: 0 words but 1 labels"),
        ("a.jsonl", '{"words": null, "labels": []}\n', 'line 1: no list "words" or "tokens"'),
        ("a.jsonl", '{"words": ["a"]}\n', 'line 1: no list "labels" or "tags"'),
        ("a.jsonl", '{"words": ["a"], "labels": ["O", "O"]}', "line 1: 1 words but 2 labels"),
        ("a.jsonl", '{"words": ["a"], "labels": [3]}', "line 1: the label 3 of 'a' is not a name"),
        ("a.jsonl", '{"words": ["a", ""], "labels": ["O", "O"]}', "line 1: a word is empty"),
        ("a.jsonl", '{"words": ["a\\tb"], "labels": ["O"]}', "line 1: the word 'a.tb' has a tab"),
        ("a.jsonl", '{"words": ["\\ud800"], "labels": ["O"]}', "line 1: the word .* half a surr"),
    ],
)
def test_errors_name_file_and_line(tmp_path, name, content, expected):
    assert re.search(expected, message(tmp_path, content, name))


PRODIGY = {"text": "Anna", "tokens": [{"text": "Anna", "start": 0, "end": 4}], "spans": []}


@pytest.mark.parametrize("line", [PRODIGY, {"data": "Anna", "label": [[0, 4, "PER"]]}])
def test_character_spans_are_not_words_with_labels(tmp_path, line):
    text, key = next(iter(line)), [*line][-1]
    for column in (None, key):
        refused = message(tmp_path, json.dumps(line), "a.jsonl", column=column)
        assert f'line 1: character spans ("{key}"), not words with labels' in refused
    refused = message(tmp_path, json.dumps(line), "a.jsonl", with_labels=False)
    assert f"line 1: raw text, not words; write it as plain text (jq -r '.{text} |" in refused
    words = {"tokens": ["Anna"], "tags": ["X"], "text": "Anna", "spans": [[0, 4, "PER"]]}
    assert read(tmp_path, json.dumps(words), "a.jsonl", column="tags")[0].labels == ("X",)
    assert read(tmp_path, json.dumps(words), "a.jsonl", with_labels=False)[0].words == ("Anna",)


@pytest.mark.parametrize(
    ("name", "column", "expected"),
    [
        ("a.conll", "upos", "there is no column 'upos'; it has to be a number"),
        ("a.conll", 2, "there is no column 2; its columns are 0 to 1"),
        ("a.conll", -3, "there is no column -3"),
        ("a.conllu", "pos", "there is no column 'pos'; it has to be one of id, form, lemma, upos"),
        ("a.conllu", 10, "there is no column 10; its columns are 0 to 9"),
        ("a.jsonl", 1, "column 1 has no meaning"),
        ("a.jsonl", "ner", 'no list "ner"'),
    ],
)
def test_unknown_columns(tmp_path, name, column, expected):
    content = {"a.conll": "a\tO\n", "a.conllu": CONLLU, "a.jsonl": '{"words": ["a"]}'}[name]
    assert expected in message(tmp_path, content, name, column=column)


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("cafe\u0301", "not composed"),
        ("\u05e9\u05dc\u05d5\u05dd", "right to left"),
        ("\u202eabc\u202c", "turned round"),
        ("\u200b", "zero width"),
        ("\u200d\ufe0f", "joiners"),
        ("\x01\x07", "control characters"),
        ("\x85", "next line"),
        ("\x0b\x0c", "line breaks of printers"),
        ("a\u2028b", "Unicode's line separator"),
        ("\u00a0", "no-break space"),
        ("a\ufeff", "byte-order mark that is not the first"),
    ],
)
def test_unusual_words_are_words_and_stay_as_they_are(tmp_path, word, why):
    rows = [{"words": ["x", word], "labels": ["O", "X"]}]
    texts = {
        "a.conll": f"x\tO\n{word}\tX\n",
        "b.conll": f"x O\r\n{word} X\r\n",
        "a.conllu": f"1\tx\t_\tO{REST}\n2\t{word}\t_\tX{REST}\n",
        "a.iob2": f"1\tx\tO\t-\tme\n2\t{word}\tX\t-\tme\n",
        "a.jsonl": json.dumps(rows[0], ensure_ascii=False),
        "b.jsonl": json.dumps(rows[0]),
    }
    for name, text in texts.items():
        assert read(tmp_path, text, name) == [Sentence(("x", word), ("O", "X"))], (why, name)


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("last", ["", "\n\n\n"])
def test_line_ends_and_byte_order_marks_change_nothing(tmp_path, ends, mark, last):
    for name, text in {
        "a.conllu": CONLLU,
        "a.iob2": "1\ta\tO\t-\tme\n\n1\tb\tX\t-\tme\n",
        "a.jsonl": '{"words": ["a"], "labels": ["O"]}\n{"words": ["b"], "labels": ["X"]}\n',
        "a_gold_conll": "bc/a 0 0 a NN * - - - - (X) -\n\nbc/a 0 0 b NN * - - - - * -\n",
    }.items():
        changed = mark + text.rstrip("\n").replace("\n", ends) + last
        assert read(tmp_path, changed, "changed_" + name) == read(tmp_path, text, name)
    with pytest.raises(InputError, match=r"line 1: the word 'a.rb' has a tab, a line end"):
        read(tmp_path, '{"words": ["a\\rb"], "labels": ["O"]}', "a.jsonl")


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("content", ["", "\n \r\n", "\ufeff"])
def test_empty_files_are_refused_in_every_format(tmp_path, format, content):
    assert message(tmp_path, content, "a", format=format, with_labels=False)


@pytest.mark.parametrize("with_labels", [True, False])
def test_an_empty_list_is_a_sentence_without_words(tmp_path, with_labels):
    rows = [{"words": ["a"], "labels": ["O"]}, {"words": [], "labels": []}]
    lines = tmp_path / "a.jsonl"
    lines.write_text("".join(json.dumps(row) + "\n" for row in [*rows, rows[0]]))
    columns = {key: [row[key] for row in [*rows, rows[0]]] for key in rows[0]}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    for file in (lines, tmp_path / "a.parquet"):
        found = read_sentences(file, with_labels=with_labels)
        assert [s.words for s in found] == [("a",), (), ("a",)]
        assert found[1].labels == (() if with_labels else None)


def test_the_programs_offer_every_format():
    from launch.shared_flags import DEFINITIONS

    assert tuple(DEFINITIONS["format"][2]) == FORMATS
    assert tuple(DEFINITIONS["words"][2]) == WORD_RULES


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (
            {"max_sentences": 3},
            "`max_sentences` is not a setting of the readers, which have column",
        ),
        ({"format": "csv"}, "`format`=csv is not one of conll, conllu"),
        ({"words": "letters"}, "`words`=letters is not one of whitespace, unicode; choose one"),
        ({"column": 1.0}, "`column`=1.0 is not a column; give its number or name"),
        ({"word_column": True}, "`word_column`=True is not a column; give its number or name"),
        ({"with_labels": "no"}, "`with_labels`='no' must be True or False; correct it"),
        ({"allow_missing": 5}, "`allow_missing`=5 must be True or False; correct it"),
        ({"encoding": 5}, "`encoding`=5: .* try utf-8"),
    ],
)
def test_settings_that_no_reader_has_are_refused(tmp_path, how, message):
    (tmp_path / "a.conll").write_text("a\tX\n")
    with pytest.raises(InputError, match=message):
        read_sentences(tmp_path / "a.conll", **how)


@pytest.mark.parametrize("path", [5, None, b"a.conll", ["a.conll"], ""])
def test_what_is_not_a_path_is_refused(path):
    for read in (read_sentences, read_predictions):
        with pytest.raises(InputError, match=r"^.* is not a path; give one"):
            read(path)


def test_deep_json_is_refused(tmp_path):
    text = '{"words": ["a"], "labels": ["O"]}\n' + "[" * 100_000
    assert "line 2: not JSON" in message(tmp_path, text, "a.jsonl")


def test_a_sentence_of_100_000_words_is_read_and_cut_quickly(tmp_path):
    count = 100_000
    numbers = range(1, count + 1)
    texts = {
        "a.conll": "".join(f"word{n % 99}\tO\n" for n in numbers),
        "a.conllu": "".join(f"{n}\tw\t_\tX{REST}\n" for n in numbers),
        "a.jsonl": json.dumps({"words": ["w"] * count, "labels": ["O"] * count}),
        "a_gold_conll": "".join(f"bc/a 0 {n - 1} w NN * - - - - (X) -\n" for n in numbers),
    }
    start = time.process_time()
    for name, text in texts.items():
        (sentence,) = read(tmp_path, text, name)
        assert len(sentence.words) == len(sentence.labels) == count
    (sentence,) = read(tmp_path, "w " * count, "a.txt", with_labels=False, words="unicode")
    assert len(sentence.words) == count
    ends = np.arange(count + 1) * 2  # two subwords a word
    spans = cut_sentences(np.array([count]), ends, 126)
    assert (spans.begin[spans.owner] <= np.arange(count)).all()
    assert (np.arange(count) < spans.end[spans.owner]).all()
    assert time.process_time() - start < 10


def test_missing_file_and_folder(tmp_path):
    for path in (tmp_path / "none.conll", tmp_path):
        with pytest.raises(InputError, match=re.escape(str(path))):
            read_sentences(path)


@pytest.mark.parametrize(
    ("name", "sentences", "words", "num_labels"),
    [
        ("pos/fi/train.conllu", 1200, 15960, 15),
        ("pos/hi/train.conllu", 500, 11821, 16),
        ("ner/da/train.conll", 4383, 80378, 7),
    ],
)
def test_real_files(name, sentences, words, num_labels):
    path = corpus(name)
    text = read_sentences(path)
    assert len(text) == sentences
    lines = path.read_text(encoding="utf-8").split("\n")
    word_lines = [
        line for line in lines if re.match(r"\d+\t" if "conllu" in name else ".*\t", line)
    ]
    assert sum(len(sentence.words) for sentence in text) == len(word_lines) == words
    assert len({label for sentence in text for label in sentence.labels or ()}) == num_labels
    assert all(any(c.startswith("# sent_id = ") for c in sentence.comments) for sentence in text)


def test_byte_order_marks_inside_a_file_are_no_words(tmp_path):
    """Files that were put one behind the other keep their marks."""
    expected = [Sentence(("Anna",), ("O",)), Sentence(("Rome",), ("X",))]
    for text in (
        "Anna\tO\n\n\ufeffRome\tX\n\ufeff",
        "\ufeffAnna\tO\n\ufeff\n\ufeff\ufeffRome\tX\n",
        "Anna O\n \ufeff \nRome X\n\ufeff\r\n",
        "Anna\tO\n\u200b\u00a0\nRome\tX\n\x0c\n",
    ):
        assert read(tmp_path, text) == expected
    rows = [json.dumps({"words": s.words, "labels": s.labels}) for s in expected]
    assert read(tmp_path, "\ufeff" + "\n\ufeff".join(rows), "a.jsonl") == expected
    (found,) = read(tmp_path, "\ufeff\n\ufeffAnna sings\n", "a.txt", with_labels=False)
    assert found.words == ("Anna", "sings") and found.starts == (0, 5)


@pytest.mark.parametrize("label", ["B-PER\u200b", "\u00a0O", "B-\ufeffPER", "O\x01", "O\u00ad"])
def test_labels_with_invisible_characters_are_refused(tmp_path, label):
    expected = f"line 2: the label {label!a} has an invisible character"
    assert expected in message(tmp_path, f"a\tO\nb\t{label}\n")
    row = json.dumps({"words": ["a", "b"], "labels": ["O", label]})
    assert expected in message(tmp_path, "\n" + row, "a.jsonl")
