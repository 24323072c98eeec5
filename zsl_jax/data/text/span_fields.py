"""The fields of a span, whatever the program that wrote it calls them."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from zsl_jax.data.text.checks import checked_type
from zsl_jax.data.text.known_keys import check_keys, snake_case
from zsl_jax.errors import InputError

START_KEYS = (
    "start", "start_char", "start_offset", "start_pos", "begin", "begin_offset", "offset",
)  # fmt: skip
END_KEYS = ("end", "end_char", "end_offset", "end_pos")
LABEL_KEYS = ("label", "labels", "entity_group", "entity_type", "type")
SCORE_KEYS = ("score", "confidence", "confidence_score", "probability", "prob")
TEXT_KEYS = ("text", "mention", "entity")
_ROUNDED = 1.001  # sums of rounded probabilities, as some programs write them
_FLAIR = re.compile(r"(\S.*) \(([01](?:\.\d+)?)\)")  # a label as it is printed: PER (0.99)
_WITH_PLACES = ("token_start", "token_end")  # the same place again, in words
_OTHER = ("length", "word", "answer")
_READ = frozenset((*START_KEYS, *END_KEYS, *LABEL_KEYS, *SCORE_KEYS, *TEXT_KEYS, *_OTHER))
_REMEDY = 'give its place as "start" and "end", its type as "label", its score as "score"'


class SpanFields(NamedTuple):
    """A span as it is written.

    Attributes:
      start: Its first character, as the file has it; None without a place.
      end: One past its last character.
      label: The entity's type.
      score: Its probability; None if the source gave none.
      text: The text of the span; None if the file does not give it.
      word: The same as a model's tokenizer made it, perhaps in another case.
    """

    start: Any
    end: Any
    label: str
    score: float | None
    text: str | None
    word: str | None


def span_fields(where: str, value: Any) -> SpanFields:
    """The fields of a span: an object, [start, end, label] or [label, start, end, score].

    Raises:
      InputError: There is no type or no score where one should be, two keys contradict each other,
        or a key is not understood.
    """
    fields: Any = _from_list(value) if isinstance(value, list) else value
    if not isinstance(fields, dict):
        raise InputError(f'{where}: not a span; write {{"start": 0, "end": 4, "label": "PER"}}')
    start, end = _place(where, fields)
    names = _READ if start is None else {*_READ, *_WITH_PLACES}
    _refuse_pieces(where, fields)
    read = {key for key in fields if snake_case(key) in names}
    check_keys(where, fields, read, _REMEDY, of_span=True)
    if fields.get("answer", "accept") != "accept":
        raise InputError(
            f'{where}: its "answer" is {fields["answer"]!r}; leave the span out, or write null '
            "instead of all spans where the source abstains"
        )
    label, score = _label(where, fields)
    own = _score(where, _only(where, fields, SCORE_KEYS))
    text, word = _only(where, fields, TEXT_KEYS), fields.get("word")
    return SpanFields(
        start,
        end,
        label,
        score if own is None else own,
        text if isinstance(text, str) and text else None,
        word if isinstance(word, str) and word else None,
    )


def _place(where: str, fields: Mapping[str, Any]) -> tuple[Any, Any]:
    """The start and the end, as the file has them; the end may follow from a length."""
    start, end = (_only(where, fields, keys) for keys in (START_KEYS, END_KEYS))
    length = _only(where, fields, ("length",))
    if length is not None:
        if start is None:
            return None, end or length
        if type(start) is not int or type(length) is not int:
            raise InputError(
                f"{where}: its start {start!r} and length {length!r} are not both whole numbers; "
                "write them without quotes and decimal point"
            )
        end = _only(where, {"end": end, "length": start + length}, ("end", "length"))
    return start, end


def _refuse_pieces(where: str, fields: Mapping[str, Any]) -> None:
    """Refuses what a pipeline of transformers writes of each piece of a word."""
    if "entity" in fields and all(fields.get(key) is None for key in LABEL_KEYS):
        raise InputError(
            f'{where} is a piece of a word ("entity"); run the pipeline with '
            'aggregation_strategy="simple", which writes "entity_group"'
        )


def _from_list(value: Sequence[Any]) -> Any:
    """[start, end, label] or [label, start, end], perhaps with a score, as an object."""
    if len(value) not in (3, 4):
        return None
    keys = ("label", "start", "end") if isinstance(value[0], str) else ("start", "end", "label")
    return dict(zip((*keys, "score"), value, strict=False))


def _only(where: str, fields: Mapping[str, Any], keys: Sequence[str]) -> Any:
    """The value under the keys that mean the same, BeginOffset for begin_offset too, or None."""
    found = {
        key: value for key, value in fields.items() if value is not None and snake_case(key) in keys
    }
    values = list(found.values())
    if any(value is not values[0] and value != values[0] for value in values):
        raise InputError(f"{where}: {' and '.join(found)} contradict each other; give one of them")
    return values[0] if values else None


def _label(where: str, fields: Mapping[str, Any]) -> tuple[str, float | None]:
    """The type, and the score that a list of labels gives it."""
    score = None
    label: Any = _only(where, {**fields, "labels": None}, LABEL_KEYS)
    if label is None and "labels" not in fields:
        label = fields.get("category")  # Azure
    listed = fields.get("labels")
    if label is None and isinstance(listed, list) and len(listed) == 1:
        (label,) = listed
        if isinstance(label, dict) and {*label} <= {"value", "confidence"}:  # flair
            label, score = label.get("value"), _score(where, label.get("confidence"))
        elif isinstance(label, str) and (printed := _FLAIR.fullmatch(label)):  # before 0.12
            label, score = printed[1], float(printed[2])
    elif listed is not None:
        raise InputError(f"{where}: it has not one label but {listed!r}; write one span for each")
    return checked_type(where, label, f"name it under one of {', '.join(LABEL_KEYS)}"), score


def _score(where: str, score: Any) -> float | None:
    if score is None:
        return None
    if type(score) not in (int, float) or not 0 <= score <= _ROUNDED:
        raise InputError(
            f"{where}: the score {score!r} is not a probability; write one from 0 to 1"
        )
    return min(float(score), 1.0)
