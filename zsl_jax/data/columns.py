"""Files with one word a line: CoNLL columns, CoNLL-U, Universal NER and WikiANN."""

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from zsl_jax.data.checks import checked_label, checked_word
from zsl_jax.data.read_options import ReadOptions
from zsl_jax.errors import InputError
from zsl_jax.types import Sentence

# So many words with a language in front are enough to tell WikiANN by.
SURELY_WIKIANN = 10_000

_BLANKS = re.compile(r"[ \t]+")
_KEY_COMMENT = re.compile(r"#[ ]?[\w.:-]+[ ]*=")
_DOCUMENT = re.compile(r"-DOCSTART-(?:[ \t]|$)")
_UNSURE = ("#", "-DOCSTART-")
_LANGUAGE = re.compile(r"[a-z][a-z-]*:")


class Layout(NamedTuple):
    """What stands where in a line.

    Attributes:
      tabs: Whether lines are cut at tabs, else at blanks.
      num_columns: The columns that every line of a word has.
      word_at: The word's column, from 0.
      label_at: The label's column unless the user names another.
      names: The columns' names, where the format has some.
      numbered: Whether column 0 numbers the words as CoNLL-U does; all lines with "#" in front of
        a sentence are comments then.
      prefixed: Whether a language and a colon stand before each word.
    """

    tabs: bool
    num_columns: int
    word_at: int = 0
    label_at: int = -1
    names: tuple[str, ...] = ()
    numbered: bool = False
    prefixed: bool = False

    def split(self, line: str) -> list[str]:
        """The fields of a line."""
        return line.split("\t") if self.tabs else cut_at_blanks(line)


CONLLU_COLUMNS = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
CONLLU = Layout(True, 10, word_at=1, label_at=3, names=CONLLU_COLUMNS, numbered=True)
UNER = Layout(True, 5, word_at=1, label_at=2, numbered=True)
WIKIANN = Layout(True, 2, prefixed=True)


def cut_at_blanks(line: str) -> list[str]:
    """The fields of a line between blanks and tabs; no other white space separates."""
    return _BLANKS.split(line.strip(" \t"))


def read_columns(
    lines: Iterable[str], options: ReadOptions, layout: Layout | None = None
) -> Iterator[Sentence]:
    """Sentences of a file with one word a line; without a layout, its first word tells it."""
    coming = iter(lines)
    first = list(_up_to_a_sure_word(coming))
    if not any(line.strip(" \t") for line in first):
        return
    layout = layout or _find_layout(first)
    label_at = _label_column(options, layout) if options.with_labels else None
    for comments, rows in _blocks(itertools.chain(first, coming), layout):
        words: list[str] = []
        labels: list[str] = []
        for number, line in rows:
            where = f"{options.name}, line {number}"
            fields = layout.split(line)
            if len(fields) != layout.num_columns:
                raise InputError(_wrong_columns(where, len(fields), layout))
            if layout.numbered and not _is_word_number(where, fields[0]):
                continue
            word = fields[layout.word_at]
            word = _without_language(where, word) if layout.prefixed else word
            words.append(checked_word(where, word))
            if label_at is not None:
                label = fields[label_at]
                labels.append(checked_label(where, label, word, options.allow_missing))
        if words:
            yield Sentence(tuple(words), tuple(labels) if options.with_labels else None, comments)


def _blocks(
    lines: Iterable[str], layout: Layout
) -> Iterator[tuple[tuple[str, ...], list[tuple[int, str]]]]:
    """The comments and numbered lines of each sentence."""
    comments: list[str] = []
    rows: list[tuple[int, str]] = []
    for number, line in enumerate(lines, start=1):
        filled = line.strip(" \t")
        document = filled and not layout.numbered and _DOCUMENT.match(line)
        if rows and (document or not filled):
            yield tuple(comments), rows
            comments, rows = [], []
        if document or (filled and not rows and _is_comment(line, layout)):
            comments.append(line)
        elif filled:
            rows.append((number, line))
    if rows:
        yield tuple(comments), rows


