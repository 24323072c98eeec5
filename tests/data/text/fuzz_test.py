"""Whatever bytes a reader of text meets, it reads them whole or refuses them."""

import gzip
import re
import unicodedata

import pytest

from tests.data.fuzz_checks import check_text
from tests.data.json_lines_inputs import json_lines
from tests.fuzzing import fuzz, read_or_refuse
from zsl_jax.data.text.readers import read_sentences

CONLL = "-DOCSTART- -X- O\n\n# id = 1\nAnna N B-PER\nsings V O\n\n# SYM O\n1 NUM O\n"
CONLLU = "# id = 1\n1-2\tau\t_\t_\t_\t_\t_\t_\t_\t_\n" + "".join(
    f"{number}\t{word}\t_\t{tag}\t_\t_\t0\troot\t_\t_\n"
    for number, word, tag in [("1", "à", "ADP"), ("1.1", "x", "X"), ("2", "le", "DET")]
)
UNER = "# id = 1\n1\tAnna\tB-PER\t-\tme\n2\tsings\tO\t-\tme\n\n1\t#\tO\t-\tme\n"
WIKIANN = "de:Anna\tB-PER\nde:singt\tO\n\nde::\tO\n"
ONTONOTES = "#begin document (bn/abc/1); part 000\n" + "".join(
    f"bn/abc/1 0 {number} {word} NN (TOP* - - - - {entity} * -\n"
    for number, (word, entity) in enumerate([("Anna", "(PERSON*"), ("K", "*)"), ("sings", "*")])
)
ONTONOTES += "\nbn/abc/1 0 0 Rome NN * - - - - (GPE) -\n\n#end document\n"
PLAIN = "Anna sings 1,000 songs, doesn't she?\n\n\u05e9\u05dc\u05d5\u05dd e\u0301\u200d 中文\tx\n"
SEMEVAL = """<?xml version="1.0" encoding="UTF-8"?>
<Reviews><Review rid="1"><sentences><sentence id="1:0"><text>The soup &amp; bread.</text><Opinions>
<Opinion target="soup" category="F#Q" polarity="positive" from="4" to="8"/>
<Opinion target="NULL" from="0" to="0"/></Opinions></sentence>
<sentence id="1:1" OutOfScope="TRUE"><text>No.</text></sentence></sentences></Review></Reviews>
"""
JSONL = '{"words": ["a", "b c"], "labels": ["O", "X"], "comments": ["# x"]}\n'
COLUMNS = (
    CONLL, WIKIANN, JSONL, ONTONOTES,
    "#\tx\t[1]\n1\tAnna\tB-PER\n2\tsings\tO\n\n1-2\tau\t_\n1\tà\tO\n2\tle\tO\n",  # numbered
    "0\tAnna\tB-PER\n1\tsings\tO\n\n2\tRome\tB-LOC\n3\t#\tO\n",  # numbered throughout
    "1\tAnna\tB-PER\t-\tme\n2\tsings\tO\t-\tme\n\n1-1\tRome\tB-LOC\tO\n",  # two layers
    "Wort\tEtikett\n## a remark\nAnna\tB-PER\nsings\tO\n\n#\tO\n",
    "sentence #\tword\ttag\n1\tAnna\tB-PER\n\tsings\tO\n2\t#\tO\n",
    "Anna\tB-PER\t0.0\nsings\tO\t0.0\nRome\tB-LOC\t1.0\n",
    "# global.columns = ID FORM UPOS NE:TYPE\n1\tAnna\tX\tB-PER\n2\tsings\tV\tO\n",
    '"Anna"\t"B-PER"\n"sings"\t"O"\n\ufeffRome\tB-LOC\n\ufeff\n',
    "word,tag\nAnna,B-PER\nsings,O\nRome,B-LOC\n",
    "#FORMAT=WebAnno TSV 3.3\n#T_SP=x\n\n#Text=Anna\n1-1\t0-4\tAnna\tPER\n",
    "T1\tPER 0 4\tAnna\nT2\tLOC 5 9\tRome\n",
    "# id x\tdomain=en\nAnna\tB_PER\n.\tO\n",
    "1\ta\tl\tl\tNN\tNN\tf\tf\t2\t0\tS\tS\t_\t_\tA0\n2\tb\tl\tl\tV\tV\tf\tf\t0\t0\tR\tR\tY\tp\t_\n",
    "".join(f"{n}\tw\t_\t{tag}\t_\t_\t0\tr\t_\tSpaceAfter=No|NER={label}\n"
            for n, tag, label in ((1, "_", "B-PER"), (2, "_", "O"), (1, "X", "O"))),
)  # fmt: skip


def bare_lines(text):
    """The lines without the marks that begin a file, or one that was put behind another."""
    lines = [line.rstrip("\r") for line in text.removeprefix("\ufeff").split("\n")]
    return [line if re.match("\ufeff+\t", line) else line.lstrip("\ufeff") for line in lines]


