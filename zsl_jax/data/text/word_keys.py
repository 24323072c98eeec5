"""Types of words: keys from coarse to fine, under which a text's words are counted together."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

LEVELS = 3
SUFFIX = 3  # letters


class WordTypes(NamedTuple):
    """The keys of a text's words.

    Attributes:
      names: The keys at each level; a key's number is its place.
      keys: [N, L] int32, the number of each word's key at each level; -1 for keys that have none.
    """

    names: tuple[tuple[str, ...], ...]
    keys: Int[np.ndarray, "N L"]


def word_shape(word: str) -> str:
    """How a word is written: "d" first if it has a digit, then "A", "X", "x" or "p".

    "A" is a word of several letters in capitals, "X" begins with a capital, "x" with another
    letter, "p" with anything else.

    >>> [word_shape(word) for word in ("UNO", "Rome", "eat", "1990", "x2", "!")]
    ['A', 'X', 'x', 'dp', 'dx', 'p']
    """
    digit = "d" if any(character.isdigit() for character in word) else ""
    if len(word) > 1 and word.isupper():
        return digit + "A"
    first = word[:1]
    return digit + ("X" if first.isupper() else "x" if first.isalpha() else "p")


def type_names(word: str) -> tuple[str, ...]:
    """The word's keys from coarse to fine: its shape, shape and suffix, its form in lower case.

    >>> type_names("Running")
    ('X', 'X ing', 'running')
    """
    shape, form = word_shape(word), word.lower()
    return shape, f"{shape} {form[-SUFFIX:]}", form


def word_types(
    sentences: Iterable[Sequence[str]], names: Sequence[Sequence[str]] | None = None
) -> WordTypes:
    """Numbers the types of a text's words.

    Args:
      sentences: The words of each sentence.
      names: Keys that have numbers already; others have none. None numbers the keys of this text in
        the order in which they occur.

    Returns:
      The keys, and their numbers for every word.

    >>> word_types([["Go", "go"]]).keys.tolist()
    [[0, 0, 0], [1, 1, 0]]
    """
    tables = [{name: key for key, name in enumerate(level)} for level in names or [()] * LEVELS]
    forms: dict[str, int] = {}
    places = [forms.setdefault(word, len(forms)) for words in sentences for word in words]
    rows = np.empty((len(forms), LEVELS), np.int32)
    for place, word in enumerate(forms):
        for level, name in enumerate(type_names(word)):
            table = tables[level]
            number = table.setdefault(name, len(table)) if names is None else table.get(name, -1)
            rows[place, level] = number
    own = tuple(tuple(table) for table in tables)
    return WordTypes(own, rows[np.asarray(places, np.int64)])
