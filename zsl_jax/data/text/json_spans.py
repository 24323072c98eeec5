"""Lines of JSON with a text and character spans in it, as other programs write them."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple

from zsl_jax.data.text.checks import same_text
from zsl_jax.data.text.known_keys import check_keys, shown_keys
from zsl_jax.data.text.offset_units import SHIFTS, UNITS, character_offset, other_units
from zsl_jax.data.text.span_fields import LABEL_KEYS, SpanFields, span_fields
from zsl_jax.errors import InputError
from zsl_jax.labels import OUTSIDE

# Under the last two, spans stand where there are neither the other keys nor words.
SPAN_KEYS = ("spans", "ents", "entities", "annotation", "prediction")
DOCCANO_KEYS = ("label", "labels")
LIST_KEYS = (*SPAN_KEYS, *DOCCANO_KEYS)
TEXT_KEYS = ("text", "data")
_READ = (*TEXT_KEYS, "tokens", "answer", "status", "_is_binary")
_TOKEN_LABELS = ("labels", "ner", "pos", "tag", "upos", "xpos")


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


class Mention(NamedTuple):
    """An entity of which only the words are known; `place_mentions` looks for them.

    Attributes:
      text: The words.
      label: The entity's type.
      score: Its probability; None if the source gave none.
    """

    text: str
    label: str
    score: float | None


class SpanLine(NamedTuple):
    """A source's predictions for one text.

    Attributes:
      where: File and line.
      text: The text as the source saw it.
      spans: The entities, in the file's order; None where the source abstains.
      is_blank: Whether it abstains because its list is empty and may just not be filled in.
    """

    where: str
    text: str
    spans: list[CharacterSpan | Mention] | None
    is_blank: bool = False


def has_spans(line: dict[str, Any]) -> bool:
    """Whether a line holds a text with spans, rather than words with labels."""
    if text_of(line) is None or "words" in line:
        return False
    return "tokens" not in line or any(key in line for key in SPAN_KEYS)


def text_of(line: dict[str, Any]) -> str | None:
    """The text of a line; doccano 1.4 calls it "data"."""
    value = next((line[key] for key in TEXT_KEYS if key in line), None)
    return value if isinstance(value, str) else None


def parse_span_line(
    where: str, line: dict[str, Any], unit: str = "characters", has_setting: bool = True
) -> SpanLine:
    """Reads one line; `read_span_predictions` lists the keys.

    Args:
      where: File and line, for messages.
      line: The JSON object.
      unit: What the offsets count, one of `UNITS`.
      has_setting: Whether the user can name the unit, by `offsets`.

    Returns:
      The text and its spans, checked.

    Raises:
      InputError: A key is missing or not understood, or a span does not fit the text.
    """
    text = text_of(line)
    key = _list_key(where, line)
    if text is None or key is None:
        raise InputError(
            f'{where}: no "text" with "spans" (its keys are {shown_keys(line)}); call the list of '
            'its entities "spans", and write [] where there is none and null where the source '
            "abstains"
        )
    _check_keys(where, line, key)
    values = _listed(line[key]) if key == "entities" else line[key]
    if values is None or _is_set_aside(where, line):
        return SpanLine(where, text, None)
    if not isinstance(values, list):
        raise InputError(f'{where}: "{key}" is not a list; write [{{"start": 0, "end": 4, ...}}]')
    if not values and _may_be_blank(line, key):
        return SpanLine(where, text, None, is_blank=True)
    spans = [
        _span(f"{where}, span {number}", value, text, unit, has_setting)
        for number, value in enumerate(values, start=1)
    ]
    return SpanLine(where, text, spans)


def refuse_labelled_tokens(lines: Iterable[tuple[str, dict[str, Any]]]) -> None:
    """Refuses lines without any span if their labels are those of "tokens", which are not read.

    Raises:
      InputError: It names the keys of the labels.
    """
    for where, line in lines:
        tokens = line.get("tokens")
        tokens = [t for t in tokens if isinstance(t, dict)] if isinstance(tokens, list) else []
        keys = [key for key in _TOKEN_LABELS if any(map(partial(_is_labelled, key), tokens))]
        if keys:
            raise InputError(
                f'{where}: no line of the file has a span, but its "tokens" have labels '
                f"({', '.join(keys)}), which are not read; write them as "
                '{"words": [...], "labels": [...]}, or leave "tokens" out if there is no entity'
            )


def _is_labelled(key: str, token: Mapping[str, Any]) -> bool:
    return token.get(key) not in (None, "", [], OUTSIDE)


def _listed(values: Any) -> Any:
    """The spans of {type: [mention or span, ...]}, as language models write them, in a list."""
    if not isinstance(values, dict) or not all(isinstance(own, list) for own in values.values()):
        return values
    pairs = [(label, span) for label, own in values.items() for span in own]
    if any(isinstance(span, dict) and not {*LABEL_KEYS}.isdisjoint(span) for _, span in pairs):
        return values
    return [
        {"label": label, **(span if isinstance(span, dict) else {"text": span})}
        for label, span in pairs
    ]


def _list_key(where: str, line: dict[str, Any]) -> str | None:
    """The key of the list of spans."""
    keys = SPAN_KEYS if any(key in line for key in SPAN_KEYS) else LIST_KEYS
    present = [key for key in keys if key in line]
    filled = [key for key in present if not _is_nothing(line[key])]
    if len(filled) > 1:
        raise InputError(
            f"{where}: {' and '.join(filled)} both hold annotations; keep the one that counts"
        )
    return next(iter(filled or present), None)


def _may_be_blank(line: dict[str, Any], key: str) -> bool:
    """Whether an empty list is doccano's, which also writes one for texts without annotation."""
    return key in DOCCANO_KEYS or (key == "entities" and {"id", "relations"} <= line.keys())


