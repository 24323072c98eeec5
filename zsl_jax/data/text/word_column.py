"""Signs that a column does not hold words."""

import re
from collections.abc import Sequence

from zsl_jax.data.text.column_layout import LABEL_NAMES, Layout, column_name, looks_like_label
from zsl_jax.data.text.numbering import Numbering
from zsl_jax.data.text.read_options import ReadOptions
from zsl_jax.errors import InputError
from zsl_jax.labels import label_parts

# This many fields of another kind are not words.
SURELY_OTHERS = 2
SURELY_SEPARATED = 3
_SEPARATORS = ",;|"
_NUMBER = re.compile(r"\d+(?:[-.:/]\d*)?")  # 3, "3." and "1-3"


def doubt_words(layout: Layout, rows: Sequence[Sequence[str]], options: ReadOptions) -> None:
    """Refuses a column of words that holds numbers, labels, or quotes, or several columns in one.

    Args:
      layout: The layout of the file.
      rows: The fields of its first words.
      options: How it is to be read; a column that the user names is not doubted.

    Raises:
      InputError: All fields are of another kind.
    """
    words = [fields[layout.word_at].strip(" ") for fields in rows]
    if options.word_column is not None or layout.prefixed or layout.numbering is Numbering.CONLLU:
        return
    where = f"{options.name}: column {layout.word_at}"
    if len(words) >= SURELY_OTHERS:
        _doubt_kind(where, words, layout, options)
        _doubt_first_line(layout, rows, options)
    if len(words) < SURELY_SEPARATED or layout.num_columns > 1:
        return
    separator = _separator(words)
    if separator is not None:
        raise InputError(
            f"{where} has {separator!a} in every word, as between columns; write tabs there, or "
            "give `word_column`=0 if it belongs to the words"
        )


def _doubt_kind(where: str, words: Sequence[str], layout: Layout, options: ReadOptions) -> None:
    """Refuses fields that are all numbers, labels or quotes."""
    if layout.num_columns > 2 and all(map(_NUMBER.fullmatch, words)):
        raise InputError(f"{where} holds numbers such as {words[-1]}, not words; {options.remedy}")
    if layout.num_columns > 1 and label_parts(sorted(set(words))).type_names:
        raise InputError(f"{where} holds labels such as {words[0]}, not words; {options.remedy}")
    if all(len(word) > 2 and word[0] == word[-1] == '"' for word in words):
        raise InputError(
            f"{where} has every word in quotation marks; write the file without them (in R, "
            "quote=FALSE), or give `word_column` to keep them"
        )


def _doubt_first_line(layout: Layout, rows: Sequence[Sequence[str]], options: ReadOptions) -> None:
    """Refuses a first line that alone has something else than a label in its last column."""
    first, *others = (fields[-1] for fields in rows)
    if options.column is not None or layout.header is not None or layout.num_columns == 1:
        return
    is_name = column_name(first) in LABEL_NAMES or not looks_like_label(first)
    alone = first not in others and len(set(others)) > 1 and all(map(looks_like_label, others))
    if is_name and alone and any(char.isalpha() for char in first):
        raise InputError(
            f"{options.name}: the first line, {' '.join(rows[0])!r}, seems to be a header or a "
            f"comment, since {first!r} is not like the other labels; delete it, or "
            f"{options.remedy}"
        )


def _separator(words: Sequence[str]) -> str | None:
    """A sign or white space of another kind that parts every word into as many pieces."""
    candidates = {char for char in words[0][1:-1] if char in _SEPARATORS or char.isspace()}
    for char in sorted(candidates):
        counts = {word.strip(char).count(char) for word in words}
        if len(counts) == 1 and 0 not in counts:
            return char
    return None
