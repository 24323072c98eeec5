"""Lines of JSON with a text and character spans in it, as other programs write them."""

from typing import Any, NamedTuple

from zsl_jax.data.checks import UNWRITABLE
from zsl_jax.errors import InputError
from zsl_jax.labels import OUTSIDE

LIST_KEYS = ("spans", "ents", "entities")
LABEL_KEYS = ("label", "entity_group", "entity_type", "type")
MENTION_KEYS = ("text", "word")


class CharacterSpan(NamedTuple):
    """One entity in a text.

    Attributes:
      start: Its first character, from 0.
      end: One past its last character.
      label: The entity's type.
      score: Its probability; None if the source gave none.
    """

    start: int
    end: int
    label: str
    score: float | None


class SpanLine(NamedTuple):
    """What a source says about one text.

    Attributes:
      where: File and line.
      text: The text as the source saw it.
      spans: The entities, in the file's order; None where the source abstains.
      lost: Mentions that do not occur in the text.
    """

    where: str
    text: str
    spans: list[CharacterSpan] | None
    lost: int


def has_spans(line: dict[str, Any]) -> bool:
    """Whether a line holds a text with spans, rather than words with labels."""
    found = isinstance(line.get("text"), str) and any(key in line for key in LIST_KEYS)
    return found and "words" not in line


def parse_span_line(where: str, line: dict[str, Any]) -> SpanLine:
    """Reads one line; `read_span_predictions` lists the keys.

    Args:
      where: File and line, for messages.
      line: The JSON object.

    Returns:
      The text and its spans, checked.

    Raises:
      InputError: A key is missing, or a span does not fit the text.
    """
    text = line.get("text")
    key = next((key for key in LIST_KEYS if key in line), None)
    if not isinstance(text, str) or key is None:
        raise InputError(
            f'{where}: no "text" with "spans"; write [] where there is no entity and null where '
            "the source abstains."
        )
    values = line[key]
    if values is None:
        return SpanLine(where, text, None, 0)
    if not isinstance(values, list):
        raise InputError(f'{where}: "{key}" is no list; write [{{"start": 0, "end": 4, ...}}].')
    spans: list[CharacterSpan] = []
    for number, value in enumerate(values, start=1):
        place = spans[-1].end if spans else 0
        span = _span(f"{where}, span {number}", value, text, place)
        spans += [span] if span else []
    return SpanLine(where, text, spans, len(values) - len(spans))


def _span(where: str, value: Any, text: str, place: int) -> CharacterSpan | None:
    """One span; None for a mention without offsets that is not in the text."""
    if isinstance(value, list) and len(value) == 3:
        value = dict(zip(("start", "end", "label"), value, strict=True))
    if not isinstance(value, dict):
        raise InputError(f'{where}: no span; write {{"start": 0, "end": 4, "label": "PER"}}.')
    label = _label(where, value)
    score = _score(where, value.get("score"))
    start: Any = value.get("start")
    end: Any = value.get("end")
    mention = next((value[key] for key in MENTION_KEYS if value.get(key)), None)
    if start is None and end is None and isinstance(mention, str):
        found = text.find(mention, place)
        start = found if found >= 0 else text.find(mention)
        return CharacterSpan(start, start + len(mention), label, score) if start >= 0 else None
    if not _is_range(start, end, len(text)):
        raise InputError(
            f"{where}: characters {start!r} to {end!r} are no part of a text of {len(text)} "
            "characters; count characters from 0, the end excluded."
        )
    written = value.get("text")
    if isinstance(written, str) and written.split() != text[start:end].split():
        raise InputError(
            f"{where}: {written!r} where the text has {text[start:end]!r}; count characters "
            "(not bytes), or leave start and end away and the mention is searched for."
        )
    return CharacterSpan(start, end, label, score)


def _is_range(start: Any, end: Any, length: int) -> bool:
    return type(start) is int and type(end) is int and 0 <= start < end <= length


def _label(where: str, value: dict[str, Any]) -> str:
    label = next((value[key] for key in LABEL_KEYS if key in value), None)
    if label is None and "entity" in value:
        raise InputError(
            f'{where} is a piece of a word ("entity"); run the pipeline with '
            'aggregation_strategy="simple", which writes "entity_group".'
        )
    if not isinstance(label, str) or not label or label == OUTSIDE or UNWRITABLE.search(label):
        raise InputError(
            f"{where}: {label!r} is no entity type; name it under one of {', '.join(LABEL_KEYS)}."
        )
    return label


def _score(where: str, score: Any) -> float | None:
    if score is None:
        return None
    if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 1:
        raise InputError(f"{where}: the score {score!r} is no probability; write one from 0 to 1.")
    return float(score)
