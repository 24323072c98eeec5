"""Which columns hold the words and the labels, and where sentences end."""

import re

import pytest

from zsl_jax.data.text import columns
from zsl_jax.data.text.readers import read_sentences
from zsl_jax.errors import InputError

NUMBERED = "0\tThe\tO\n1\tHats\tB-ORG\n2\tplay\tO\n\n0\tAnna\tB-PER\n1\tsings\tO\n"
WORDS = [("The", "Hats", "play"), ("Anna", "sings")]
LABELS = [("O", "B-ORG", "O"), ("B-PER", "O")]


def write(tmp_path, content, name="a.conll"):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    return path


def read(tmp_path, content, name="a.conll", **options):
    """The words and the labels of each sentence."""
    found = read_sentences(write(tmp_path, content, name), **options)
    return [sentence.words for sentence in found], [sentence.labels for sentence in found]


def message(tmp_path, content, name="a.conll", **options):
    with pytest.raises(InputError, match=re.escape(name)) as caught:
        read_sentences(write(tmp_path, content, name), **options)
    return str(caught.value)


@pytest.mark.parametrize("first", [0, 1, 2])
def test_numbers_that_count_the_words_are_not_words(tmp_path, first):
    """From 0, from 1, or (2) from 1 throughout the file."""
    if first == 2:
        text = "1\tThe\tO\n2\tHats\tB-ORG\n3\tplay\tO\n\n4\tAnna\tB-PER\n5\tsings\tO\n"
    else:
        text = re.sub(r"(?m)^\d", lambda match: str(int(match.group()) + first), NUMBERED)
    assert read(tmp_path, text) == (WORDS, LABELS)
    assert read(tmp_path, text.replace("\t", "  ")) == (WORDS, LABELS)
    assert read(tmp_path, text, with_labels=False) == (WORDS, [None, None])
    assert read(tmp_path, text, word_column=0)[0][1] == tuple(re.findall(r"(?m)^\d", text)[3:])


def test_numbers_that_begin_anew_end_a_sentence_without_an_empty_line(tmp_path):
    assert read(tmp_path, NUMBERED.replace("\n\n", "\n")) == (WORDS, LABELS)


def test_multiword_tokens_and_comments_of_numbered_words_are_not_words(tmp_path):
    text = "#\tx\ty\n1-2\tau\t_\n1\tà\tO\n2\tle\tO\n# a\tremark\there\n3\tlac\tB-LOC\n"
    (sentence,) = read_sentences(write(tmp_path, text))
    assert sentence.words == ("à", "le", "lac") and sentence.labels == ("O", "O", "B-LOC")
    assert sentence.comments == ("#\tx\ty", "# a\tremark\there")


@pytest.mark.parametrize("first", [0, 1])
def test_numbers_that_run_on_through_the_file(tmp_path, monkeypatch, first):
    lengths = (3, 1, 2)
    numbers = iter(range(first, 9))
    text = "\n".join("".join(f"{next(numbers)} w O\n" for _ in range(n)) for n in lengths)
    assert [len(words) for words in read(tmp_path, text)[0]] == list(lengths)
    monkeypatch.setattr(columns, "SAMPLE_LINES", 5)
    assert read(tmp_path, text)[0][0] == ("w",) * 3
    refused = message(tmp_path, text + "9 w O\n")
    assert f"line 9: word number 9 where {first + 6} is expected" in refused


def test_a_gap_in_the_numbers_is_located(tmp_path, monkeypatch):
    monkeypatch.setattr(columns, "SAMPLE_LINES", 5)
    for end, expected in (
        ("3\tw\tO\n", "line 7: word number 3 where 2 is expected"),
        ("\n2\tw\tO\n", "line 8: word number 2 where 0 is expected"),
        ("x\tw\tO\n", "line 7: 'x' does not number a word"),
    ):
        refused = message(tmp_path, NUMBERED + end)
        assert expected in refused and "`word_column`" in refused
    assert read(tmp_path, NUMBERED + "0\tw\tO\n")[0][2] == ("w",)


