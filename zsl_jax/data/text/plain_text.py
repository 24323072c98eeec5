"""Plain text, one sentence per line."""

from collections.abc import Iterable, Iterator

from zsl_jax.data.text.checks import are_plain, checked_word
from zsl_jax.data.text.column_layout import cut_at_blanks
from zsl_jax.data.text.read_options import ReadOptions
from zsl_jax.data.text.word_rules import find_words
from zsl_jax.errors import InputError
from zsl_jax.types import Sentence


def read_plain_text(lines: Iterable[str], options: ReadOptions) -> Iterator[Sentence]:
    """Sentences of a text, each with its line and the places of its words; empty lines are none."""
    if options.with_labels:
        raise InputError(
            f"{options.name} is read as plain text, which has no labels; name labelled text, or "
            "the file's `format`"
        )
    options.refuse_columns("plain text")
    for number, line in enumerate(lines, start=1):
        words, starts = find_words(line, options.words or "whitespace")
        if not are_plain(words):
            for word in words:
                checked_word(f"{options.name}, line {number}", word)
        if words:
            yield Sentence(words, None, (), line, starts)


def format_of_txt(lines: Iterable[str], name: str) -> str:
    """Which of two formats a `.txt` file has, where one of them can be excluded.

    Columns cut at tabs have a tab in every line of a word; text has sentences of different lengths.

    Args:
      lines: The file's lines.
      name: The file, for the message.

    Returns:
      "conll" if all lines but comments have tabs, "plain" if none has and the lines differ in their
      number of words, or there is but one.

    Raises:
      InputError: The file may be either: columns cut at blanks, or a text whose sentences have all
        the same number of words.
    """
    filled = with_tabs = 0
    counts: set[int] = set()
    documents = False
    for line in lines:
        if line.startswith("-DOCSTART-"):
            documents = True
        elif not line.startswith("# ") and line.strip(" \t"):
            filled += 1
            with_tabs += "\t" in line
            if len(counts) < 2:
                counts.add(len(cut_at_blanks(line)))
    if with_tabs and with_tabs == filled:
        return "conll"
    if with_tabs or documents or (len(counts) == 1 and filled > 1):
        why = "some lines have tabs" if with_tabs else "all lines may be columns cut at blanks"
        raise InputError(
            f"{name} may be plain text or CoNLL columns ({why}); choose by `format`=plain or "
            "`format`=conll, or by another extension than .txt"
        )
    return "plain"
