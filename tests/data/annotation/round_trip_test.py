"""Tests of zsl_jax.data.annotation: what a tool gets and exports comes back word by word."""

import importlib.util
import json

import pytest

from benchmarks.annotators import EXPORTS, correct
from zsl_jax.data.annotation.corrections import match_corrections, read_corrections
from zsl_jax.data.annotation.tasks import TOOLS, ReviewTask, marked_labels, write_tasks
from zsl_jax.data.text.readers import read_sentences
from zsl_jax.types import Sentence

ENTITIES = [
    Sentence(
        ("Anna", "Maria", "viu", "a", "Roma", "."), ("B-PER", "I-PER", "O", "O", "B-LOC", "O")
    ),
    Sentence(("No", "res", "."), ("O", "O", "O")),
    Sentence(("Ana", "Bo", "&", "<Co>"), ("B-PER", "B-PER", "O", "B-ORG")),
    Sentence(("\U0001f600", "Zoé", "שלום", "10\u00a0000"), ("O", "B-PER", "B-LOC", "O")),
]
TAGS = [
    Sentence(("Anna", "viu"), ("PROPN", "VERB")),
    Sentence(("a", "Roma", "."), ("ADP", "PROPN", "PUNCT")),
]
ENTITY_NAMES = ("O", "B-LOC", "I-LOC", "B-ORG", "I-ORG", "B-PER", "I-PER")
TAG_NAMES = ("ADP", "PROPN", "PUNCT", "VERB")
CASES = {"entities": (ENTITIES, ENTITY_NAMES, "O"), "tags": (TAGS, TAG_NAMES, "VERB")}
SUFFIX = {"doccano": "jsonl", "prodigy": "jsonl", "conll": "conll"}


def tasks_of(sentences, wrong):
    """Tasks whose labels are all wrong, in the other order."""
    numbered = list(enumerate(sentences, start=1))[::-1]
    return [
        ReviewTask(n, s.words, (wrong,) * len(s.words), (0.75,) * len(s.words)) for n, s in numbered
    ]


def by_text(sentences):
    return {" ".join(sentence.words): sentence for sentence in sentences}


@pytest.mark.parametrize("kind", CASES)
@pytest.mark.parametrize("export", [*EXPORTS, "conll"])
def test_corrections_come_back_from_every_tool(tmp_path, export, kind):
    sentences, names, wrong = CASES[kind]
    tool = next(tool for tool in TOOLS if export.startswith(tool))
    suffix = SUFFIX.get(tool, "json")
    tasks, exported = tmp_path / f"tasks.{suffix}", tmp_path / f"export.{suffix}"
    write_tasks(tasks, tasks_of(sentences, wrong), tool, names)
    correct(tasks, export, by_text(sentences), exported)
    other = Sentence(("not", "corrected"))
    found = match_corrections(
        read_corrections(str(exported)), [s.words for s in [*sentences, other]], kind == "entities"
    )
    assert found == [*(sentence.labels for sentence in sentences), None]


def pre_annotated(tool, value):
    """The spans that a tool shows, as (start, end, label)."""
    spans = {
        "label_studio": lambda: [
            (r["value"]["start"], r["value"]["end"], *r["value"]["labels"])
            for r in value["predictions"][0]["result"]
        ],
        "doccano": lambda: [tuple(span) for span in value["label"]],
        "prodigy": lambda: [(s["start"], s["end"], s["label"]) for s in value["spans"]],
        "argilla": lambda: [
            (s["start"], s["end"], s["label"]) for s in value["suggestions"]["spans"]["value"]
        ],
    }
    return spans[tool]()


