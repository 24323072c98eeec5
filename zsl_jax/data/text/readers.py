"""Readers of annotated and plain text, one door for all formats.

The extension determines the format, or the user does. Whatever cannot be read raises `InputError`
with the file, the line and the way out: a word is never dropped and a label never guessed. Words
stay as they are written: no character is normalised, removed or turned round.
"""

import os
from collections.abc import Iterator
from typing import Unpack

import numpy as np
from absl import logging

from zsl_jax.data.text.arrow_text import read_dataset, read_parquet_text
from zsl_jax.data.text.column_layout import CONLLU, UNER, WIKIANN
from zsl_jax.data.text.columns import read_columns
from zsl_jax.data.text.files import STANDARD_INPUT, find_files, look_ahead, read_bytes, read_lines
from zsl_jax.data.text.formats import FIRST_LINES, FORMATS, format_of, format_of_lines
from zsl_jax.data.text.json_lines import read_jsonl
from zsl_jax.data.text.ontonotes import read_ontonotes
from zsl_jax.data.text.plain_text import format_of_txt, read_plain_text
from zsl_jax.data.text.read_options import Reading, ReadOptions
from zsl_jax.data.text.semeval import read_semeval
from zsl_jax.data.text.wikiann import refuse_wikiann
from zsl_jax.data.text.word_rules import WORD_RULES
from zsl_jax.errors import InputError
from zsl_jax.types import Sentence

_LINE_READERS = {"jsonl": read_jsonl, "ontonotes": read_ontonotes, "plain": read_plain_text}
_LAYOUTS = {"conllu": CONLLU, "uner": UNER, "wikiann": WIKIANN}


def stream_sentences(
    path: str | os.PathLike[str],
    column: int | str | None = None,
    with_labels: bool = True,
    **how: Unpack[Reading],
) -> Iterator[Sentence]:
    """The sentences of a corpus, one after the other.

    The extension (before a `.gz`) determines the format, or `format` does.

    ==================  =========  =============================================================
    file                format     what it is, and where labels are unless `column` is given
    ==================  =========  =============================================================
    anything else       conll      a word per line, columns cut at tabs, or at blanks where there
                                   are no tabs; the word in column 0, the label in the last one
    .conllu             conllu     CoNLL-U; words without multiword tokens and empty nodes; UPOS
    .iob2               uner       Universal NER: number, word, label, -, annotator
    -                   wikiann    `language:word<TAB>label`
    *_gold_conll, dir   ontonotes  CoNLL-2012: entity brackets as BIO, or `column` "pos"
    .xml                semeval    SemEval-2016 reviews: opinion targets as BIO
    .jsonl              jsonl      "words" or "tokens"; "labels", "tags" or "ner_tags"
    .parquet            parquet    the same as columns of lists
    a saved dataset     datasets   the same in a folder written by `save_to_disk`
    .txt                plain      a sentence per line; no labels
    ==================  =========  =============================================================

    A `.txt` file whose lines of words all have tabs is read as columns; one that may be columns cut
    at blanks is refused unless `format` is given, and so is a file that looks like WikiANN.
    Where the extension does not imply a format, JSON lines and OntoNotes are recognised by their
    first lines, and files of other kinds are refused by name.

    In a column file, a header line may name the columns; numbers that count the words in the first
    of several columns are not words, and a column that such a header calls the sentence's ends
    sentences where no empty lines do. A last column of numbers, or beside another with entity
    labels, is refused unless `column` names the one with the labels.

    In a column file a line with "#" in front of a sentence's first word is a comment if it has not
    the file's number of columns and is not one word, or has `key = value` or an address in it, or
    if words are numbered. A line with "#" and a label is a word. `-DOCSTART-` lines end a sentence
    and are comments.

    Args:
      path: A file, a quoted glob (read in sorted order as one text), a folder, or "-" for the
        standard input. All text may be gzipped (`.gz`), and have a byte-order mark and the line
        ends of Unix or Windows.
      column: Where the labels stand, as a number or name; None is the format's default.
      with_labels: False reads the words only; then no label column needs to be there.
      how: The rest, by keyword.
      allow_missing: Whether a word may lack a label ("_", empty or null); it then reads "_".
      format: One of `FORMATS`, instead of the one that the extension implies.
      encoding: Such as "iso-8859-1"; None is UTF-8 (in XML, what the file declares).
      words: How raw text is cut into words, see `word_rules`; None is "whitespace" for plain text
        and "unicode" for reviews. Words of other formats are not cut, with a warning.
      word_column: Where the words stand, like `column`.

    Yields:
      The sentences in the file's order. An empty list of JSON lines, Parquet or a saved dataset is
      a sentence without words; other formats have none. Memory does not grow with the text, but for
      XML, of which one file is read at a time.

    Raises:
      InputError: The file is missing, empty, not in this encoding, or malformed; what stands
        before the fault is yielded first.
    """
    yield from _sentences(path, column, with_labels, streamed=True, how=how)


