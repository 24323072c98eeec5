"""Tagging schemes, label maps, spans and decoding through the programs."""

import itertools
import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.end_to_end_test import FAST
from tests.labels.schemes import write_spans
from tests.programs import program
from tests.tiny_world import sentences, write_text
from zsl_jax.data.predictions.parquet_writer import write_predictions
from zsl_jax.data.predictions.prediction_files import read_predictions
from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.data.text.readers import read_sentences
from zsl_jax.labels import Span, is_bio

SHORT = {"VERB": "ACT", "NAME": "NAM"}


def entities(sentence):
    """Runs of NAME or VERB labels, cut after every second word, so that some entities touch."""
    spans, place = [], 0
    for label, group in itertools.groupby(sentence.labels):
        end = place + len(list(group))
        for start in range(place, end, 2) if label in SHORT else ():
            spans.append(Span(label, start, min(start + 2, end)))
        place = end
    return spans


def in_scheme(text, scheme, rename=lambda kind: kind):
    named = [[s._replace(type=rename(s.type)) for s in entities(sentence)] for sentence in text]
    return [
        sentence._replace(labels=tuple(write_spans(spans, len(sentence.words), scheme)))
        for sentence, spans in zip(text, named, strict=True)
    ]


def span_line(sentence):
    text = "  ".join(sentence.words)
    starts = np.cumsum([0, *(len(word) + 2 for word in sentence.words)]).tolist()
    marked = [
        {"start": starts[s.start], "end": starts[s.end] - 2, "label": s.type, "score": 0.75}
        for s in entities(sentence)
    ]
    return {"text": text, "spans": marked}


@pytest.fixture(scope="module")
def made(world, tmp_path_factory):
    """A source model trained on BIOES, and a target tagger from four kinds of sources."""
    folder = tmp_path_factory.mktemp("schemes")
    train, text, test = (sentences(seed, count) for seed, count in ((1, 60), (2, 40), (3, 20)))
    write_text(folder / "train.conll", in_scheme(train, "bioes"))
    write_text(folder / "test.conll", in_scheme(test, "iob1"))
    write_text(folder / "text.conll", in_scheme(text, "bio"))
    (folder / "map.yaml").write_text("ACT: VERB\nNAM: NAME\n")
    (folder / "spans.jsonl").write_text("\n".join(json.dumps(span_line(s)) for s in text))
    bilou = [name for s in in_scheme(text, "bilou", SHORT.get) for name in s.labels]
    names = tuple(sorted(set(bilou)))
    ids = np.array([names.index(name) for name in bilou], np.int32)
    probs = np.eye(len(names), dtype=np.float16)[ids]
    words = tuple(sentence.words for sentence in text)
    write_predictions(folder / "bilou.parquet", SourcePredictions(names, ids, probs, words))
    trained = program(
        "train", f"--encoder={world.encoder}", f"--train={folder / 'train.conll'}",
        f"--dev={folder / 'test.conll'}", f"--output={folder / 'model'}", "--epochs=4", *FAST,
    )  # fmt: skip
    transferred = program(
        "transfer", f"--encoder={world.encoder}", f"--text={folder / 'text.conll'}",
        f"--source=model={folder / 'model'}", f"--source=spans={folder / 'spans.jsonl'}",
        f"--source=bilou={folder / 'bilou.parquet'}", f"--label_map=bilou={folder / 'map.yaml'}",
        f"--test={folder / 'test.conll'}", f"--output={folder / 'target'}", "--decode=viterbi",
        "--rounds=2", *FAST,
    )  # fmt: skip
    return folder, trained, transferred


def test_a_tagger_trained_on_bioes_is_a_bio_tagger(made):
    folder, trained, _ = made
    config = json.loads((folder / "model" / "config.json").read_text())
    bio = ["B-NAME", "B-VERB", "I-NAME", "I-VERB", "O"]
    assert sorted(config["id2label"].values()) == bio
    labels = json.loads((folder / "model" / "result.json").read_text())["labels"]
    schemes = {"train": "bioes", "dev": "iob1"}
    assert labels == {flag: {"scheme": name, "repairs": 0} for flag, name in schemes.items()}
    assert "--train: labels read as bioes, 0 repaired (conlleval rule)" in trained.stderr


