"""Warnings where a tokenizer does not know many words of a text: it may not be the model's."""

import itertools
import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np
from absl import logging

from zsl_jax.data.batches.subwords import Windows
from zsl_jax.types import Sentence

SHARE = 0.1  # of the words
FEWEST_WORDS = 20
LETTERS_SHARE = 0.5  # of the longer words, if each of their letters is a subword
_LONGER = 4  # letters
_LOOKED_AT = 1_000  # words
_WIDE = ("W", "F")  # such as Han characters, each of which may be a subword


class UnknownWords:
    """Counts the unknown words of a text, block by block, and warns once if they are many."""

    def __init__(self, path: str, tokenizer: Any):
        """Starts with no words.

        Args:
          path: The model folder, for the warnings.
          tokenizer: Its fast tokenizer.
        """
        self._path, self._tokenizer = path, tokenizer
        self._unknown = self._words = 0
        self._has_warned = tokenizer.unk_token_id is None
        self._looks_at_letters = True

    def look_at(self, windows: Windows, sentences: Sequence[Sentence]) -> None:
        """Counts the words of a block whose first subword is the unknown token."""
        if self._looks_at_letters:
            self._look_at_letters(sentences)
        if self._has_warned:
            return
        first = windows.token_ids[windows.word_ids >= 0]
        self._unknown += int(np.sum(first == self._tokenizer.unk_token_id))
        self._words += len(first)
        if self._words >= FEWEST_WORDS and self._unknown > SHARE * self._words:
            self._has_warned = True
            logging.warning(
                "%s: the tokenizer does not know %d of the first %d words (they become its unknown "
                "token, and the model cannot tell them apart); check that the tokenizer's files "
                "are those of the model, that they keep or drop capitals as the model does "
                "(do_lower_case in tokenizer_config.json), and that the model is one for this "
                "script", self._path, self._unknown, self._words,
            )  # fmt: skip

    def _look_at_letters(self, sentences: Sequence[Sentence]) -> None:
        """Warns if the first words are cut into letters or bytes, as where merges are missing."""
        longer = (word for s in sentences for word in s.words if _has_letters(word))
        words = list(itertools.islice(longer, _LOOKED_AT))
        if len(words) < FEWEST_WORDS:
            return
        self._looks_at_letters = False
        encodings = self._tokenizer.backend_tokenizer.encode_batch(
            [[word] for word in words], is_pretokenized=True, add_special_tokens=False
        )
        pairs = zip(words, encodings, strict=True)
        cut = [word for word, encoding in pairs if len(encoding.ids) >= len(word)]
        if len(cut) > LETTERS_SHARE * len(words):
            logging.warning(
                "%s: the tokenizer cuts %d of the first %d words of %d letters or more into single "
                "letters or bytes, such as %r; check that all files of the model's tokenizer are "
                "there and whole (merges.txt), and that the model is one for this script",
                self._path, len(cut), len(words), _LONGER, cut[0],
            )  # fmt: skip


def _has_letters(word: str) -> bool:
    """Whether a word is long enough, and of letters that words of other tokenizers share."""
    return (
        len(word) >= _LONGER
        and word.isalpha()
        and not any(unicodedata.east_asian_width(letter) in _WIDE for letter in word)
    )