def read_sentences(
    path: str | os.PathLike[str],
    column: int | str | None = None,
    with_labels: bool = True,
    **how: Unpack[Reading],
) -> list[Sentence]:
    """All sentences of a corpus; arguments and errors are those of `stream_sentences`."""
    return list(_sentences(path, column, with_labels, streamed=False, how=how))


def _sentences(
    path: str | os.PathLike[str],
    column: int | str | None,
    with_labels: bool,
    streamed: bool,
    how: Reading,
) -> Iterator[Sentence]:
    """The sentences of all files that a path stands for."""
    _check_settings(column, with_labels, how)
    format, encoding = how.get("format"), how.get("encoding")
    options = ReadOptions(
        "",
        column,
        with_labels,
        allow_missing=how.get("allow_missing", False),
        words=how.get("words"),
        word_column=how.get("word_column"),
        streamed=streamed,
    )
    found = False
    for name in find_files(path):
        own = options._replace(name=name)
        for sentence in _read_file(own, format or format_of(name), encoding, format is None):
            found = found or bool(sentence.words)
            yield sentence
    if not found:
        raise InputError(f"{path} holds no words; check that it is the file you meant")


def _check_settings(column: object, with_labels: object, how: Reading) -> None:
    """Refuses settings that no reader has, and values of other types.

    Raises:
      InputError: A setting, format or rule for words is unknown, a column is neither a number nor
        a name, or a switch is neither True nor False.
    """
    for name in how:
        if name not in Reading.__annotations__:
            raise InputError(
                f"`{name}` is not a setting of the readers, which have "
                f"{', '.join(['column', 'with_labels', *Reading.__annotations__])}; omit it"
            )
    given = (("format", how.get("format"), FORMATS), ("words", how.get("words"), WORD_RULES))
    for name, value, choices in given:
        if value is not None and value not in choices:
            raise InputError(f"`{name}`={value} is not one of {', '.join(choices)}; choose one")
    for name, place in (("column", column), ("word_column", how.get("word_column"))):
        if not isinstance(place, int | str | None) or isinstance(place, bool):
            raise InputError(f"`{name}`={place!r:.80} is not a column; give its number or name")
    for name, switch in (("with_labels", with_labels), ("allow_missing", how.get("allow_missing"))):
        if not isinstance(switch, bool | np.bool_ | None):
            raise InputError(f"`{name}`={switch!r:.80} must be True or False; correct it")


def _read_file(
    options: ReadOptions, format: str, encoding: str | None, guessed: bool
) -> Iterator[Sentence]:
    """The sentences of one file."""
    if format in ("parquet", "datasets"):
        if options.name == STANDARD_INPUT or os.path.isdir(options.name) != (format == "datasets"):
            kind = "folder" if format == "datasets" else "file"
            raise InputError(f"{options.name} is not a {kind} of the format {format}; name one")
        _warn_of_uncut_words(options, format)
        return (read_dataset if format == "datasets" else read_parquet_text)(options)
    if format == "semeval":
        return read_semeval(read_bytes(options.name), options, encoding)
    name, streamed = options.name, options.streamed
    lines = read_lines(name, encoding, streamed)
    if guessed:
        first, lines = look_ahead(lines, FIRST_LINES)
        format = format_of_lines(format, first, name)
    if format == "txt":  # all of it is read to decide, and then once more
        format = format_of_txt(lines, name)
        lines = read_lines(name, encoding, streamed)
    _warn_of_uncut_words(options, format)
    if format in _LINE_READERS:
        return _LINE_READERS[format](lines, options)
    sentences = read_columns(lines, options, _LAYOUTS.get(format))
    return refuse_wikiann(sentences, name) if guessed and format == "conll" else sentences


def _warn_of_uncut_words(options: ReadOptions, format: str) -> None:
    """Warns of a rule for cutting raw text if a file of another format is read."""
    if options.words and format not in ("plain", "semeval"):
        logging.warning(
            "%s is read as %s: its words are taken as they are, not cut", options.name, format
        )
