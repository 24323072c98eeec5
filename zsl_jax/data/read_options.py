"""What a reader of one file has to know besides the file's contents."""

from typing import NamedTuple


class ReadOptions(NamedTuple):
    """How one file is to be read; `stream_sentences` explains the fields.

    Attributes:
      name: The file, for the messages.
      column: Where the labels stand; None is the format's default.
      with_labels: Whether labels are read at all.
      allow_missing: Whether a word may lack a label.
      words: How raw text is cut into words; None is the format's default.
      streamed: Whether sentences are dropped as they are used, see `read_lines`.
    """

    name: str
    column: int | str | None = None
    with_labels: bool = True
    allow_missing: bool = False
    words: str | None = None
    streamed: bool = False
