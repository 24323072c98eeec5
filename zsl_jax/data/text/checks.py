"""Checks of words and labels, whatever file they come from."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from zsl_jax.errors import InputError
from zsl_jax.labels import OUTSIDE

MISSING_LABEL = "_"

# Tabs and line ends break column files, NULs are refused in every text, and half surrogate pairs
# cannot be written as UTF-8.
UNWRITABLE = re.compile("[\0\t\n\r\ud800-\udfff]")
_LETTER_ALONE = re.compile("[BIESLUMW][-_]")  # of a tagging scheme, without the type


def are_plain(words: Sequence[str]) -> bool:
    """Whether strings are certainly words, by a quick look: filled, and without any blanks.

    Others may be words too; `checked_word` looks at each.

    >>> are_plain(["a", "b"]), are_plain(["a", ""]), are_plain(["10 000"])
    (True, False, False)
    """
    joined = "".join(words)
    return "" not in words and " " not in joined and UNWRITABLE.search(joined) is None


def is_invisible(text: str) -> bool:
    """Whether a text is white space and format characters only, such as marks of byte order.

    >>> is_invisible("\u200b\ufeff\u00a0"), is_invisible("a\u200b")
    (True, False)
    """
    return all(char.isspace() or unicodedata.category(char) == "Cf" for char in text)


def check_visible(where: str, label: str) -> None:
    """Refuses a label with an invisible character, which would make it another label.

    Raises:
      InputError: It has one; an ordinary blank inside is none.
    """
    if not label.isprintable():
        raise InputError(f"{where}: the label {label!a} has an invisible character; remove it")


def same_text(found: str, written: str) -> bool:
    """Whether two texts are equal but for case, white space and Unicode normalisation.

    >>> same_text("Cafe\u0301  au lait", "caf\u00e9 au lait"), same_text("Rome", "Roma")
    (True, False)
    """

    def simple(text: str) -> str:
        return unicodedata.normalize("NFC", " ".join(text.split()).casefold())

    return simple(found) == simple(written)


def checked_word(where: str, word: Any) -> str:
    """The word, if it is a filled string that every format can hold.

    Args:
      where: File and line, for the message.
      word: What the file has there.

    Returns:
      The word as it is.

    Raises:
      InputError: It is empty, only blanks, no string, or has a tab, line end or NUL inside.
    """
    if not isinstance(word, str) or not word.strip(" "):
        raise InputError(f"{where}: a word is empty or not text; remove it or write it out")
    if UNWRITABLE.search(word):
        raise InputError(
            f"{where}: the word {word!r} has a tab, a line end, a NUL or half a surrogate pair; "
            "remove it"
        )
    return word


def checked_label(where: str, label: Any, word: str, allow_missing: bool) -> str:
    """The label without blanks around it, or `MISSING_LABEL` where there may be none.

    Args:
      where: File and line, for the message.
      label: What the file has there; "_", "" and None stand for none.
      word: The label's word, for the message.
      allow_missing: Whether the word may have no label.

    Returns:
      The name of the label.

    Raises:
      InputError: It is missing and must not be, or is not a name.
    """
    name = label.strip(" ") if isinstance(label, str) else label
    if name in (None, "", MISSING_LABEL):
        if allow_missing:
            return MISSING_LABEL
        raise InputError(f"{where}: the word '{word}' has no label; label it or drop the sentence")
    if not isinstance(name, str) or UNWRITABLE.search(name):
        raise InputError(f"{where}: the label {label!r} of '{word}' is not a name; write its name")
    check_visible(where, name)
    return name


def checked_type(where: str, kind: Any, remedy: str) -> str:
    """The type of an entity without blanks around it.

    Args:
      where: The place of the entity, for the message.
      kind: What is given there as its type.
      remedy: How a type is given there, for the message.

    Returns:
      The name of the type.

    Raises:
      InputError: It is missing, or not a name.
    """
    name = kind.strip(" ") if isinstance(kind, str) else kind
    if name == OUTSIDE:
        raise InputError(
            f"{where}: O is not an entity type; leave out what is not one (in transformers, "
            'ignore_labels=["O"])'
        )
    if not isinstance(name, str) or name in ("", MISSING_LABEL) or UNWRITABLE.search(name):
        raise InputError(f"{where}: {name!r} is not an entity type; {remedy}")
    if _LETTER_ALONE.fullmatch(name):
        raise InputError(
            f"{where}: {name!r} is not an entity type but only the letter before one; {remedy}"
        )
    check_visible(where, name)
    return name
