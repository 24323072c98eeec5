"""Files with one word per line: CoNLL columns, CoNLL-U, Universal NER and WikiANN."""

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from absl import logging

from zsl_jax.data.checks import checked_label, checked_word, is_invisible
from zsl_jax.data.column_layout import (
    Layout,
    Numbering,
    find_layout,
    is_document,
    sample_sentences,
)
from zsl_jax.data.comment_lines import is_comment
from zsl_jax.data.label_column import Rows, label_column
from zsl_jax.data.read_options import ReadOptions
from zsl_jax.data.sentence_breaks import SentenceBreaks
from zsl_jax.data.text_files import look_ahead
from zsl_jax.data.wikiann import without_language
from zsl_jax.errors import InputError
from zsl_jax.types import Sentence

# So many lines tell the layout of a file.
SAMPLE_LINES = 2_000
# So many words of numbers only are a column of the wrong kind.
SURELY_NUMBERS = 5
# So many words are no sentence.
SURELY_A_TEXT = 1_000


class _Row(NamedTuple):
    """The line of a word: its place for messages, and its fields."""

    where: str
    fields: list[str]


def read_columns(
    lines: Iterable[str], options: ReadOptions, given: Layout | None = None
) -> Iterator[Sentence]:
    """Sentences of a file with one word per line; without a layout, its first lines tell it."""
    first, coming = look_ahead(iter(lines), SAMPLE_LINES, _is_surely_a_word)
    if not any(line.strip(" \t") for line in first):
        return
    layout = find_layout(first, options, given)
    sentences = sample_sentences(first, layout)
    sample = [fields for sentence in sentences for fields in sentence]
    _doubt_words(layout, sample, options)
    if len(sentences) == 1 and len(sample) > SURELY_A_TEXT and layout.sentence_at is None:
        logging.warning("%s: no empty line ends a sentence of %d words", options.name, len(sample))
    label_at = label_column(layout, sample, options) if options.with_labels else None
    last = {fields[-1 if label_at is None else label_at] for fields in sample}
    for comments, rows in _blocks(coming, options, layout, last):
        words: list[str] = []
        labels: list[str] = []
        for where, fields in rows:
            word = fields[layout.word_at]
            word = without_language(where, word) if layout.prefixed else word
            words.append(checked_word(where, word))
            if label_at is not None:
                label = fields[label_at]
                labels.append(checked_label(where, label, word, options.allow_missing))
        yield Sentence(tuple(words), tuple(labels) if options.with_labels else None, comments)


def _is_surely_a_word(line: str) -> bool:
    """Whether a line cannot be empty, a comment or a document's mark."""
    return bool(line.strip(" \t")) and not line.startswith(("#", "-DOCSTART-"))


def _doubt_words(layout: Layout, sample: Rows, options: ReadOptions) -> None:
    """Refuses a column of words, not named by the user, that holds numbers only."""
    if options.word_column is not None or layout.num_columns < 3:
        return
    words = [fields[layout.word_at] for fields in sample]
    if len(words) >= SURELY_NUMBERS and all(word.strip(" ").isdecimal() for word in words):
        raise InputError(
            f"{options.name}: column {layout.word_at} holds numbers such as {words[-1]}, not "
            f"words; {options.remedy}."
        )


def _blocks(
    lines: Iterable[str], options: ReadOptions, layout: Layout, labels: Collection[str]
) -> Iterator[tuple[tuple[str, ...], list[_Row]]]:
    """The comments and the lines of the words of each sentence."""
    comments: list[str] = []
    rows: list[_Row] = []
    breaks = SentenceBreaks(layout, options)
    for number, line in enumerate(lines, start=1):
        where = f"{options.name}, line {number}"
        filled = not _is_empty(line, layout)
        document = filled and layout.numbering is not Numbering.CONLLU and is_document(line)
        if rows and (document or not filled):
            yield tuple(comments), rows
            comments, rows = [], []
        if document or (filled and is_comment(where, line, layout, None if rows else labels)):
            comments.append(line)
        elif filled and line != layout.header:
            fields = layout.split(line)
            if len(fields) != layout.num_columns:
                raise InputError(_wrong_columns(where, len(fields), layout))
            if not breaks.is_word(where, fields):
                continue
            if breaks.begins_sentence(where, fields, bool(rows)):
                yield tuple(comments), rows
                comments, rows = [], []
            rows.append(_Row(where, fields))
    if rows:
        yield tuple(comments), rows


def _is_empty(line: str, layout: Layout) -> bool:
    """Whether a line has nothing in it, or one field that nobody sees where words have several."""
    if not line.strip(" \t"):
        return True
    return is_invisible(line) and layout.num_columns > 1 and len(layout.split(line)) == 1


def _wrong_columns(where: str, found: int, layout: Layout) -> str:
    cut = "tabs" if layout.tabs else "blanks"
    way_out = "an empty line between sentences, or name another --format"
    if layout.numbering is Numbering.CONLLU:
        way_out = "use another extension or --format=conll for plain columns"
    return (
        f"{where}: {found} column(s) where {layout.num_columns} are expected, cut at {cut}; "
        f"write every word with the same columns and {way_out}."
    )
