"""Sentences in files with one word per line that no empty line ends; the numbers of the words."""

import re
from collections.abc import Sequence

from zsl_jax.data.text.column_layout import Layout
from zsl_jax.data.text.numbering import Numbering
from zsl_jax.data.text.read_options import ReadOptions
from zsl_jax.errors import InputError


class SentenceBreaks:
    """Follows the lines of a file: their numbers, and the column that names the sentence."""

    def __init__(self, layout: Layout, options: ReadOptions):
        """Begins with the first line of a file."""
        self._layout = layout
        self._name, self._remedy = options.name, options.remedy
        numbered_from_1 = layout.numbering is Numbering.CONLLU and not layout.has_more
        self._start = 1 if numbered_from_1 else None
        self._number = 0
        self._sentence = ""

    @property
    def possible(self) -> bool:
        """Whether there is anything to follow."""
        return self._layout.numbering is not Numbering.NONE or self._layout.sentence_at is not None

    def is_word(self, line: int, fields: Sequence[str]) -> bool:
        """Whether a line is a word's; False for a multiword token (1-2) and an empty node (1.1).

        Raises:
          InputError: Words are numbered, and this line has no number.
        """
        if self._layout.numbering is Numbering.NONE:
            return True
        identifier = fields[0]
        if identifier.isascii() and identifier.isdigit():
            return True
        if re.fullmatch(r"[0-9]+[-.][0-9]+", identifier):
            return False
        if self._layout.numbering is Numbering.CONLLU:
            way_out = "for plain columns use another extension or `format`=conll"
            if self._layout.has_more:
                way_out = "number the words of each sentence from 1"
            raise InputError(
                f"{self._name}, line {line}: '{identifier}' is not a CoNLL-U word number such as "
                f"1, 1-2 or 1.1; {way_out}"
            )
        raise InputError(
            f"{self._name}, line {line}: '{identifier}' does not number a word; {self._remedy}"
        )

    def begins_sentence(self, line: int, fields: Sequence[str], inside: bool) -> bool:
        """Whether a word begins a sentence although no empty line stands before it.

        Args:
          line: The number of the line, for messages.
          fields: The fields of the word's line.
          inside: Whether other words of a sentence stand before it.

        Raises:
          InputError: Its number does not follow that of the word before.
        """
        begins = False
        if self._layout.sentence_at is not None:
            sentence = fields[self._layout.sentence_at].strip(" ")
            begins = inside and sentence not in ("", self._sentence)
            self._sentence = sentence or self._sentence
        if self._layout.numbering is not Numbering.NONE:
            number = int(fields[0][:20])
            if self._start is None:
                self._start, self._number = number, number - 1
            anew = not inside and self._layout.numbering is not Numbering.RUNS_ON
            expected = self._start if anew else self._number + 1
            restarts = self._layout.numbering is Numbering.RESTARTS
            begins = begins or (restarts and inside and number == self._start)
            if number != expected and not begins:
                way_out = self._remedy
                if self._layout.numbering is Numbering.CONLLU:
                    way_out = "write it, and number the words of each sentence from 1"
                raise InputError(
                    f"{self._name}, line {line}: word number {number} where {expected} is "
                    f"expected; a line is missing, or an empty line between sentences; {way_out}"
                )
            self._number = number
        return begins
