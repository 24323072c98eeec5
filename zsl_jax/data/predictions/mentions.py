"""Finds the places of entities that come without offsets, as language models write them."""

import re
import unicodedata
from collections.abc import Iterator, Sequence

import numpy as np

from zsl_jax.data.text.json_spans import CharacterSpan, Mention

_Place = tuple[int, int]


def place_mentions(
    text: str, spans: Sequence[CharacterSpan | Mention], words: Sequence[_Place]
) -> tuple[list[CharacterSpan], list[Mention]]:
    """Gives every mention a place that no other span has.

    Whole words come first: of our words, then of what letters and digits make of the text. Only a
    mention that stands nowhere as such is looked for inside words. Longer mentions choose before
    shorter ones, and among equal ones the first; each takes the next place after the mention before
    it in the list, or else the first one that is free.

    Args:
      text: The text.
      spans: The spans of one line, in its order.
      words: Where each of our words begins and ends in the text.

    Returns:
      All spans that have a place, in the line's order, and the mentions that have none.
    """
    placed: dict[int, CharacterSpan] = {}
    for number, span in enumerate(spans):
        if isinstance(span, CharacterSpan):
            placed[number] = span
    mentions = [(number, span) for number, span in enumerate(spans) if isinstance(span, Mention)]
    taken = np.zeros(len(text), bool)
    for span in placed.values():
        taken[span.start : span.end] = True
    starts, ends = ({place[side] for place in words} for side in (0, 1))
    for number, mention in sorted(mentions, key=lambda pair: -len(pair[1].text)):
        before = max((other for other in placed if other < number), default=None)
        bound = 0 if before is None else placed[before].end
        places = [
            (start not in starts or end not in ends, start < bound, start, end)
            for start, end in _places(text, mention.text)
            if not taken[start:end].any()
        ]
        if places:
            *_, start, end = min(places)
            taken[start:end] = True
            placed[number] = CharacterSpan(start, end, mention.label, mention.score)
    lost = [mention for number, mention in mentions if number not in placed]
    return [placed[number] for number in sorted(placed)], lost


def _places(text: str, mention: str) -> list[_Place]:
    """Where a mention stands: as whole words if it does anywhere, else inside words."""
    found = list(_occurrences(text, mention))
    whole = [place for place in found if stands_alone(text, *place)]
    return whole or found


def _occurrences(text: str, mention: str) -> Iterator[_Place]:
    """All places of a mention, overlapping ones too; white space may differ."""
    pattern = re.compile(r"\s+".join(map(re.escape, mention.split())))
    start = 0
    while match := pattern.search(text, start):
        yield match.span()
        start = match.start() + 1


def stands_alone(text: str, start: int, end: int) -> bool:
    """Whether a place begins and ends without white space, and no word continues around it."""
    if text[start].isspace() or text[end - 1].isspace():
        return False
    continues = start > 0 and _of_word(text[start - 1]) and _of_word(text[start])
    return not continues and not (
        end < len(text) and _of_word(text[end]) and _of_word(text[end - 1])
    )


def _of_word(char: str) -> bool:
    """Whether a character is a letter, a digit, or a mark on one, as the vowel signs of Hindi."""
    return char.isalnum() or unicodedata.category(char).startswith("M")
