"""Sources that cannot name every label of the target, and words whose label the user knows."""

import json

import numpy as np
import pytest

from benchmarks import annotators
from tests.end_to_end_test import FAST
from tests.programs import program
from zsl_jax.data.predictions.prediction_files import read_predictions
from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.data.text.readers import read_sentences
from zsl_jax.data.text.writers import write_conll
from zsl_jax.errors import InputError
from zsl_jax.io.label_model_file import read_label_model
from zsl_jax.types import Sentence
from zsl_jax.workflows.loaded_tagger import load_tagger
from zsl_jax.workflows.transfer_task import prepare_transfer

TYPES = {"NAME": "B-PER", "NOUN": "B-LOC", "VERB": "O"}


@pytest.fixture(scope="module")
def entities(world):
    """The text of the tiny world, its nouns and names as entities."""
    text = read_sentences(world.text)
    return [s._replace(labels=tuple(TYPES[label] for label in s.labels)) for s in text]


@pytest.fixture(scope="module")
def sources(entities, tmp_path_factory):
    """Files of a source that names both types, one without LOC, and one that calls both ENT."""
    folder = tmp_path_factory.mktemp("sources")
    names = {
        "both": {},
        "only_per": {"B-LOC": "O"},
        "merged": {"B-LOC": "B-ENT", "B-PER": "B-ENT"},
    }
    rng = np.random.default_rng(0)
    for name, renamed in names.items():
        labels = [
            [
                rng.choice(["O", "B-PER", "B-LOC"]) if rng.random() < 0.1 else label
                for label in sentence.labels
            ]
            for sentence in entities
        ]
        labels = [[renamed.get(label, label) for label in sentence] for sentence in labels]
        write_conll(folder / f"{name}.conll", zip(entities, labels, strict=True))
    (folder / "map.yaml").write_text("ENT: [PER, LOC]\n", encoding="utf-8")
    return folder


def given(sources, *names):
    flags = [f"--source={name}={sources / name}.conll" for name in names]
    return [*flags, f"--label_map=merged={sources / 'map.yaml'}"]


def test_transfer_from_sources_with_different_label_sets(world, entities, sources, tmp_path):
    names = ("both", "only_per", "merged")
    output = tmp_path / "out"
    done = program(
        "transfer", f"--encoder={world.encoder}", f"--text={world.text}", f"--output={output}",
        *given(sources, *names), "--predictions=hard", "--rounds=3", "--epochs=3", *FAST,
    )  # fmt: skip
    model = read_label_model(output)
    assert model.source_labels.names == ("O", "B-LOC", "B-PER", "B-PER|LOC")
    assert model.source_labels.label_set.names == ("O", "B-LOC", "B-PER")
    assert model.log_confusion.shape == (3, 4, 3)
    o, loc, per, either = range(4)
    both, only_per, merged = np.exp(model.log_confusion)
    assert (both[either] == 0).all()
    assert (only_per[[loc, either]] == 0).all() and only_per[o, loc] > only_per[per, loc]
    assert (merged[[loc, per]] == 0).all() and (merged[either, [loc, per]] > 0.5).all()
    assert "cannot tell apart" not in done.stdout  # that LOC and PER look alike is its nature
    inferred = tmp_path / "q.conll"
    program(
        "predict", f"--model={output}", f"--text={world.text}", f"--output={inferred}",
        *given(sources, *names), "--row_length=32",
    )  # fmt: skip
    made = [label for s in read_sentences(inferred) for label in s.labels]
    right = [label for s in entities for label in s.labels]
    assert np.mean([a == b for a, b in zip(made, right, strict=True)]) > 0.93


def test_the_chain_tells_apart_what_each_source_cannot(entities, sources, tmp_path):
    """One source lacks LOC, one calls both types ENT; the words of the text settle the rest."""
    program(
        "aggregate", *given(sources, "both", "only_per", "merged"), "--method=chain",
        f"--output={tmp_path / 'chain.parquet'}",
    )  # fmt: skip
    made = read_predictions(tmp_path / "chain.parquet")
    assert made.about == {"labels_from": "votes", "method": "chain", "decode": "viterbi"}
    names = [made.label_names[label] for label in made.labels]
    right = [label for s in entities for label in s.labels]
    assert np.mean([a == b for a, b in zip(names, right, strict=True)]) > 0.97


def test_a_set_counts_for_its_first_label_where_one_is_needed(entities, sources, tmp_path):
    program(
        "aggregate", *given(sources, "merged"), "--method=majority",
        f"--output={tmp_path / 'votes.conll'}",
    )  # fmt: skip
    made = {label for s in read_sentences(tmp_path / "votes.conll") for label in s.labels}
    assert made == {"O", "B-PER"}


