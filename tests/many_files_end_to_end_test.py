"""Texts of several files, samples of them, and prediction files for both, in whole programs."""

import json

import numpy as np
import pytest

from tests.end_to_end_test import FAST
from tests.programs import program
from tests.tiny_world import LABELS, sentences, write_text
from zsl_jax.data.shards import Shard
from zsl_jax.data.text_shard import shard_of_text
from zsl_jax.errors import InputError
from zsl_jax.types import Sentence
from zsl_jax.workflows.source_annotation import predictions_from_files
from zsl_jax.workflows.sources import Source

NAMES = ("a", "b")


def noisy(text, seed):
    """A source's labels: one in five is another one."""
    rng = np.random.default_rng(seed)

    def said(labels):
        return tuple(y if rng.random() < 0.8 else str(rng.choice(LABELS)) for y in labels)

    return [Sentence(sentence.words, said(sentence.labels)) for sentence in text]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Two files of text and two of test, and two sources' predictions for each of them."""
    folder = tmp_path_factory.mktemp("files")
    for place in (0, 1):
        for kind, seed in (("text", 20), ("test", 30)):
            text = sentences(seed + place, 20)
            write_text(folder / f"{kind}{place}.conll", text)
            for number, name in enumerate(NAMES):
                write_text(folder / f"{name}-{kind}{place}.conll", noisy(text, seed + number))
    return folder


def globs(files, flag, kind):
    return [f"--{flag}={name}={files}/{name}-{kind}[01].conll" for name in NAMES]


def test_samples_and_patterns_go_with_prediction_files(world, files, tmp_path):
    common = [
        f"--encoder={world.encoder}", f"--text={files}/text[01].conll", "--max_sentences=25",
        *globs(files, "source", "text"), "--rounds=1", *FAST, f"--output={tmp_path / 'out'}",
    ]  # fmt: skip
    done = program(
        "transfer", *common, f"--test={files}/test[01].conll", "--max_test_sentences=30",
        *globs(files, "test_source", "test"),
    )  # fmt: skip
    rows = json.loads((tmp_path / "out" / "result.json").read_text())["rows"]
    scores = {row["name"]: row["scores"] for row in rows if row["labels_from"] != "Q"}
    assert all(scores[name]["sentences"] == 30 for name in (*NAMES, "majority", "lvm"))
    assert all(0.6 < scores[name]["accuracy"] < 0.95 for name in NAMES)  # of the very sentences
    assert "compared with nothing" not in done.stdout
    predict = ["predict", f"--model={tmp_path / 'out'}", f"--text={files}/test[01].conll"]
    labelled = tmp_path / "labelled.conll"
    program(*predict, *globs(files, "source", "test"), f"--output={labelled}", "--row_length=32")
    assert labelled.read_text().count("# sent_id") == 40
    done = program(*predict[:2], f"--text={files}/test0.conll", *globs(files, "source", "test"),
        f"--output={labelled}", status=2)  # fmt: skip
    assert "2 files for 1 of the text" in done.stderr
    done = program("transfer", *common, f"--test={files}/test0.conll", "--overwrite",
        f"--test_source=b={files}/b-test0.conll")  # fmt: skip
    assert "the source a has no predictions for --test" in done.stderr
    rows = [line.split() for line in done.stdout.splitlines()]
    assert {row[0] for row in rows if row[1:2] == ["source"]} == {"b"}  # in the table
    done = program("transfer", *common, f"--test={files}/test0.conll", "--overwrite",
        "--approach=kd")  # fmt: skip
    assert "\nmajority" not in done.stdout  # no row of the table
    assert "is compared with nothing: no source has predictions for the test" in done.stdout
    refused = program(*predict, *globs(files, "source", "test"), f"--output={labelled}", status=2)
    assert "has no label_model.safetensors" in refused.stderr  # that of the run before is gone


def test_a_sample_has_its_own_predictions_or_those_of_the_whole(files, tmp_path):
    texts = [sentences(20 + place, 20) for place in (0, 1)]
    both = shard_of_text(texts, Shard((0, 1), 0, 1), 2, 15, seed=3)
    assert len(both.sentences) == 15 and both.sampled == sorted(both.sampled)
    source = Source("a", f"{files}/a-text[01].conll")
    made = predictions_from_files(source, both, tmp_path)
    assert made.words == tuple(sentence.words for sentence in both.sentences)
    whole = [s for place in (0, 1) for s in noisy(texts[place], 20)]
    expected = [label for place in both.sampled for label in whole[place].labels]
    assert [made.label_names[label] for label in made.labels] == expected
    half = shard_of_text(texts, Shard((0, 1), 1, 2), 2, 15, seed=3)
    assert list(half.sentences) == list(both.sentences)[1::2]
    made = predictions_from_files(source, half, tmp_path)
    assert made.words == tuple(sentence.words for sentence in half.sentences)
    one = shard_of_text(texts[:1], Shard((0,), 0, 1), 1, 15, seed=3)
    path = write_text(tmp_path / "sample.conll", noisy(one.sentences, 4))
    made = predictions_from_files(Source("a", str(path)), one, tmp_path)
    assert made.words == tuple(sentence.words for sentence in one.sentences)
    path = write_text(tmp_path / "other.conll", noisy(sentences(5, 20), 4))
    with pytest.raises(InputError, match=r"other\.conll, sentence 1"):
        predictions_from_files(Source("a", str(path)), one, tmp_path)
