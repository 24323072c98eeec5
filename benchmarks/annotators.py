"""A person who corrects tasks in an annotation tool and exports them, played with gold labels.

The exports have every key that the tools write: Label Studio 1.x (JSON and JSON-MIN), doccano 1.8,
Prodigy 1.x (db-out), Argilla 2 (`records.to_json`) and columns.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zsl_jax.data.text.readers import read_sentences
from zsl_jax.data.text.writers import text_and_starts, write_conll
from zsl_jax.labels import Span, entity_spans, is_bio
from zsl_jax.types import Sentence

TIME = "2026-01-31T12:00:00.000000Z"
USER = "6f1c1e3e-2b62-4b6c-9d83-1a2b3c4d5e6f"
Marked = Sequence[tuple[int, int, str]]
Gold = Mapping[str, Sentence]  # labelled sentences by their words with blanks between them


def correct(tasks: Path, tool: str, gold: Gold, export: Path) -> None:
    """Labels every task as the gold does, and writes what the tool would export.

    Args:
      tasks: A file of `write_tasks`.
      tool: The tool that it is for; "label_studio_min" and "doccano_relations" are other exports
        of the same tools.
      gold: The labelled sentences.
      export: The file to write.
    """
    if tool == "conll":
        rows = [
            gold[" ".join(s.words)]._replace(comments=s.comments) for s in read_sentences(tasks)
        ]
        return write_conll(export, [(s, s.labels or ()) for s in rows])
    text = tasks.read_text(encoding="utf-8")
    whole = text.startswith("[")
    values = json.loads(text) if whole else [json.loads(line) for line in text.splitlines()]
    found = [EXPORTS[tool](number, value, gold) for number, value in enumerate(values, start=1)]
    lines = [json.dumps(value, ensure_ascii=False) for value in found]
    export.write_text(f"[{', '.join(lines)}]" if whole else "\n".join(lines), encoding="utf-8")


def marked(sentence: Sentence) -> Marked:
    """The spans of a labelled sentence in characters: entities, or every word by itself."""
    labels = sentence.labels or ()
    words = [Span(label, place, place + 1) for place, label in enumerate(labels)]
    _, starts = text_and_starts(Sentence(sentence.words))
    return [
        (starts[span.start], starts[span.end - 1] + len(sentence.words[span.end - 1]), span.type)
        for span in (entity_spans(labels) if is_bio(labels) else words)
    ]


def _label_studio(number: int, task: dict[str, Any], gold: Gold) -> dict[str, Any]:
    text = task["data"]["text"]
    result = [
        {
            "id": f"r{start}", "from_name": "label", "to_name": "text", "type": "labels",
            "origin": "manual",
            "value": {"start": start, "end": end, "text": text[start:end], "labels": [label]},
        }
        for start, end, label in marked(gold[text])
    ]  # fmt: skip
    annotation = {
        "id": number, "completed_by": 1, "result": result, "was_cancelled": False,
        "ground_truth": False, "created_at": TIME, "updated_at": TIME, "draft_created_at": None,
        "lead_time": 3.2, "prediction": {}, "result_count": len(result), "unique_id": USER,
        "import_id": None, "last_action": None, "bulk_created": False, "task": number,
        "project": 1, "updated_by": 1, "parent_prediction": number, "parent_annotation": None,
    }  # fmt: skip
    return {
        "id": number, "annotations": [annotation], "drafts": [], "predictions": [number],
        "data": task["data"], "meta": {}, "created_at": TIME, "updated_at": TIME,
        "inner_id": number, "total_annotations": 1, "cancelled_annotations": 0,
        "total_predictions": 1, "comment_count": 0, "unresolved_comment_count": 0,
        "last_comment_updated_at": None, "project": 1, "updated_by": 1, "comment_authors": [],
    }  # fmt: skip


def _label_studio_min(number: int, task: dict[str, Any], gold: Gold) -> dict[str, Any]:
    (annotation,) = _label_studio(number, task, gold)["annotations"]
    values = [region["value"] for region in annotation["result"]]
    return {
        **task["data"], "id": number, **({"label": values} if values else {}), "annotator": 1,
        "annotation_id": number, "created_at": TIME, "updated_at": TIME, "lead_time": 3.2,
    }  # fmt: skip


def _doccano(number: int, task: dict[str, Any], gold: Gold) -> dict[str, Any]:
    label = [list(span) for span in marked(gold[task["text"]])]
    own = {key: value for key, value in task.items() if key not in ("text", "label")}
    return {"id": number, "text": task["text"], **own, "label": label, "Comments": []}


def _doccano_relations(number: int, task: dict[str, Any], gold: Gold) -> dict[str, Any]:
    entities = [
        {"id": place, "label": label, "start_offset": start, "end_offset": end}
        for place, (start, end, label) in enumerate(marked(gold[task["text"]]), start=1)
    ]
    own = {key: value for key, value in task.items() if key not in ("text", "label")}
    annotated = {"entities": entities, "relations": [], "Comments": []}
    return {"id": number, "text": task["text"], **own, **annotated}


def _prodigy(number: int, task: dict[str, Any], gold: Gold) -> dict[str, Any]:
    first = {token["start"]: token["id"] for token in task["tokens"]}
    last = {token["end"]: token["id"] for token in task["tokens"]}
    spans = [
        {"start": start, "end": end, "token_start": first[start], "token_end": last[end],
         "label": label}
        for start, end, label in marked(gold[task["text"]])
    ]  # fmt: skip
    return {
        **task, "spans": spans, "_input_hash": 1203456 + number, "_task_hash": -98765 - number,
        "_is_binary": False, "_view_id": "ner_manual", "answer": "accept",
        "_timestamp": 1769860800 + number, "_annotator_id": "ner-ann", "_session_id": "ner-ann",
    }  # fmt: skip


def _argilla(number: int, task: dict[str, Any], gold: Gold) -> dict[str, Any]:
    text = task["fields"]["text"]
    spans = [
        {"label": label, "start": start, "end": end} for start, end, label in marked(gold[text])
    ]
    return {
        **task, "responses": {"spans": [{"value": spans, "user_id": USER}]}, "vectors": {},
        "status": "completed", "_server_id": f"{number:08d}-2b62-4b6c-9d83-1a2b3c4d5e6f",
    }  # fmt: skip


EXPORTS = {
    "label_studio": _label_studio,
    "label_studio_min": _label_studio_min,
    "doccano": _doccano,
    "doccano_relations": _doccano_relations,
    "prodigy": _prodigy,
    "argilla": _argilla,
}
