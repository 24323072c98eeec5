"""Types of words: keys from coarse to fine, under which a text's words are counted together."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from zsl_jax.errors import InputError

# Lengths of the suffixes that are keys. Short ones help with tags, and lose entities.
TAG_SUFFIXES, ENTITY_SUFFIXES = (1, 2, 3, 4), (3,)
_SUFFIXES_BY_LEVELS = {len(lengths) + 2: lengths for lengths in (TAG_SUFFIXES, ENTITY_SUFFIXES)}


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


def type_names(
    word: str, suffixes: Sequence[int] = ENTITY_SUFFIXES, opens: bool = False
) -> tuple[str, ...]:
    """The word's keys from coarse to fine: its shape, shape and suffixes, its form in lower case.

    The capital of a word that opens a sentence does not tell whether the word is a name, so that
    its shape is one of its own, "^X".

    >>> type_names("Running", TAG_SUFFIXES)
    ('X', 'X g', 'X ng', 'X ing', 'X ning', 'running')
    >>> type_names("Running", opens=True)
    ('^X', '^X ing', 'running')
    """
    shape, form = word_shape(word), word.lower()
    if opens and shape.endswith("X"):
        shape = "^" + shape
    return (shape, *(f"{shape} {form[-length:]}" for length in suffixes), form)


def with_openers(words: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Each word of a sentence, and whether it opens it: the first word that has a letter does.

    >>> list(with_openers(["“", "No", "one"]))
    [('“', False), ('No', True), ('one', False)]
    """
    first = next((n for n, word in enumerate(words) if any(map(str.isalpha, word))), None)
    return ((word, n == first) for n, word in enumerate(words))


def word_types(
    sentences: Iterable[Sequence[str]],
    names: Sequence[Sequence[str]] | None = None,
    suffixes: Sequence[int] = ENTITY_SUFFIXES,
) -> WordTypes:
    """Numbers the types of a text's words.

    Args:
      sentences: The words of each sentence.
      names: Keys that have numbers already; others have none, except that a word that opens a
        sentence then has that of the key which it would have elsewhere. None numbers the keys of
        this text in the order in which they occur.
      suffixes: Their lengths; those of the names where they are given.

    Returns:
      The keys, and their numbers for every word.

    Raises:
      InputError: There are names of another number of levels than any version has written.

    >>> word_types([["Go", "go"]]).keys.tolist()
    [[0, 0, 0], [1, 1, 0]]
    """
    if names is not None:
        if len(names) not in _SUFFIXES_BY_LEVELS:
            known = " or ".join(map(str, sorted(_SUFFIXES_BY_LEVELS)))
            raise InputError(
                f"the label model counts words at {len(names)} levels, not {known}; train it again "
                "or use the version of zsl_jax that wrote it"
            )
        suffixes = _SUFFIXES_BY_LEVELS[len(names)]
    levels = names or [()] * (len(suffixes) + 2)
    tables = [{name: key for key, name in enumerate(level)} for level in levels]
    forms: dict[tuple[str, bool], int] = {}
    places: list[int] = []
    for words in sentences:
        places.extend(forms.setdefault(word, len(forms)) for word in with_openers(words))
    rows = np.empty((len(forms), len(tables)), np.int32)
    for place, (word, opens) in enumerate(forms):
        keys, plain = type_names(word, suffixes, opens), type_names(word, suffixes)
        for level, (table, key, other) in enumerate(zip(tables, keys, plain, strict=True)):
            rows[place, level] = _number(table, key, other, names is None)
    own = tuple(tuple(table) for table in tables)
    return WordTypes(own, rows[np.asarray(places, np.int64)])


def _number(table: dict[str, int], name: str, plain: str, added: bool) -> int:
    """The number of a key, or of another one in its place, or -1; `added` gives it a new one."""
    return table.setdefault(name, len(table)) if added else table.get(name, table.get(plain, -1))