def test_numbers_that_are_words_stay_words(tmp_path):
    text = "1 CD O\n\n7 CD O\n1 CD O\n\nAnna NNP B-PER\n"
    assert read(tmp_path, text)[0] == [("1",), ("7", "1"), ("Anna",)]
    assert read(tmp_path, "1\tNUM\n2\tNUM\n3\tNUM\n")[0] == [("1", "2", "3")]


def test_numbers_in_the_first_of_two_columns_are_refused(tmp_path):
    text = "1\tAnna\n2\tsings\n3\there\n"
    for with_labels in (True, False):
        assert "`word_column`" in message(tmp_path, text, with_labels=with_labels)
    found = read(tmp_path, text, with_labels=False, word_column="1")
    assert found[0] == [("Anna", "sings", "here")]


@pytest.mark.parametrize(
    "text",
    [
        "words\tlabels\tsentence_id\nAnna\tB-PER\t0.0\nsings\tO\t0.0\nRome\tB-LOC\t1.0\n",
        "Sentence #\tWord\tPOS\tTag\n1\tAnna\tX\tB-PER\n\tsings\tX\tO\n2\tRome\tX\tB-LOC\n",
        "Text\tEntity\nAnna\tB-PER\nsings\tO\n\nRome\tB-LOC\n",
        "token ner_tag\nAnna B-PER\nsings O\n\nRome B-LOC\n",
        "TOKEN\tNE-COARSE-LIT\tMISC\nAnna\tB-PER\t_\nsings\tO\t_\n\nRome\tB-LOC\t_\n",
        "# global.columns = ID FORM NER\n1\tAnna\tB-PER\n2\tsings\tO\n\n1\tRome\tB-LOC\n",
        "id\ttoken\tpos\tner\n1\tAnna\tX\tB-PER\n2\tsings\tX\tO\n\n3\tRome\tX\tB-LOC\n",
    ],
)
def test_header_lines_name_the_columns(tmp_path, text):
    expected = [("Anna", "sings"), ("Rome",)], [("B-PER", "O"), ("B-LOC",)]
    assert read(tmp_path, text, "a.tsv") == expected
    assert read(tmp_path, text, "a.tsv", with_labels=False)[0] == expected[0]


def test_columns_are_named_by_any_header_that_the_user_knows(tmp_path):
    text = "mot\tlemme\tétiquette\nAnna\tanna\tB-PER\n\nRome\trome\tB-LOC\n"
    assert read(tmp_path, text, column="étiquette")[1] == [("B-PER",), ("B-LOC",)]
    found = read(tmp_path, text, column="Étiquette", word_column="lemme")
    assert found[0] == [("anna",), ("rome",)]
    refused = message(tmp_path, text, column="étiquette", word_column="ner")
    assert "there is no column 'ner'; it has to be one of mot, lemme, étiquette" in refused
    refused = message(tmp_path, "word\tner\tpos\tx\nAnna\tO\tO\t1\n")
    assert "its columns are word, ner, pos, x" in refused and "`column`" in refused


@pytest.mark.parametrize(
    "first",
    ["Wort\tEtikett", "Token\tGold Label", "x\ty", "MOT\tTAG", "//\tcomment", ";;\ta remark"],
)
def test_a_first_line_that_no_other_is_like_is_doubted(tmp_path, first):
    text = f"{first}\nAnna\tB-PER\nsings\tO\n"
    word, name = first.split("\t")
    for with_labels in (True, False):
        refused = message(tmp_path, text, with_labels=with_labels)
        assert f"the first line, '{word} {name}', seems to be a header or a comment" in refused
    assert read(tmp_path, text, column=1)[0] == [(word, "Anna", "sings")]
    assert read(tmp_path, text, column=name) == ([("Anna", "sings")], [("B-PER", "O")])


@pytest.mark.parametrize(
    "text", ["Anna\tperson\nsings\tO\n", "a\tnoun\nb\tverb\nc\tX\n", "£\t#\na\tNN\nb\tVB\n"]
)
def test_a_first_label_may_stand_alone(tmp_path, text):
    assert len(read(tmp_path, text)[0][0]) == text.count("\n")


def test_a_word_that_is_called_word_is_a_word(tmp_path):
    assert read(tmp_path, "word\tO\nlabel\tO\n") == ([("word", "label")], [("O", "O")])