def is_invisible(line):
    """Whether a line is white space and format characters, which ends a sentence."""
    return all(char.isspace() or unicodedata.category(char) == "Cf" for char in line)


def word_lines(text, wanted):
    return sum(re.match(wanted, line) is not None for line in bare_lines(text))


# How many words a file has, counted in another way; None where that is not a matter of lines.
COUNTS = {
    "conllu": lambda text: word_lines(text, r"[0-9]+\t"),
    "uner": lambda text: word_lines(text, r"[0-9]+\t"),
    "wikiann": lambda text: word_lines(text, r"[a-z-]+:.*\t"),
    "ontonotes": lambda text: word_lines(text, r"[ \t]*[^# \t]"),
    "plain": lambda text: sum(len(re.findall(r"\S+", line)) for line in bare_lines(text)),
}
VALID = {
    "conll": CONLL, "conllu": CONLLU, "uner": UNER, "wikiann": WIKIANN, "ontonotes": ONTONOTES,
    "plain": PLAIN, "semeval": SEMEVAL, "jsonl": JSONL,
}  # fmt: skip


@pytest.mark.parametrize("format", VALID)
@fuzz
def test_text(format, tmp_path, rng):
    data = rng.damaged(VALID[format].encode())
    with_labels = rng.chance(0.5) and format != "plain"
    sentences = check_text(tmp_path / "file", data, with_labels, format=format)
    if sentences is not None and format in COUNTS:
        num_words = sum(len(sentence.words) for sentence in sentences)
        assert num_words == COUNTS[format](data.decode())


@fuzz
def test_every_line_of_columns_is_a_word_or_a_comment(tmp_path, rng):
    data = rng.damaged(CONLL.encode(), CONLL.replace(" ", "\t").encode())
    sentences = check_text(tmp_path / "file", data, True, format="conll")
    if sentences is None:
        return
    filled = [line for line in bare_lines(data.decode()) if line.strip(" \t")]
    seen = [line for line in filled if not is_invisible(line)]
    known = sum(len(sentence.words) + len(sentence.comments) for sentence in sentences)
    assert known <= len(filled)  # comments behind the last sentence belong to none
    assert all(line.startswith(("#", "-DOCSTART-")) for line in seen[known:])


@fuzz
def test_columns_of_all_kinds(tmp_path, rng):
    data = rng.damaged(*(text.encode() for text in COLUMNS))
    columns = {
        "column": rng.choice((None, None, 0, 1, -1, "1", "tag", "word", "ne:type", "ner", "ppos")),
        "word_column": rng.choice((None, None, 0, 1, -1, "0", "tag", "word", "sentence #")),
    }
    name = rng.choice(("file.tsv", "file.tsv", "file.csv", "file", "file.conllu"))
    check_text(tmp_path / name, data, rng.chance(0.5), allow_missing=rng.chance(0.3), **columns)


@fuzz
def test_txt_is_never_taken_for_something_else(tmp_path, rng):
    data = rng.damaged(PLAIN.encode(), CONLL.replace(" ", "\t").encode(), CONLL.encode())
    with_labels = rng.chance(0.5)
    if check_text(tmp_path / "file.txt", data, with_labels) is not None and with_labels:
        assert "\t" in data.decode()


@fuzz
def test_no_character_of_plain_text_is_lost(tmp_path, rng):
    data = rng.damaged(PLAIN.encode())
    options = {"format": "plain", "words": rng.choice(("whitespace", "unicode"))}
    sentences = check_text(tmp_path / "file", data, False, **options)
    if sentences is not None:
        read = "".join(word for sentence in sentences for word in sentence.words)
        assert read == "".join("".join(bare_lines(data.decode())).split())


@fuzz
def test_gzip(tmp_path, rng):
    if rng.chance(0.5):
        data = rng.damaged(gzip.compress(CONLLU.encode() * 9, mtime=0))
    else:
        data = gzip.compress(rng.damaged(CONLLU.encode()), mtime=0)
    check_text(tmp_path / "file.conllu.gz", data, True)


ENCODINGS = (
    "utf-8 utf-16 utf-16-le utf-7 utf-8-sig utf-32 idna punycode hex rot13 undefined latin-1"
    " unicode_escape cp1252 shift_jis gb18030 koi8-r base64 zip mbcs none \x00"
).split(" ")


@fuzz
def test_encodings(tmp_path, rng):
    path = tmp_path / "file"
    own = rng.choice(ENCODINGS[:6])
    path.write_bytes(rng.damaged(CONLL.encode(own)))
    encoding = rng.choice((own, own, rng.choice(ENCODINGS), rng.text(9)))
    try:
        read_or_refuse(lambda path: read_sentences(path, encoding=encoding), path)
    except AssertionError as error:  # a bad value of the setting is not the file's fault
        assert str(error).startswith("`encoding`=")


@fuzz
def test_json_text(tmp_path, rng):
    options = {"format": "jsonl", "allow_missing": rng.chance(0.5)}
    check_text(tmp_path / "file", json_lines(rng), rng.chance(0.7), **options)