def test_sources_in_all_forms_meet_in_bio(made):
    folder, _, transferred = made
    result = json.loads((folder / "target" / "result.json").read_text())
    labels = result["labels"]
    assert labels["source"]["bilou"]["scheme"] == "bioes"
    assert labels["source"]["bilou"]["label_map"] == str(folder / "map.yaml")
    assert labels["source"]["spans"]["spans"] > 40
    assert labels["source"]["spans"]["overlapping_spans"] == 0
    assert labels["source"]["model"]["scheme"] == "bio"
    assert labels["test"] == {"scheme": "iob1", "repairs": 0}
    assert labels["test_source"].keys() == {"model"}
    assert "source bilou: labels read as bioes" in transferred.stderr
    kinds = [row["labels_from"] for row in result["rows"]]
    assert kinds[-2:] == ["P viterbi", "Q viterbi"]
    config = json.loads((folder / "target" / "config.json").read_text())
    assert len(config["id2label"]) == 5 and is_bio(config["id2label"].values())
    data = json.loads((folder / "target" / "run.json").read_text())["data"]
    assert str(folder / "map.yaml") in data


def test_a_text_in_parts_has_the_same_record(world, made):
    folder, _, _ = made
    program(
        "transfer", f"--encoder={world.encoder}", f"--text={folder / 'text.conll'}",
        f"--source=spans={folder / 'spans.jsonl'}", f"--source=bilou={folder / 'bilou.parquet'}",
        f"--label_map=bilou={folder / 'map.yaml'}", f"--output={folder / 'shards'}",
        "--approach=hard_vote", "--shards=3", "--rounds=1", *FAST,
    )  # fmt: skip
    whole, shards = (
        json.loads((folder / name / "result.json").read_text())["labels"]["source"]
        for name in ("target", "shards")
    )
    assert shards == {name: whole[name] for name in ("spans", "bilou")}


def test_predict_by_viterbi_says_so_and_leaves_no_stray_label(made):
    folder, _, _ = made
    written = {}
    for decoding in ("argmax", "viterbi"):
        path = folder / f"{decoding}.parquet"
        done = program(
            "predict", f"--model={folder / 'target'}", f"--text={folder / 'test.conll'}",
            f"--output={path}", f"--decode={decoding}", "--row_length=32",
        )  # fmt: skip
        assert f"P (the tagger alone), {decoding}" in done.stdout
        written[decoding] = read_predictions(path)
        about = json.loads(pq.read_schema(path).metadata[b"zsl_jax.about"])
        assert about == written[decoding].about == {"labels_from": "P", "decode": decoding}
    found = written["viterbi"]
    np.testing.assert_array_equal(found.probs, written["argmax"].probs)
    names = iter(found.label_names[label] for label in found.labels)
    for words in found.words:
        before = "O"
        for label in (next(names) for _ in words):
            assert not label.startswith("I-") or before[1:] == label[1:]
            before = label


def test_spans_are_scored_and_aggregated_on_words_of_others(made):
    folder, _, _ = made
    spans = f"--source=spans={folder / 'spans.jsonl'}"
    bilou = [
        f"--source=bilou={folder / 'bilou.parquet'}",
        f"--label_map=bilou={folder / 'map.yaml'}",
    ]
    output = f"--output={folder / 'votes.conll'}"
    text = read_sentences(folder / "text.conll")
    for sources in ([*bilou, spans], [spans, *bilou]):
        program("aggregate", *sources, "--method=majority", output)
        votes = read_sentences(folder / "votes.conll")
        assert [s[:2] for s in votes] == [s[:2] for s in text]
    for predicted in ("spans.jsonl", "votes.conll"):
        gold = f"--gold={folder / 'text.conll'}"
        done = program("evaluate", gold, f"--predicted={folder / predicted}")
        assert "accuracy 100.00" in done.stdout
    refused = program("aggregate", *bilou, "--label_map=other=x.yaml", output, status=2)
    assert "the sources are bilou" in refused.stderr