def test_words_in_a_named_column(tmp_path):
    text = "B-PER Anna x\nO sings y\n"
    assert read(tmp_path, text, word_column=1, column=0) == ([("Anna", "sings")], [("B-PER", "O")])
    assert "cannot hold both words and labels" in message(tmp_path, text, word_column=2)
    assert "no column 3; its columns are 0 to 2" in message(tmp_path, text, word_column=3)
    conllu = "1\tau\tà\tADP" + "\t_" * 6 + "\n"
    assert read(tmp_path, conllu, "a.conllu", word_column="lemma")[0] == [("à",)]
    assert read(tmp_path, '{"tok": ["a"], "tags": ["O"]}', "a.jsonl", word_column="tok")[0] == [
        ("a",)
    ]
    assert "`word_column`" in message(tmp_path, "{}", "b.jsonl", word_column=1)
    for name, content in {"a.xml": "<r/>", "a.txt": "a b", "a_gold_conll": "x"}.items():
        refused = message(tmp_path, content, name, word_column="x", with_labels=False)
        assert "leave out `word_column`" in refused


def test_a_sentence_of_many_words_is_warned_of(tmp_path, caplog):
    with caplog.at_level("WARNING", "absl"):
        read(tmp_path, "w\tO\n" * 1_000)
        assert not caplog.text
        read(tmp_path, "w\tO\n" * 1_001)
    assert "no empty line ends a sentence of 1001 words" in caplog.text


def test_numbers_of_sentences_part_them_where_nothing_else_does(tmp_path):
    text = "Anna\tB-PER\t0.0\nsings\tO\t0.0\nRome\tB-LOC\t1.0\n"
    assert "`column`" in message(tmp_path, text)
    assert read(tmp_path, text, column=1)[0] == [("Anna", "sings"), ("Rome",)]
    assert read(tmp_path, text, with_labels=False)[0] == [("Anna", "sings"), ("Rome",)]
    parted = "Anna\tB-PER\t0.0\n\nsings\tO\t0.0\nRome\tB-LOC\t1.0\n"
    assert read(tmp_path, parted, column=1)[0] == [("Anna",), ("sings", "Rome")]


@pytest.mark.parametrize("name", ["NE:NER", "NER", "X:NE"])
def test_a_column_of_entities_beside_one_of_tags_is_not_passed_over(tmp_path, name):
    text = f"# global.columns = ID FORM UPOS {name} MISC\n1\tAnna\tPROPN\tB-PER\t_\n"
    assert "not clear which holds the labels" in message(tmp_path, text)
    assert read(tmp_path, text, column=name)[1] == [("B-PER",)]
    assert read(tmp_path, text, column="upos")[1] == [("PROPN",)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.conll", "Anna\tB-PER\rsings\tO\r"),
        ("a.conllu", "1\tAnna\t_\tX\t_\t_\t_\t_\t_\t_\r2\tsings\t_\tX\t_\t_\t_\t_\t_\t_\r"),
        ("a.txt", "Anna sings.\rRome is far away.\r"),
        (
            "a.jsonl",
            '{"words": ["Anna"]}\r{"words": ["sings"]}\r',
        ),
        ("a_gold_conll", "#begin document x\rbc/x 0 0 Anna NNP * - - - - (PERSON) -\r"),
    ],
)
def test_line_ends_of_old_macs_are_not_taken_for_one_long_line(tmp_path, name, text):
    refused = message(tmp_path, text, name, with_labels=False)
    assert "line 1: a carriage return inside the line" in refused and "tr '\\r' '\\n'" in refused
    way_out = read(tmp_path, text.replace("\r", "\n"), name, with_labels=False)[0]
    assert sum(way_out, ())[0] == "Anna" and len(sum(way_out, ())) in (1, 2, 6)


def test_line_ends_that_were_converted_twice_end_one_line(tmp_path):
    text = "Anna\tB-PER\r\r\nsings\tO\r\r\n\r\r\nRome\tB-LOC\r\r\n"
    assert read(tmp_path, text)[0] == [("Anna", "sings"), ("Rome",)]
