"""Sentences with labels to correct, in the form that each annotation tool imports."""

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from xml.sax.saxutils import quoteattr

from zsl_jax.atomic_file import atomic_file
from zsl_jax.data.text.checks import MISSING_LABEL
from zsl_jax.data.text.entity_places import Entity, entities_of, text_and_starts
from zsl_jax.data.text.writers import write_conll
from zsl_jax.labels import OUTSIDE, is_bio
from zsl_jax.types import Sentence

AGENT = "zsl_jax"


class ReviewTask(NamedTuple):
    """A sentence to correct.

    Attributes:
      number: Its place in the text, from 1.
      words: Its words.
      labels: The label of each word; "_" where there is none.
      scores: The probability of each label.
    """

    number: int
    words: tuple[str, ...]
    labels: tuple[str, ...]
    scores: tuple[float, ...]

    @property
    def confidence(self) -> float:
        """The mean probability of its labels."""
        return round(sum(self.scores) / len(self.scores), 4)


def write_tasks(
    path: str | os.PathLike[str],
    tasks: Iterable[ReviewTask],
    tool: str,
    label_names: Sequence[str],
) -> list[str]:
    """Writes sentences with their labels as pre-annotations.

    The text of a task is its words with blanks between them. Entities are spans; a plain label is a
    span of one word. `read_corrections` reads back what the tool exports.

    Args:
      path: The file: JSON for "label_studio" and "argilla", JSON lines for "doccano" and "prodigy",
        columns for "conll". For Label Studio, its labelling interface is written beside it, with
        the extension .xml.
      tasks: The sentences.
      tool: One of `TOOLS`.
      label_names: The target's labels.

    Returns:
      The files that were written.

    Raises:
      InputError: The file cannot be written.
    """
    rows = list(tasks)
    if tool == "conll":
        write_conll(path, [(_commented(task), task.labels) for task in rows])
        return [os.fspath(path)]
    entities = is_bio(label_names)
    objects = [_JSON[tool](task, " ".join(task.words), _marked(task, entities)) for task in rows]
    lines = [json.dumps(value, ensure_ascii=False) for value in objects]
    if tool in ("doccano", "prodigy"):
        return [_write(Path(path), "".join(f"{line}\n" for line in lines))]
    written = [_write(Path(path), "[\n" + ",\n".join(lines) + "\n]\n")]
    if tool == "label_studio":
        interface = labelling_interface(marked_labels(label_names))
        written.append(_write(Path(path).with_suffix(".xml"), interface))
    return written


def marked_labels(label_names: Sequence[str]) -> tuple[str, ...]:
    """The labels of spans: entity types, or plain labels.

    >>> marked_labels(["O", "B-PER", "I-PER"]), marked_labels(["NOUN", "VERB"])
    (('PER',), ('NOUN', 'VERB'))
    """
    if not is_bio(label_names):
        return tuple(label_names)
    return tuple(dict.fromkeys(name[2:] for name in label_names if name != OUTSIDE))


def labelling_interface(labels: Sequence[str]) -> str:
    """The labelling interface of Label Studio for spans with these labels."""
    choices = "".join(f"\n    <Label value={quoteattr(label)}/>" for label in labels)
    return (
        f'<View>\n  <Labels name="label" toName="text">{choices}\n  </Labels>\n'
        '  <Text name="text" value="$text"/>\n</View>\n'
    )


def _commented(task: ReviewTask) -> Sentence:
    about = (f"# sentence_id = {task.number}", f"# confidence = {task.confidence}")
    return Sentence(task.words, comments=about)


def _marked(task: ReviewTask, entities: bool) -> list[Entity]:
    """The spans of a task's text: its entities, or each word that has a plain label."""
    labels = task.labels
    if not entities:
        labels = tuple(OUTSIDE if label == MISSING_LABEL else f"B-{label}" for label in labels)
    found = entities_of(Sentence(task.words), labels, task.scores)
    return [one._replace(score=round(one.score or 0, 4)) for one in found]


def _label_studio(task: ReviewTask, text: str, marked: Sequence[Entity]) -> dict[str, Any]:
    regions = [
        {
            "id": f"{task.number}-{number}",
            "from_name": "label",
            "to_name": "text",
            "type": "labels",
            "score": one.score,
            "value": {**_place(one), "text": one.text, "labels": [one.type]},
        }
        for number, one in enumerate(marked, start=1)
    ]
    prediction = {"model_version": AGENT, "score": task.confidence, "result": regions}
    return {"data": {"text": text, "sentence_id": task.number}, "predictions": [prediction]}


def _doccano(task: ReviewTask, text: str, marked: Sequence[Entity]) -> dict[str, Any]:
    spans = [[one.start_char, one.end_char, one.type] for one in marked]
    return {"text": text, "label": spans, "sentence_id": task.number}


def _prodigy(task: ReviewTask, text: str, marked: Sequence[Entity]) -> dict[str, Any]:
    _, starts = text_and_starts(Sentence(task.words))
    last = len(task.words) - 1
    tokens = [
        {"text": word, "start": start, "end": start + len(word), "id": n, "ws": n < last}
        for n, (word, start) in enumerate(zip(task.words, starts, strict=False))
    ]
    spans = [
        {
            **_place(one), "token_start": one.first, "token_end": one.end - 1,
            "label": one.type,
        }
        for one in marked
    ]  # fmt: skip
    meta = {"sentence_id": task.number, "confidence": task.confidence}
    return {"text": text, "tokens": tokens, "spans": spans, "meta": meta}


def _argilla(task: ReviewTask, text: str, marked: Sequence[Entity]) -> dict[str, Any]:
    spans = [{**_place(one), "label": one.type} for one in marked]
    suggestion = {"value": spans, "score": task.confidence, "agent": AGENT}
    return {
        "id": f"sentence-{task.number}",
        "fields": {"text": text},
        "metadata": {"sentence_id": task.number},
        "suggestions": {"spans": suggestion},
        "responses": {},
    }


def _place(one: Entity) -> dict[str, int]:
    return {"start": one.start_char, "end": one.end_char}


def _write(path: Path, text: str) -> str:
    with atomic_file(path) as part:
        part.write_text(text, encoding="utf-8")
    return str(path)


_Writer = Callable[[ReviewTask, str, Sequence[Entity]], dict[str, Any]]
_JSON: Mapping[str, _Writer] = {
    "label_studio": _label_studio,
    "doccano": _doccano,
    "prodigy": _prodigy,
    "argilla": _argilla,
}
TOOLS = (*_JSON, "conll")