def test_o_without_a_type_is_no_evidence_against_it(world, entities, sources):
    """Dawid-Skene and the label model believe the one source that can name LOC."""
    program(
        "aggregate", *given(sources, "both", "only_per", "merged"), "--method=dawid_skene",
        f"--output={sources / 'ds.parquet'}",
    )  # fmt: skip
    made = read_predictions(sources / "ds.parquet")
    right = [label for s in entities for label in s.labels]
    names = [made.label_names[label] for label in made.labels]
    locations = [name for name, label in zip(names, right, strict=True) if label == "B-LOC"]
    assert np.mean([name == "B-LOC" for name in locations]) > 0.8


def known_labels(output, sentences):
    """Labels and their probabilities of some sentences in labels.parquet of a run."""
    made = read_predictions(output / "labels.parquet")
    ends = np.cumsum([0, *map(len, made.words)])
    for words, first, stop in zip(made.words, ends, ends[1:], strict=False):
        if words in sentences:
            labels = tuple(made.label_names[label] for label in made.labels[first:stop])
            yield words, labels, made.probs[first:stop].max(axis=1).min()


def test_words_that_the_user_knows_are_learned_and_reviewed_ones_come_back(
    world, entities, sources, tmp_path
):
    gold = {sentence.words: sentence.labels for sentence in entities}
    known = tmp_path / "known.conll"
    open_words = [
        s.labels if number < 5 else ("_",) * len(s.words) for number, s in enumerate(entities)
    ]
    write_conll(known, zip(entities, open_words, strict=True))
    common = [
        "transfer", f"--encoder={world.encoder}", f"--text={world.text}", "--epochs=1",
        *given(sources, "both", "only_per", "merged"), *FAST,
    ]  # fmt: skip
    first, second = tmp_path / "first", tmp_path / "second"
    program(*common, f"--gold_words={known}", f"--output={first}")
    about = json.loads((first / "run.json").read_text())
    assert str(known) in about["data"] and about["flags"]["gold_words"] == str(known)
    tasks, export = tmp_path / "tasks.json", tmp_path / "export.json"
    review = ["review", f"--run={first}"]
    said = program(*review, "--number=12", f"--gold_words={known}", f"--output={tasks}").stdout
    assert "12 sentences of 40 to correct" in said and "(6 by doubt, 6 at random)" in said
    assert all(f"--{flag}={known},EXPORT" in said for flag in ("gold_words", "estimate"))
    asked = {tuple(task["data"]["text"].split()) for task in json.loads(tasks.read_text())}
    assert len(asked) == 12 and not asked & {s.words for s in entities[:5]}
    by_text = {" ".join(words): Sentence(words, labels) for words, labels in gold.items()}
    annotators.correct(tasks, "label_studio", by_text, export)
    said = program(
        *review, f"--estimate={known},{export}", f"--output={tmp_path / 'e.json'}"
    ).stdout
    assert "estimated from 17 of 17 reviewed ones (6 drawn at random)" in said
    (row, *_) = json.loads((tmp_path / "e.json").read_text())["rows"]
    assert row["labels_from"] == "Q" and row["scores"]["F1 strict"]["low"] > 0.5
    said = program(*common, f"--gold_words={known},{export}", f"--output={second}").stderr
    assert "17 of 17 sentences" in said
    found = list(known_labels(second, asked | {s.words for s in entities[:5]}))
    assert len(found) >= 17 and all(labels == gold[words] for words, labels, _ in found)
    assert min(least for *_, least in found) == 1


def test_gold_words_of_another_text_are_refused(world, sources, tmp_path):
    (tmp_path / "other.conll").write_text("nothing\tO\n\nof\tO\nthis\tB-PER\n")
    common = [
        "transfer", f"--encoder={world.encoder}", f"--text={world.text}", "--epochs=1",
        *given(sources, "both", "merged"), *FAST,
    ]  # fmt: skip
    output = f"--output={tmp_path / 'out'}"
    refused = program(*common, f"--gold_words={tmp_path}/other.conll", output, status=2)
    assert "none of its 2 sentences is in the text" in refused.stderr
    refused = program(*common, "--gold_words=none.conll", output, status=2)
    assert "--gold_words=none.conll" in refused.stderr


def test_sources_that_all_abstain_are_refused(world, entities):
    words = [sentence.words for sentence in entities]
    silent = np.full(sum(map(len, words)), -1, np.int32)
    found = {name: SourcePredictions(("O", "B-PER"), silent, None, words) for name in ("a", "b")}
    start = load_tagger(str(world.encoder))
    with pytest.raises(InputError, match="no source predicts a label for any word"):
        prepare_transfer(start, [entities], [found], 32)
