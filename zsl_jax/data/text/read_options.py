"""Options of the readers of one file, among them whether its labels are read at all.

A text to be predicted is read without its labels (`with_labels=False`), by the programs and by the
functions of `zsl_jax` alike, so that gold labels in it cannot reach training.
"""

from typing import NamedTuple, TypedDict

from zsl_jax.errors import InputError


class Reading(TypedDict, total=False):
    """How a text is to be read; `stream_sentences` explains the keys."""

    allow_missing: bool
    format: str | None
    encoding: str | None
    words: str | None
    word_column: int | str | None


class ReadOptions(NamedTuple):
    """How one file is to be read; `stream_sentences` explains the fields.

    Attributes:
      name: The file, for the messages.
      column: Where the labels stand; None is the format's default.
      with_labels: Whether labels are read at all.
      allow_missing: Whether a word may lack a label, as in files of predictions, which no flags
        describe.
      words: How raw text is cut into words; None is the format's default.
      word_column: Where the words stand; None is the format's default.
      streamed: Whether sentences are dropped as they are used, see `read_lines`.
    """

    name: str
    column: int | str | None = None
    with_labels: bool = True
    allow_missing: bool = False
    words: str | None = None
    word_column: int | str | None = None
    streamed: bool = False

    @property
    def remedy(self) -> str:
        """The way out where it is not clear which columns the words and the labels are in."""
        if self.allow_missing:
            return "keep two columns in a file of predictions, the words and their labels"
        if not self.with_labels:
            return "name the column of the words with `word_column`"
        return "name the column of the words with `word_column`, that of the labels with `column`"

    def refuse_columns(self, format: str) -> None:
        """Refuses to look for columns in a format that has none.

        Raises:
          InputError: The user names one.
        """
        for flag, value in (("column", self.column), ("word_column", self.word_column)):
            if value is not None:
                raise InputError(f"{self.name}: {format} has no columns; leave out `{flag}`")