def _up_to_a_sure_word(lines: Iterator[str]) -> Iterator[str]:
    """The lines up to the first one that cannot be a comment or a document's mark."""
    for line in lines:
        yield line
        if line.strip(" \t") and not line.startswith(_UNSURE):
            return


def _find_layout(lines: Sequence[str]) -> Layout:
    """The cut of a column file, from its first line that is surely a word's."""
    filled = [line for line in lines if line.strip(" \t")]
    sure = (line for line in filled if not line.startswith(_UNSURE))
    first = next(sure, next((line for line in filled if "\t" in line), filled[0]))
    tabs = "\t" in first
    return Layout(tabs, len(Layout(tabs, 0).split(first)))


def _is_comment(line: str, layout: Layout) -> bool:
    """Whether a line before a sentence's first word is a comment; the word "#" is not."""
    if layout.numbered:
        return line.startswith("#")
    if "\t" in line:
        return False
    free = line.startswith("# ") and len(layout.split(line)) != layout.num_columns
    return free or _KEY_COMMENT.match(line) is not None


def _label_column(options: ReadOptions, layout: Layout) -> int:
    """The number of the label column, from 0."""
    name = options.name
    column = layout.label_at if options.column is None else options.column
    if isinstance(column, str) and re.fullmatch(r"-?\d{1,9}", column):
        column = int(column)
    if isinstance(column, str):
        if column.lower() in layout.names:
            return layout.names.index(column.lower())
        known = f"one of {', '.join(layout.names)}" if layout.names else "a number such as 1 or -1"
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


def _wrong_columns(where: str, found: int, layout: Layout) -> str:
    cut = "tabs" if layout.tabs else "blanks"
    return (
        f"{where}: {found} column(s) where {layout.num_columns} are expected, cut at {cut}; "
        "write every word with the same columns and an empty line between sentences, or name "
        "another --format."
    )


def _is_word_number(where: str, identifier: str) -> bool:
    """True for a word; False for a multiword token (1-2) and an empty node (1.1)."""
    if identifier.isascii() and identifier.isdigit():
        return True
    if re.fullmatch(r"[0-9]+[-.][0-9]+", identifier):
        return False
    raise InputError(
        f"{where}: '{identifier}' is not a CoNLL-U word number such as 1, 1-2 or 1.1; "
        "for plain columns use another extension or --format=conll."
    )


def _without_language(where: str, field: str) -> str:
    """The word of a WikiANN line."""
    language = _LANGUAGE.match(field)
    if language is None:
        raise InputError(
            f"{where}: {field!r} has no language and colon before the word, as in 'en:word'; "
            "name another --format."
        )
    return field[language.end() :]


def refuse_wikiann(sentences: Iterable[Sentence], name: str) -> Iterator[Sentence]:
    """The sentences, unless one language stands with a colon before every word.

    They are held back until a word has no such prefix.

    Raises:
      InputError: All words have it, or all of the first `SURELY_WIKIANN`.
    """
    coming = iter(sentences)
    held: list[Sentence] = []
    num_words = 0
    for sentence in coming:
        held.append(sentence)
        num_words += len(sentence.words)
        found = _LANGUAGE.match(held[0].words[0])
        prefix = found.group() if found else ""
        if not all(
            prefix and word.startswith(prefix) and word != prefix for word in sentence.words
        ):
            break
        if num_words >= SURELY_WIKIANN:
            raise InputError(_is_wikiann(name, prefix))
    else:
        if held:
            raise InputError(_is_wikiann(name, prefix))
    yield from held
    yield from coming


def _is_wikiann(name: str, prefix: str) -> str:
    return (
        f"{name}: every word begins with {prefix!r}; say --format=wikiann if that is its "
        "language, or --format=conll if it belongs to the words."
    )
