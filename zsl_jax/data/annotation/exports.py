"""What annotation tools export: one JSON object per text, with the spans that people marked.

Each tool's object becomes a line that `parse_span_line` reads: "text" and "spans".
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from zsl_jax.data.text.files import read_bytes
from zsl_jax.data.text.json_lines import json_objects
from zsl_jax.data.text.json_spans import LIST_KEYS, has_spans
from zsl_jax.errors import InputError

Exported = dict[str, Any]
_DISCARDED = ("discarded", "default")  # Argilla 1: set aside, or not yet looked at
_OTHER_LABELS = ("hypertextlabels", "paragraphlabels")  # of Label Studio: HTML and dialogues
# How JSON begins; columns may begin with brackets, too.
_OBJECT = re.compile(r'\s*\{\s*"')
_LIST_OF_OBJECTS = re.compile(r'\s*\[\s*\{\s*"')
_MIN = ("annotation_id", "annotator")  # JSON-MIN of Label Studio leaves an empty list out


def read_exported(path: str) -> list[tuple[str, Exported]] | None:
    """Reads the objects of an export, each with the file and its place in it.

    Args:
      path: A file with one JSON list, or with one JSON object per line; perhaps compressed (.gz).

    Returns:
      The objects; None if the file does not hold texts with spans, but perhaps words with labels.

    Raises:
      InputError: The file is JSON, but neither a list of objects nor one object per line.
    """
    try:
        text = read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    if _OBJECT.match(text):
        objects = list(json_objects(text.split("\n"), path))
        return objects if any(is_exported(value) for _, value in objects) else None
    return _listed(path, text) if text.lstrip().startswith("[") else None


def _listed(path: str, text: str) -> list[tuple[str, Exported]] | None:
    """The objects of one JSON list; None for columns whose first word begins with a bracket."""
    is_json = path.removesuffix(".gz").endswith(".json")
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        if not is_json and not _LIST_OF_OBJECTS.match(text):
            return None
        raise InputError(f"{path} is not a whole JSON list ({error}); export it again") from error
    found = [(f"{path}, item {number}", value) for number, value in enumerate(values, start=1)]
    for where, value in found:
        if not isinstance(value, dict):
            raise InputError(f"{where}: {value!r:.40} is not an object; export the texts as JSON")
    return found


def is_exported(value: Mapping[str, Any]) -> bool:
    """Whether an object is a text with spans in the form of one of the tools."""
    return _is_label_studio(value) or _is_argilla(value) or has_spans(dict(value))


def span_line(where: str, exported: Exported) -> Exported | None:
    """Turns an exported text into a line with "text" and "spans".

    Args:
      where: The file and the place in it, for messages.
      exported: Of Label Studio (JSON and JSON-MIN), doccano, Prodigy or Argilla (1 and 2), or a
        line that `parse_span_line` reads anyway.

    Returns:
      The line, in which an empty list means that there is nothing to mark; None if nobody annotated
      the text.

    Raises:
      InputError: There is no text, or several people annotated it differently.
    """
    if _is_label_studio(exported):
        return _of_label_studio(where, exported)
    if _is_argilla(exported):
        return _of_argilla(where, exported)
    line = dict(exported)
    if "annotation" in line and "prediction" in line:  # Argilla 1: the person, and the model
        del line["prediction"]
        if str(line.get("status", "")).lower() in _DISCARDED:
            return None
    present = [key for key in LIST_KEYS if key in line]
    if not present and ("answer" in line or line.keys() >= {*_MIN}):
        line["spans"] = []
    if len(present) == 1 and line[present[0]] == []:
        line["spans"] = line.pop(present[0])
    return line


def _is_label_studio(value: Mapping[str, Any]) -> bool:
    return isinstance(value.get("data"), dict) and (
        "annotations" in value or "predictions" in value
    )


def _is_argilla(value: Mapping[str, Any]) -> bool:
    return isinstance(value.get("fields"), dict) and isinstance(value.get("responses"), dict | list)


def _of_label_studio(where: str, exported: Exported) -> Exported | None:
    annotations = [
        annotation
        for annotation in _objects(where, "annotations", exported.get("annotations"))
        if not annotation.get("was_cancelled")
    ]
    truth = [annotation for annotation in annotations if annotation.get("ground_truth")]
    answers = [
        [
            _labelled_span(where, region["type"], region.get("value"))
            for region in _objects(where, "result", annotation.get("result"))
            if _is_span(region)
        ]
        for annotation in truth or annotations
    ]
    return _agreed(where, exported["data"].get("text"), answers)


def _is_span(region: Mapping[str, Any]) -> bool:
    """Whether a region of Label Studio labels a part of a text, or of a recording."""
    kind, value = region.get("type"), region.get("value")
    has_place = isinstance(value, dict) and "start" in value
    return kind == "labels" or (isinstance(kind, str) and kind.endswith("labels") and has_place)


def _labelled_span(where: str, kind: str, value: Any) -> Any:
    """The span of a region; HTML and dialogues may have the place in the whole text beside theirs.

    Raises:
      InputError: The place is not known in characters of the text.
    """
    if kind == "labels":
        return value
    place = value.get("globalOffsets", value)
    span = {key: place.get(key) for key in ("start", "end")} if isinstance(place, dict) else {}
    if kind not in _OTHER_LABELS or not span or any(type(at) is not int for at in span.values()):
        raise InputError(
            f'{where}: a region of the type {kind!r} has no "start" and "end" in characters of the '
            "text; label plain text (Labels on Text, as in the interface that launch.review writes)"
        )
    return {**span, "text": value.get("text"), "labels": value.get(kind)}


def _of_argilla(where: str, exported: Exported) -> Exported | None:
    responses = exported["responses"]
    if isinstance(responses, list):
        raise InputError(
            f'{where}: "responses" is a list; export the records by `dataset.records.to_json`'
        )
    if "spans" in responses:  # the others may be comments
        responses = {"spans": responses["spans"]}
    answers = [
        response.get("value")
        for question, given in responses.items()
        for response in _objects(where, question, given)
    ]
    if str(exported.get("status", "")).lower() == "discarded":
        return None
    text = exported["fields"].get("text")
    return _agreed(where, text, [answer for answer in answers if answer is not None])


def _objects(where: str, key: str, values: Any) -> list[dict[str, Any]]:
    """A list of objects, empty where there is none."""
    if not isinstance(values or [], list) or not all(isinstance(v, dict) for v in values or ()):
        raise InputError(f'{where}: "{key}" is not a list of objects; export the texts again')
    return values or []


def _agreed(where: str, text: Any, answers: Sequence[Any]) -> Exported | None:
    """The line that all annotators of a text agree on; None without any."""
    if not isinstance(text, str):
        raise InputError(f'{where}: it has no "text"; name the field of the text so in the tool')
    if not answers:
        return None
    if any(list(_places(answer)) != list(_places(answers[0])) for answer in answers):
        raise InputError(
            f"{where}: {len(answers)} annotations that differ; keep the one that counts"
        )
    return {"text": text, "spans": answers[0]}


def _places(spans: Any) -> Iterator[Any]:
    """The spans of an annotation in their order in the text, without what the tool adds."""
    if not isinstance(spans, list) or not all(isinstance(span, dict) for span in spans):
        yield spans
        return
    keys = ("start", "end", "label", "labels")
    yield from sorted(([str(span.get(key)) for key in keys] for span in spans), key=str)
