"""Files with one word a line: CoNLL-U, and columns cut at tabs or blanks."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from zsl_jax.data.checks import checked_label, checked_word
from zsl_jax.errors import InputError
from zsl_jax.types import Sentence

CONLLU_COLUMNS = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")

_BLANKS = re.compile(r"[ \t]+")
_KEY_COMMENT = re.compile(r"#[ ]?[\w.:-]+[ ]*=")
_DOCUMENT = re.compile(r"-DOCSTART-(?:[ \t]|$)")


class _Layout(NamedTuple):
    """How the lines of a column file are cut: at tabs or at blanks, and into how many columns."""

    tabs: bool
    num_columns: int

    def split(self, line: str) -> list[str]:
        return line.split("\t") if self.tabs else _BLANKS.split(line.strip(" \t"))


def read_columns(
    lines: Sequence[str],
    name: str,
    suffix: str,
    column: int | str | None,
    with_labels: bool,
    allow_missing: bool,
) -> Iterator[Sentence]:
    """Sentences of a file with one word a line; CoNLL-U if the suffix says so."""
    if not any(line.strip(" \t") for line in lines):
        return
    conllu = suffix == ".conllu"
    layout = _Layout(tabs=True, num_columns=10) if conllu else _find_layout(lines)
    word_at = 1 if conllu else 0
    label_at = _label_column(name, column, layout, conllu) if with_labels else None
    words: list[str] = []
    labels: list[str] = []
    comments: list[str] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip(" \t"):
            if words:
                yield Sentence(tuple(words), tuple(labels) if with_labels else None, (*comments,))
                words, labels, comments = [], [], []
            continue
        if not words and _is_comment(line, layout, conllu):
            comments.append(line)
            continue
        fields = layout.split(line)
        where = f"{name}, line {number}"
        if len(fields) != layout.num_columns:
            raise InputError(_wrong_columns(where, len(fields), layout))
        if conllu and not fields[0].isdigit():
            _check_skipped_id(where, fields[0])
            continue
        words.append(checked_word(where, fields[word_at]))
        if label_at is not None:
            labels.append(checked_label(where, fields[label_at], words[-1], allow_missing))
    if words:
        yield Sentence(tuple(words), tuple(labels) if with_labels else None, tuple(comments))


def _find_layout(lines: Sequence[str]) -> _Layout:
    """The cut of a column file, from its first line that is surely a word's."""
    filled = [line for line in lines if line.strip(" \t")]
    sure = (line for line in filled if not line.startswith(("#", "-DOCSTART-")))
    first = next(sure, next((line for line in filled if "\t" in line), filled[0] if filled else ""))
    tabs = "\t" in first
    return _Layout(tabs, len(_Layout(tabs, 0).split(first)))


def _is_comment(line: str, layout: _Layout, conllu: bool) -> bool:
    """Whether a line before a sentence's first word is a comment; the word "#" is not."""
    if conllu:
        return line.startswith("#")
    if _DOCUMENT.match(line):
        return True
    if "\t" in line:
        return False
    free = line.startswith("# ") and len(layout.split(line)) != layout.num_columns
    return free or _KEY_COMMENT.match(line) is not None


def _label_column(name: str, column: int | str | None, layout: _Layout, conllu: bool) -> int:
    """The number of the label column, from 0."""
    if column is None:
        column = "upos" if conllu else -1
    if isinstance(column, str) and re.fullmatch(r"-?\d+", column):
        column = int(column)
    if isinstance(column, str):
        if conllu and column.lower() in CONLLU_COLUMNS:
            return CONLLU_COLUMNS.index(column.lower())
        known = f"one of {', '.join(CONLLU_COLUMNS)}" if conllu else "a number such as 1 or -1"
        raise InputError(f"{name}: there is no column '{column}'; it has to be {known}.")
    if layout.num_columns == 1:
        raise InputError(
            f"{name} has no labels: its first word stands alone in its line; "
            "add a label column or read the file as plain text."
        )
    if not -layout.num_columns <= column < layout.num_columns:
        last = layout.num_columns - 1
        raise InputError(f"{name}: there is no column {column}; its columns are 0 to {last}.")
    return column % layout.num_columns


def _wrong_columns(where: str, found: int, layout: _Layout) -> str:
    cut = "tabs" if layout.tabs else "blanks"
    return (
        f"{where}: {found} column(s) where {layout.num_columns} are expected, cut at {cut}; "
        "write every word with the same columns and an empty line between sentences."
    )


def _check_skipped_id(where: str, identifier: str) -> None:
    if not re.fullmatch(r"\d+[-.]\d+", identifier):
        raise InputError(
            f"{where}: '{identifier}' is not a CoNLL-U word number such as 1, 1-2 or 1.1; "
            "for plain columns use another extension than .conllu."
        )
