"""Offsets that seem to count something else than characters of the text in front of them."""

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Literal, NamedTuple

from zsl_jax.data.predictions.mentions import stands_alone
from zsl_jax.data.predictions.projection import word_ends, word_places
from zsl_jax.data.text.json_spans import CharacterSpan, SpanLine
from zsl_jax.data.text.offset_units import SHIFTS, character_offset, other_units
from zsl_jax.errors import InputError
from zsl_jax.types import Sentence

# The share of spans that need not fit in the unit that they seem to count.
FEW = 0.1
# From this many misfits on, spans that fit under another reading are taken to be meant that way.
SURELY = 2
MOST = 2 / 3
_Place = tuple[int | None, int | None]


class _Span(NamedTuple):
    """A span whose offsets count characters, its text and the places of words, ours, in it."""

    text: str
    words: Sequence[tuple[int, int]]
    start: int
    end: int


def doubt_unit(lines: Sequence[SpanLine], text: Sequence[Sentence], name: str) -> None:
    """Refuses spans that end where words do if their offsets are read otherwise, and only then.

    They may count other units, words, from 1, with the end included, or characters of a text that
    has other line ends, other blanks or another Unicode normalisation.

    Args:
      lines: The lines of a file, their offsets read as characters.
      text: The sentences that they are about.
      name: The file, for the message.

    Raises:
      InputError: The spans fit if they are read otherwise, and only then.
    """
    spans = [
        _Span(line.text, words, span.start, span.end)
        for line, sentence in zip(lines, text, strict=True)
        if any(isinstance(span, CharacterSpan) for span in line.spans or ())
        for words in [word_places(line.text, word_ends(sentence.words))]
        for span in line.spans or ()
        if isinstance(span, CharacterSpan)
    ]
    fits = [_fits(span, (span.start, span.end)) for span in spans]
    for unit in dict.fromkeys(unit for line in lines for unit in other_units(line.text)):
        if _fit_better(spans, fits, partial(_in_unit, unit)):
            raise InputError(
                f"{name}: its spans end where words do if their offsets count {unit}, and not if "
                f"they count characters; give `offsets`={unit} (or `offsets`=characters)"
            )
    for what, remedy, read in _READINGS:
        if _fit_better(spans, fits, read, most=True):
            raise InputError(
                f"{name}: its spans do not end where words do, but would if {what}; {remedy}, or "
                "give `offsets`=characters to take them as they are"
            )


def _fit_better(
    spans: Sequence[_Span],
    fits: Sequence[bool],
    read: Callable[[_Span], _Place],
    most: bool = False,
) -> bool:
    """Whether spans fit words if they are read otherwise, and as they are do not.

    Args:
      spans: All spans.
      fits: Whether each fits as it is.
      read: The place of a span that is read otherwise.
      most: Whether several of the spans that it moves, and most of them, must not fit as they are.
    """
    least = SURELY if most else 1
    if len(fits) - sum(fits) < least:
        return False
    pairs = [
        (fit, _fits(span, place))
        for span, fit in zip(spans, fits, strict=True)
        if (place := read(span)) != (span.start, span.end)
    ]
    misfits, others = (sum(not pair[side] for pair in pairs) for side in (0, 1))
    if misfits < least or (most and misfits < MOST * len(pairs)):
        return False
    return misfits > others and others <= FEW * len(pairs)


def _fits(span: _Span, place: _Place) -> bool:
    """Whether a place begins and ends with words: ours, or those of letters and digits."""
    start, end = place
    text = span.text
    if start is None or end is None or not text[start:end].strip():
        return False
    start += len(text[start:end]) - len(text[start:end].lstrip())
    end -= len(text[start:end]) - len(text[start:end].rstrip())
    ours = any(start == word[0] for word in span.words) and any(
        end == word[1] for word in span.words
    )
    return ours or stands_alone(text, start, end)


def _in_unit(unit: str, span: _Span) -> _Place:
    to_characters = character_offset(span.text, unit)
    return to_characters(span.start), to_characters(span.end)


def _shifted(by: tuple[int, int], span: _Span) -> _Place:
    start, end = span.start + by[0], span.end + by[1]
    return (start, end) if 0 <= start < end <= len(span.text) else (None, None)


def _in_words(past: int, span: _Span) -> _Place:
    """The place if offsets count our words; `past` is 1 if the end is one past the last word."""
    first, last = span.start, span.end - past
    if not first <= last < len(span.words):
        return None, None
    return span.words[first][0], span.words[last][1]


def _in_version(widths: Callable[[str], Iterable[int]], span: _Span) -> _Place:
    """The place if offsets count another version of the text.

    Args:
      widths: The length of each character, of a text, in the other version.
      span: The span.
    """
    table = _places(span.text, widths)
    return table.get(span.start), table.get(span.end)


@lru_cache(maxsize=16)
def _places(text: str, widths: Callable[[str], Iterable[int]]) -> Mapping[int, int]:
    """Places in the text by those in its other version."""
    places = {0: 0}
    total = 0
    for place, width in enumerate(widths(text), start=1):
        total += width
        places.setdefault(total, place)
    return places


def _windows_ends_as_one(text: str) -> Iterable[int]:
    return (char != "\r" or text[place + 1 : place + 2] != "\n" for place, char in enumerate(text))


def _line_ends_as_two(text: str) -> Iterable[int]:
    return (1 + (char == "\n" and text[:place][-1:] != "\r") for place, char in enumerate(text))


def _without_blanks_before(text: str) -> Iterable[int]:
    before = len(text) - len(text.lstrip())
    return (place >= before for place in range(len(text)))


def _single_blanks(text: str) -> Iterable[int]:
    return (
        not char.isspace() or not (place == 0 or text[place - 1].isspace())
        for place, char in enumerate(text)
    )


def _normalised(form: Literal["NFC", "NFD"], text: str) -> Iterable[int]:
    """A character that combines has the width by which it lengthens what it combines with."""
    start = 0
    for place, char in enumerate(text):
        start = start if unicodedata.combining(char) else place
        before, with_char = text[start:place], text[start : place + 1]
        lengths = [len(unicodedata.normalize(form, part)) for part in (before, with_char)]
        yield lengths[1] - lengths[0]


_Reading = tuple[str, str, Callable[[_Span], _Place]]  # how spans may count, what to do, places
_VERSIONS: dict[str, tuple[str, Callable[[str], Iterable[int]]]] = {  # of the text
    "line ends were one character": (r"replace \r\n by \n in its texts", _windows_ends_as_one),
    "line ends were two characters": (r"replace \n by \r\n in its texts", _line_ends_as_two),
    "no blanks stood before the text": ("remove them there", _without_blanks_before),
    "single blanks stood between words": ("write its texts so", _single_blanks),
    "the text were in NFC": ("bring it and your text into NFC", partial(_normalised, "NFC")),
    "the text were in NFD": ("bring it and your text into NFD", partial(_normalised, "NFD")),
}
_READINGS: tuple[_Reading, ...] = (
    *((what, remedy, partial(_in_version, widths)) for what, (remedy, widths) in _VERSIONS.items()),
    *((what, remedy, partial(_shifted, by)) for by, (what, remedy) in SHIFTS.items()),
    ("they counted words", "give places in characters", partial(_in_words, 1)),
    ("they counted words from first to last", "give places in characters", partial(_in_words, 0)),
)