@pytest.mark.parametrize("tool", ["label_studio", "doccano", "prodigy", "argilla"])
def test_tasks_hold_the_labels_as_pre_annotations(tmp_path, tool):
    path = tmp_path / "tasks.json"
    first = ENTITIES[0]
    scores = (0.5, 0.75, 1.0, 1.0, 0.25, 1.0)
    write_tasks(path, [ReviewTask(7, first.words, first.labels, scores)], tool, ENTITY_NAMES)
    text = path.read_text(encoding="utf-8")
    (value,) = json.loads(text) if text.startswith("[") else [json.loads(text)]
    assert pre_annotated(tool, value) == [(0, 10, "PER"), (17, 21, "LOC")]
    assert '"sentence_id": 7' in text
    if tool == "label_studio":
        (prediction,) = value["predictions"]
        assert (prediction["score"], prediction["result"][0]["score"]) == (0.75, 0.625)
        assert prediction["result"][0]["value"]["text"] == "Anna Maria"
        interface = (tmp_path / "tasks.xml").read_text()
        assert all(f'<Label value="{kind}"/>' in interface for kind in ("LOC", "ORG", "PER"))
    if tool == "prodigy":
        assert [t["text"] for t in value["tokens"]] == list(first.words)
        assert value["spans"][0]["token_end"] == 1 and value["tokens"][-1]["ws"] is False


def test_columns_hold_labels_and_the_place_in_the_text(tmp_path):
    write_tasks(tmp_path / "a.conll", tasks_of(ENTITIES[:1], "O"), "conll", ENTITY_NAMES)
    (sentence,) = read_sentences(tmp_path / "a.conll")
    assert sentence.words == ENTITIES[0].words and set(sentence.labels) == {"O"}
    assert sentence.comments == ("# sentence_id = 1", "# confidence = 0.75")


def test_label_names_in_the_interface_are_escaped(tmp_path):
    write_tasks(tmp_path / "a.json", [], "label_studio", ("O", 'B-a"<b', 'I-a"<b'))
    assert "<Label value='a\"&lt;b'/>" in (tmp_path / "a.xml").read_text()
    assert marked_labels(TAG_NAMES) == TAG_NAMES


@pytest.mark.skipif(
    importlib.util.find_spec("argilla") is None, reason="Argilla is not installed (argilla>=2.8)"
)
def test_argilla_itself_reads_tasks_and_writes_this_export(tmp_path):
    import argilla

    write_tasks(tmp_path / "a.json", tasks_of(ENTITIES, "B-PER"), "argilla", ENTITY_NAMES)
    records = [argilla.Record.from_dict(v) for v in json.loads((tmp_path / "a.json").read_text())]
    assert records[0].fields["text"] == " ".join(ENTITIES[-1].words)
    correct(tmp_path / "a.json", "argilla", by_text(ENTITIES), tmp_path / "b.json")
    for value in json.loads((tmp_path / "b.json").read_text()):
        again = argilla.Record.from_dict(value).to_dict()
        assert again.keys() == value.keys() and again["responses"] == value["responses"]


@pytest.mark.skipif(
    importlib.util.find_spec("label_studio_sdk") is None,
    reason="Label Studio's SDK is not installed (label-studio-sdk>=2)",
)
def test_label_studio_itself_accepts_tasks_and_converts_this_export(tmp_path):
    from label_studio_sdk.converter import Converter
    from label_studio_sdk.label_interface import LabelInterface

    write_tasks(tmp_path / "a.json", tasks_of(ENTITIES, "B-PER"), "label_studio", ENTITY_NAMES)
    config = (tmp_path / "a.xml").read_text()
    interface = LabelInterface(config)
    for task in json.loads((tmp_path / "a.json").read_text()):
        assert interface.validate_task({"data": task["data"]})
        assert interface.validate_prediction(task["predictions"][0])
    correct(tmp_path / "a.json", "label_studio", by_text(ENTITIES), tmp_path / "b.json")
    (tmp_path / "out").mkdir()
    converter = Converter(config=config, project_dir=None)
    converter.convert(str(tmp_path / "b.json"), str(tmp_path / "out"), "JSON_MIN", is_dir=False)
    (made,) = (tmp_path / "out").glob("*.json")
    found = match_corrections(read_corrections(str(made)), [s.words for s in ENTITIES], True)
    assert found == [sentence.labels for sentence in ENTITIES]
