"""Offsets that seem to count something else than characters."""

from collections.abc import Sequence

from zsl_jax.data.predictions.mentions import stands_alone
from zsl_jax.data.predictions.projection import word_ends, word_places
from zsl_jax.data.text.offsets import character_offset, other_units
from zsl_jax.data.text.span_lines import CharacterSpan, SpanLine
from zsl_jax.errors import InputError
from zsl_jax.types import Sentence

# The share of spans that need not fit in the unit that they seem to count.
FEW = 0.1
_Place = tuple[int | None, int | None]


def doubt_unit(lines: Sequence[SpanLine], text: Sequence[Sentence], name: str) -> None:
    """Refuses spans that end where words do if their offsets count another unit, and only then.

    Args:
      lines: The lines of a file, their offsets read as characters.
      text: The sentences that they are about.
      name: The file, for the message.

    Raises:
      InputError: The spans fit in another unit only.
    """
    fits: dict[str, list[tuple[bool, bool]]] = {}
    for line, sentence in zip(lines, text, strict=True):
        own = [(s.start, s.end) for s in line.spans or () if isinstance(s, CharacterSpan)]
        words = word_places(line.text, word_ends(sentence.words))
        for unit in other_units(line.text):
            to_characters = character_offset(line.text, unit)
            for place in own:
                other = (to_characters(place[0]), to_characters(place[1]))
                if other != place:
                    pair = (_fits(line.text, words, place), _fits(line.text, words, other))
                    fits.setdefault(unit, []).append(pair)
    for unit, found in fits.items():
        misfits = [sum(not pair[side] for pair in found) for side in (0, 1)]
        if misfits[0] > misfits[1] and misfits[1] <= FEW * len(found):
            raise InputError(
                f"{name}: its spans end where words do if their offsets count {unit}, and not if "
                f"they count characters; say `offsets`={unit} (or `offsets`=characters)."
            )


def _fits(text: str, words: Sequence[tuple[int, int]], place: _Place) -> bool:
    """Whether a place begins and ends with words: ours, or those of letters and digits."""
    start, end = place
    if start is None or end is None or not text[start:end].strip():
        return False
    start += len(text[start:end]) - len(text[start:end].lstrip())
    end -= len(text[start:end]) - len(text[start:end].rstrip())
    ours = any(start == word[0] for word in words) and any(end == word[1] for word in words)
    return ours or stands_alone(text, start, end)
