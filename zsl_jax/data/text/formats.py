"""Recognises the format of a file of text by its name and its first lines."""

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path

from zsl_jax.data.text.column_layout import CONLLU, Layout, sample_sentences
from zsl_jax.data.text.files import STANDARD_INPUT
from zsl_jax.data.text.numbering import Numbering, numbering_of
from zsl_jax.errors import InputError

FORMATS = tuple("conll conllu jsonl parquet plain semeval ontonotes wikiann uner datasets".split())
# Number of lines that distinguish another format from columns and plain text.
FIRST_LINES = 50

_BY_SUFFIX = {
    ".conllu": "conllu",
    ".iob2": "uner",
    ".jsonl": "jsonl",
    ".parquet": "parquet",
    ".xml": "semeval",
}
# Further ends of the names of files, whose contents decide.
_OTHER_SUFFIXES = (".txt", ".conll", ".tsv", ".csv", ".bio", ".iob", ".json", ".gz")
_ONTONOTES = ("_gold_conll", "_auto_conll")
_XML = re.compile(r"\s*<(?:\?xml|!DOCTYPE|Reviews|sentences|html)\b", re.IGNORECASE)
_BRAT = re.compile(r"T\d+\t\S+ \d+ \d+(?:;\d+ \d+)*\t")
_TAG = re.compile(r"[A-Z$.,:`'#-]+")
_LABEL_BEHIND = re.compile(r"(?<=\S) <[BIESLU]-\S+>")
_PARTS_OF_JSON = re.compile(r'\s*[\[{"]')


def format_of(name: str) -> str:
    """The format that a path implies; "txt" if the contents decide.

    Raises:
      InputError: It is the standard input, whose name implies none.
    """
    plain_name = name.removesuffix(".gz")
    if name == STANDARD_INPUT:
        raise InputError("the standard input has no extension; name its `format`")
    if os.path.isdir(name):
        return "datasets"
    if plain_name.endswith(_ONTONOTES):
        return "ontonotes"
    suffix = Path(plain_name).suffix.lower()
    return "txt" if suffix == ".txt" else _BY_SUFFIX.get(suffix, "conll")


def is_file_name(name: str) -> bool:
    """Whether a path can only be that of a file, not the name of a model.

    >>> is_file_name("a.conll.gz"), is_file_name("organisation/model-v1.5")
    (True, False)
    """
    suffix = Path(name).suffix.lower()
    return suffix in (*_BY_SUFFIX, *_OTHER_SUFFIXES) or name.endswith(_ONTONOTES)


def format_of_lines(format: str, lines: Sequence[str], name: str) -> str:
    """The format that the first lines of a file imply where its name implies none.

    Args:
      format: The format that the name implies.
      lines: The first lines.
      name: The file, for the message.

    Returns:
      "jsonl" or "ontonotes" for such files if `format` is "conll" or "txt"; else `format`.

    Raises:
      InputError: The file is of a kind that is not read, or under another name only.
    """
    if format not in ("conll", "txt"):
        return format
    filled = [line for line in lines if line.strip()]
    first, second = ([*filled, "", ""])[:2]
    if _json_object(first):
        return "jsonl"
    if first.startswith("#begin document"):
        return "ontonotes"
    what = None
    if _is_whole_json(first, second):
        what = "one JSON document; write one object per line (jq -c '.[]' FILE), in .jsonl"
    elif _XML.match(first):
        what = "XML; only that of SemEval-2016 is read, in a file whose name ends in .xml"
    elif first.startswith("#FORMAT=WebAnno TSV"):
        what = "WebAnno TSV; export it from INCEpTION or WebAnno as CoNLL 2002 or CoNLL-U"
    elif _BRAT.match(first):
        what = "an annotation file of brat; write text and spans in .jsonl"
    elif name.removesuffix(".gz").lower().endswith(".csv") and "\t" not in first:
        what = "cut at commas; write tabs between the columns, and let the name end in .tsv"
    elif "\t" in first + second and _is_conllu(lines):
        what = "CoNLL-U; let its name end in .conllu, or give `format`=conllu or `format`=conll"
    elif tagged := _tagged_word(filled):
        what = (
            f"text with labels between its words, such as {tagged!r}; write words and labels in "
            "two columns with a tab between them, or give `format`=plain if they are words"
        )
    if what is not None:
        raise InputError(f"{name} is {what}")
    return format


def _tagged_word(lines: Sequence[str]) -> str | None:
    """The first word with its label where labels stand in the text: Anna/NNP, Anna <B-PER>."""
    behind = next((match for line in lines if (match := _LABEL_BEHIND.search(line))), None)
    if behind is not None:
        return behind[0].strip()
    words = [word for line in lines for word in line.split()]
    parts = [word.rpartition("/") for word in words]
    tagged = bool(words) and all(word and _TAG.fullmatch(tag) for word, _, tag in parts)
    return words[0] if tagged else None


def _json_object(line: str) -> bool:
    """Whether a line is a filled JSON object."""
    if not line.lstrip().startswith("{"):
        return False
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and bool(value)


def _is_whole_json(first: str, second: str) -> bool:
    """Whether a file is one JSON list or object, over many lines or in one."""
    if first.strip() in ("[", "{", "[["):
        return _PARTS_OF_JSON.match(second) is not None
    if not re.match(r"\s*\[\s*[\[{]", first):
        return False
    return "\t" not in first and re.search(r"[\[{]\s*[\"}]", first) is not None


def _is_conllu(lines: Sequence[str]) -> bool:
    """Whether lines have ten columns, the first of which numbers the words from 1."""
    plain = Layout(True, CONLLU.num_columns)
    numbers = [[fields[0] for fields in words] for words in sample_sentences(lines, plain)]
    heads = [fields[6] for words in sample_sentences(lines, plain) for fields in words]
    numbered = numbering_of(numbers) is Numbering.RESTARTS
    return numbered and all(re.fullmatch(r"[0-9]+|_", head) for head in heads)