def _is_nothing(value: Any) -> bool:
    """Whether a value is null, or an object of groups of spans that are all empty."""
    return value is None or (isinstance(value, dict) and not any(value.values()))


def _check_keys(where: str, line: dict[str, Any], key: str) -> None:
    """Refuses what is not understood, and annotation that leaves most of the text out."""
    known = {*_READ, key}
    for other in ("label", "labels"):  # of the whole text, as flair writes them beside "entities"
        values = line.get(other)
        if isinstance(values, list) and all(
            isinstance(value, dict) and {*value} <= {"value", "confidence"} for value in values
        ):
            known.add(other)
    check_keys(where, {k: v for k, v in line.items() if k not in SPAN_KEYS}, known)
    if line.get("_is_binary"):
        raise InputError(
            f"{where}: single spans were accepted or rejected (_is_binary), and the rest of the "
            "text was not looked at; annotate it whole (ner.manual), or write null as its spans"
        )


def _is_set_aside(where: str, line: dict[str, Any]) -> bool:
    """Whether the annotator of a text rejected, ignored or discarded it."""
    answer, status = line.get("answer", "accept"), line.get("status")
    if answer not in ("accept", "reject", "ignore"):
        raise InputError(f"{where}: the answer {answer!r} is not one of accept, reject, ignore")
    return answer != "accept" or (isinstance(status, str) and status.lower() == "discarded")


def _span(
    where: str, value: Any, text: str, unit: str, has_setting: bool
) -> CharacterSpan | Mention:
    """One span, at the place given by its offsets, or without one."""
    fields = span_fields(where, value)
    mention = fields.text or fields.word
    if fields.start is None and fields.end is None:
        if mention is None or not mention.strip():
            raise InputError(
                f'{where}: it has no place; give it "start" and "end", or the mention as "text"'
            )
        return Mention(mention, fields.label, fields.score)
    place = _range(where, fields, text, unit)
    if place is None:
        raise InputError(
            f"{where}: {unit} {fields.start!r} to {fields.end!r} are not part of a text of "
            f"{len(text)} characters; {_way_out(fields, text, has_setting)}"
        )
    start, end = place
    if fields.text is not None and not same_text(text[start:end], fields.text):
        raise InputError(
            f"{where}: {fields.text!r} where the text has {text[start:end]!r}; "
            f"{_way_out(fields, text, has_setting)}, or leave start and end out and the mention is "
            "searched for"
        )
    return CharacterSpan(start, end, fields.label, fields.score)


def _range(where: str, fields: SpanFields, text: str, unit: str) -> tuple[int, int] | None:
    """The characters that the offsets of a span mean; None if they are not part of the text."""
    start, end = fields.start, fields.end
    if start is None or end is None:
        missing = "start" if start is None else "end"
        raise InputError(
            f"{where}: its {missing} is missing; give start and end, or neither and its text, "
            "which is then searched for"
        )
    if type(start) is not int or type(end) is not int:
        raise InputError(
            f"{where}: its start {start!r} and end {end!r} are not whole numbers; write them "
            "without quotes and decimal point"
        )
    if end <= start:
        raise InputError(
            f"{where}: its end {end} is not after its start {start}; leave it out, or, if the "
            "ends in this file are included, add 1 to each"
        )
    to_characters = character_offset(text, unit)
    first, last = to_characters(start), to_characters(end)
    return None if first is None or last is None else (first, last)


def _way_out(fields: SpanFields, text: str, has_setting: bool) -> str:
    """What to do with offsets, whole numbers, that do not fit."""
    for unit in UNITS:
        to_characters = character_offset(text, unit)
        places = [to_characters(offset) for offset in (fields.start, fields.end)]
        if None in places or fields.text is None:
            continue
        if same_text(text[places[0] : places[1]], fields.text):
            if has_setting:
                return f"give `offsets`={unit}, which they seem to count"
            return f"write them in characters (they seem to count {unit})"
    for (to_start, to_end), (_, remedy) in SHIFTS.items():
        first, last = fields.start + to_start, fields.end + to_end
        if fields.text and 0 <= first < last and same_text(text[first:last], fields.text):
            return f"{remedy} in this file"
    units = other_units(text) if has_setting else []
    other = f", or give `offsets`={' or '.join(units)} if they count these" if units else ""
    return f"count characters of this text from 0, the end excluded{other}"
