"""Quotation marks that CSV adds to fields: `"B-PER"`, and four of them for the word `"`."""

import re
from collections.abc import Sequence
from typing import Any

from zsl_jax.data.text.read_options import ReadOptions
from zsl_jax.errors import InputError

_MARK = '"'
_DOUBLED = re.compile(r'"(?:[^"]*"")+[^"]*"')


class Quoting:
    """Follows the words of a file until one of them is a quotation mark: then none is quoted."""

    def __init__(self, words: Sequence[str], options: ReadOptions):
        """Begins with the first words; quoted words are kept if the user names their column."""
        self._possible = options.word_column is None and _MARK not in words
        self._options = options

    def check(self, words: Sequence[str], rows: Sequence[tuple[int, Any]]) -> None:
        """Refuses a word in quotation marks that has doubled ones inside, and no others.

        Args:
          words: The words of a sentence.
          rows: The number of each word's line, and something else.

        Raises:
          InputError: There is such a word.
        """
        if not self._possible or _MARK not in "".join(words):
            return
        if _MARK in words:
            self._possible = False
            return
        place = next((place for place, word in enumerate(words) if _DOUBLED.fullmatch(word)), None)
        if place is None:
            return
        way_out = "give `word_column` to keep them"
        if self._options.allow_missing:
            way_out = "write words and labels as JSON lines to keep them"
        raise InputError(
            f"{self._options.name}, line {rows[place][0]}: the word {words[place]} has doubled "
            "quotation marks inside others, as in CSV; write the file without them (in pandas, "
            f"quoting=csv.QUOTE_NONE), or {way_out}"
        )


def refuse_quoted_label(where: str, label: str) -> None:
    """Refuses a label in quotation marks.

    Raises:
      InputError: It names the place, `where`, and the label.
    """
    bare = label.strip(" ")
    if len(bare) > 2 and bare[0] == bare[-1] == _MARK:
        raise InputError(
            f"{where}: the label {bare} is in quotation marks, as in CSV; write the file without "
            "them (in pandas, quoting=csv.QUOTE_NONE; in R, quote=FALSE)"
        )
