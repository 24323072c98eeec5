"""Raw text into words, by one of two rules; every word keeps its place in the text.

whitespace  a word is what stands between white space
unicode     a word is a run of letters, digits and "_"; inside it a single . ' ’ · may stand between
            two of them, and a comma between two digits (don't, l·l, U.S, 3.5, 1,000). Every other
            character that is not white space is a word by itself, and so is every Han character
            and Hiragana. Combining marks and invisible format characters go with the character
            before them; so do the parts of an emoji: skin tones, and symbols behind a zero-width
            joiner. A flag is one word.

The second rule follows the word boundaries of Unicode (UAX 29) in what matters for tagging. Thai,
Lao, Khmer and Burmese need a dictionary: bring their text with blanks between the words.
"""

import functools
import itertools
import operator
import re
import unicodedata
from collections.abc import Sequence

WORD_RULES = ("whitespace", "unicode")

_HAN = (
    "\u3005\u3007\u3041-\u309f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U0001b000-\U0001b16f\U00020000-\U000323af"
)
_ZERO_WIDTH_SPACE = "\u200b"  # a format character, but one that separates
_SKIN_TONES = range(0x1F3FB, 0x1F400)


def find_words(text: str, rule: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Cuts a text into words.

    Args:
      text: Any text.
      rule: "whitespace" or "unicode"; see above.

    Returns:
      The words and where each begins: a word is `text[start : start + len(word)]`. Together they
      have every character that is not white space, in order.

    >>> find_words("L'hotel, ¿sí?", "unicode")
    (("L'hotel", ',', '¿', 'sí', '?'), (0, 7, 9, 10, 12))
    """
    if rule == "whitespace":
        between = tuple(text.split())
        return between, tuple(_starts(text, between))
    found = [(match.group(), match.start()) for match in _unicode_pattern().finditer(text)]
    return tuple(word for word, _ in found), tuple(start for _, start in found)


def _starts(text: str, words: Sequence[str]) -> list[int]:
    """Where each word begins in the text that was cut at white space."""
    place = len(text) - len(text.lstrip())
    if len(text.strip()) == sum(map(len, words)) + len(words) - 1:  # single blanks between them
        ends = itertools.accumulate(map(len, words), initial=place)
        return list(map(operator.add, ends, range(len(words))))
    starts = []
    for word in words:
        place = text.index(word, place)
        starts.append(place)
        place += len(word)
    return starts


@functools.cache
def _unicode_pattern() -> re.Pattern[str]:
    marks = f"[{_ranges(_clinging_characters())}]"
    letter = rf"(?:(?![{_HAN}])\w{marks}*)"
    inside = r"(?:[.'’·]|(?<=\d),(?=\d))"
    flag = "[\U0001f1e6-\U0001f1ff]{2}"
    joined = rf"(?:(?<=\u200d)[^\w\s]{marks}*)*"
    return re.compile(rf"{letter}+(?:{inside}{letter}+)*|(?:{flag}|[^\s]){marks}*{joined}")


def _clinging_characters() -> list[int]:
    """Combining marks, format characters (joiners, directions, soft hyphens) and skin tones."""
    planes = (*range(0x20000), *range(0xE0000, 0xE0200))  # no others have any
    return [
        code
        for code in planes
        if (kind := unicodedata.category(chr(code)))[0] == "M"
        or (kind == "Cf" and chr(code) != _ZERO_WIDTH_SPACE)
        or code in _SKIN_TONES
    ]


def _ranges(codes: Sequence[int]) -> str:
    """Ascending code points as the inside of a character class: one range for each run."""
    runs: list[list[int]] = []
    for code in codes:
        if runs and runs[-1][1] == code - 1:
            runs[-1][1] = code
        else:
            runs.append([code, code])
    return "".join(rf"\U{first:08x}-\U{last:08x}" for first, last in runs)
