"""Character spans of another program's text, brought onto our words.

Both texts are compared without any whitespace: a place is the number of other characters before it.
"""

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from zsl_jax.data.predictions.mentions import place_mentions
from zsl_jax.data.text.json_spans import CharacterSpan, Mention, SpanLine
from zsl_jax.errors import InputError


class WordSpan(NamedTuple):
    """An entity on words: the first, one past the last, its type and its score."""

    first: int
    end: int
    label: str
    score: float | None


class Projection(NamedTuple):
    """The entities of one sentence.

    Attributes:
      spans: Those that were kept; they do not overlap.
      partial: Words of which a span covers a part only.
      overlapping: Spans left out since one with a higher score, or a longer one, has a word of
        theirs.
      unplaced: Spans left out since they cover no word by more than half.
      lost: Mentions that have no place of their own in the text.
      examples: The spans of which any of this is true, for people; lost mentions first.
    """

    spans: list[WordSpan]
    partial: int
    overlapping: int
    unplaced: int
    lost: int
    examples: list[str]


def project(line: SpanLine, words: Sequence[str]) -> Projection:
    """Finds the words of each span.

    A word belongs to a span if more than half of its characters do. Of spans that share a word, the
    one with the highest score is kept (none counts as 1), then the longest, then the first.

    Args:
      line: A text with spans; an abstaining line has no spans.
      words: Our words of the same text, cut and spaced as they may be.

    Returns:
      The entities.

    Raises:
      InputError: The texts differ in more than whitespace.
    """
    _check_same_text(line, words)
    ends = word_ends(words)
    spans, lost = place_mentions(line.text, line.spans or [], word_places(line.text, ends))
    taken = np.zeros(len(words), bool)
    kept: list[WordSpan] = []
    partial = overlapping = unplaced = 0
    faulty: list[CharacterSpan | Mention] = [*lost]
    for span in sorted(spans, key=_rank):
        first, end, cut = _covered_words(line.text, span, ends)
        partial += cut
        if first >= end:
            unplaced += 1
        elif any(span_of[:3] == (first, end, span.label) for span_of in kept):
            continue  # the same once more
        elif taken[first:end].any():
            overlapping += 1
        else:
            taken[first:end] = True
            kept.append(WordSpan(first, end, span.label, span.score))
            if not cut:
                continue
        faulty.append(span)
    examples = [_example(line, span) for span in faulty]
    return Projection(kept, partial, overlapping, unplaced, len(lost), examples)


def word_ends(words: Sequence[str]) -> np.ndarray:
    """Where each word ends, in characters but whitespace."""
    return np.cumsum([len(squeezed(word)) for word in words])


def word_places(text: str, ends: np.ndarray) -> list[tuple[int, int]]:
    """Where the words of a text begin and end in it; `ends` counts characters but whitespace."""
    places = [place for place, char in enumerate(text) if not char.isspace()]
    bounds = zip([0, *ends.tolist()], ends.tolist(), strict=False)
    return [(places[begin], places[end - 1] + 1) for begin, end in bounds if begin < end]


def _example(line: SpanLine, span: CharacterSpan | Mention) -> str:
    """A span as a warning quotes it."""
    text = span.text if isinstance(span, Mention) else line.text[span.start : span.end]
    return f"{line.where.rpartition(', ')[2]}: {text!r} ({span.label})"


def _rank(span: CharacterSpan) -> tuple[float, int, int]:
    """Sorts by score, then by length, then by place."""
    return (-1.0 if span.score is None else -span.score, span.start - span.end, span.start)


def _covered_words(text: str, span: CharacterSpan, ends: np.ndarray) -> tuple[int, int, int]:
    """The words of which more than half is in the span, and the number of words it cuts."""
    begin = len(squeezed(text[: span.start]))
    stop = begin + len(squeezed(text[span.start : span.end]))
    first = int(np.searchsorted(ends, begin, side="right"))
    end = int(np.searchsorted(ends, stop, side="left")) + 1
    if begin == stop:
        return first, first, 0
    cut = 0
    for word in {first, end - 1}:  # only these can reach over the span's ends
        word_begin = ends[word - 1] if word else 0
        inside = min(stop, ends[word]) - max(begin, word_begin)
        cut += inside < ends[word] - word_begin
        if 2 * inside <= ends[word] - word_begin:
            first, end = (first + 1, end) if word == first else (first, end - 1)
    return first, end, int(cut)


def _check_same_text(line: SpanLine, words: Sequence[str]) -> None:
    rest, ours = squeezed(line.text), squeezed("".join(words))
    if rest == ours:
        return
    _doubt_invisible(line.where, rest, ours)
    for number, word in enumerate(words, start=1):
        piece = squeezed(word)
        if number < len(words) and rest.startswith(piece):
            rest = rest[len(piece) :]
            continue
        raise InputError(
            f"{line.where}: the text continues with {rest[:20]!r} where word {number} of the "
            f"text's sentence is {word!r}; give one line per sentence, in the order of the text, "
            "with exactly its characters"
        )


def _doubt_invisible(where: str, found: str, ours: str) -> None:
    """Refuses a text that differs from the sentence in invisible characters only."""
    if unicodedata.normalize("NFC", found) == unicodedata.normalize("NFC", ours):
        raise InputError(
            f"{where}: its text has another Unicode normalisation than the sentence; convert both "
            "to NFC (unicodedata.normalize)"
        )
    hidden = sorted({char for char in found + ours if unicodedata.category(char) == "Cf"})
    removed = str.maketrans("", "", "".join(hidden))
    if found.translate(removed) == ours.translate(removed):
        listed = ", ".join(map(ascii, hidden))
        raise InputError(
            f"{where}: its text differs from the sentence in invisible characters "
            f"({listed}); remove them from both"
        )


def squeezed(text: str) -> str:
    """The text without whitespace."""
    return "".join(text.split())
