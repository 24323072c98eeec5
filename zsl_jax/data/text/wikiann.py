"""The form of WikiANN: a language and a colon stand before every word."""

import re
from collections.abc import Iterable, Iterator

from zsl_jax.errors import InputError
from zsl_jax.types import Sentence

# So many words with a language in front are enough to recognise WikiANN.
SURELY_WIKIANN = 10_000

_LANGUAGE = re.compile(r"[a-z][a-z-]*:")


def without_language(where: str, field: str) -> str:
    """The word of a WikiANN line.

    Raises:
      InputError: No language stands before it.
    """
    language = _LANGUAGE.match(field)
    if language is None:
        raise InputError(
            f"{where}: {field!r} has no language and colon before the word, as in 'en:word'; "
            "name another `format`"
        )
    return field[language.end() :]


def is_with_language(field: str, word: str) -> bool:
    """Whether a field is a word with a language in front.

    >>> is_with_language("en:Rome", "Rome"), is_with_language("Rome", "Rome")
    (True, False)
    """
    language = _LANGUAGE.match(field)
    return language is not None and field[language.end() :] == word


def refuse_wikiann(sentences: Iterable[Sentence], name: str) -> Iterator[Sentence]:
    """The sentences, unless one language stands with a colon before every word.

    They are held back until a word has no such prefix.

    Raises:
      InputError: All words have it, or all of the first `SURELY_WIKIANN`.
    """
    coming = iter(sentences)
    held: list[Sentence] = []
    num_words = 0
    for sentence in coming:
        held.append(sentence)
        num_words += len(sentence.words)
        found = _LANGUAGE.match(held[0].words[0])
        prefix = found.group() if found else ""
        if not all(
            prefix and word.startswith(prefix) and word != prefix for word in sentence.words
        ):
            break
        if num_words >= SURELY_WIKIANN:
            raise InputError(_is_wikiann(name, prefix))
    else:
        if held:
            raise InputError(_is_wikiann(name, prefix))
    yield from held
    yield from coming


def _is_wikiann(name: str, prefix: str) -> str:
    return (
        f"{name}: every word begins with {prefix!r}; give `format`=wikiann if that is its "
        "language, or `format`=conll if it belongs to the words"
    )
