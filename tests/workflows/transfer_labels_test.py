"""Tests of zsl_jax.workflows.transfer_labels: in the order of the text, however dealt out."""

import json

import numpy as np
import pytest

from zsl_jax.data.predictions.label_table import read_label_tables
from zsl_jax.data.predictions.prediction_files import read_predictions
from zsl_jax.data.shards import Shard, shard_files
from zsl_jax.data.text.readers import read_sentences
from zsl_jax.data.text_shard import TextShard, shard_of_text
from zsl_jax.labels import LabelSet, SourceLabels
from zsl_jax.runtime import processes
from zsl_jax.types import Sentence, SourceVotes
from zsl_jax.workflows import transfer_labels
from zsl_jax.workflows.approaches import TransferCorpus
from zsl_jax.workflows.transfer_task import TransferTask

FILES = [
    [Sentence((f"{file}.{number}.{word}",)[:1] * word) for number in range(count)]
    for file, count, word in ((0, 3, 1), (1, 4, 2), (2, 1, 3))
]
FLAT = [sentence for file in FILES for sentence in file]
LABELS = SourceLabels.of(LabelSet(("A", "B", "C")))


def dealt(num_shards, max_sentences=None):
    shards = shard_files(0 if max_sentences else len(FILES), num_shards)
    if max_sentences:
        shards = [shard._replace(files=(0, 1, 2)) for shard in shards]
    return [
        shard_of_text(shard.of_files(FILES), shard, len(FILES), max_sentences) for shard in shards
    ]


@pytest.mark.parametrize("num_shards", [1, 2, 3, 4])
def test_every_sentence_has_the_place_that_it_has_in_the_text(num_shards):
    shards = dealt(num_shards)
    numbers = np.concatenate(transfer_labels.sentence_numbers(shards))
    assert sorted(numbers.tolist()) == list(range(8))
    sentences = [sentence for shard in shards for sentence in shard.sentences]
    assert [sentences[place] for place in np.argsort(numbers)] == FLAT


def test_a_sample_has_the_order_in_which_it_was_drawn():
    (whole,) = dealt(1, 5)
    shards = dealt(2, 5)
    numbers = np.concatenate(transfer_labels.sentence_numbers(shards))
    sentences = [sentence for shard in shards for sentence in shard.sentences]
    assert [sentences[place] for place in np.argsort(numbers)] == list(whole.sentences)
    assert transfer_labels.sentence_numbers([TextShard(FLAT)])[0].tolist() == list(range(8))


@pytest.mark.parametrize("num_shards", [1, 2])
def test_files_of_labels_are_the_same_for_any_number_of_shards(tmp_path, monkeypatch, num_shards):
    """Each word's label and votes follow from its text, so that none can be another word's."""
    monkeypatch.setattr(transfer_labels, "BLOCK_SENTENCES", 3)
    shards = dealt(num_shards)
    words = [word for shard in shards for sentence in shard.sentences for word in sentence.words]
    ids = np.array([sum(map(int, word.split("."))) % 3 for word in words])
    votes = SourceVotes(np.stack([ids, (ids + 1) % 3, np.full(len(ids), -1)], axis=1), None)
    corpus = TransferCorpus((), votes, None)
    task = TransferTask(None, ("a", "b", "none"), LABELS, corpus)
    probs = (0.25 + 0.5 * np.eye(3)[ids - 1]).astype(np.float32) / 1.25  # a path, not the arg max
    made = transfer_labels.TextLabels("Q", "viterbi", ids, probs, (ids + 2) % 3, {"majority": ids})
    transfer_labels.write_text_labels(tmp_path, task, made, shards, "jsonl")
    found = read_predictions(tmp_path / "labels.parquet")
    assert list(found.words) == [s.words for s in FLAT]
    assert found.about == {"labels_from": "Q", "decode": "viterbi"}
    expected = [sum(map(int, word.split("."))) % 3 for s in FLAT for word in s.words]
    assert found.labels.tolist() == expected
    others = np.array(expected) - 1
    np.testing.assert_allclose(found.probs, (0.25 + 0.5 * np.eye(3)[others]) / 1.25, atol=1e-3)
    lines = read_sentences(tmp_path / "labels.jsonl")
    assert [label for line in lines for label in line.labels] == ["ABC"[i] for i in expected]
    blocks = list(read_label_tables(tmp_path / "votes.parquet"))
    assert blocks[0].columns == ("source:a", "source:b", "source:none", "majority", "tagger")
    table = np.concatenate([block.ids for block in blocks])
    shifts = [np.array(expected) + shift for shift in (0, 1, 0, 0, 2)]
    wanted = np.stack(shifts, axis=1) % 3
    wanted[:, 2] = -1
    assert table.tolist() == wanted.tolist()


COMMENTED = [
    Sentence(("#",), None, ("-DOCSTART- -X- O", "# sent_id = 1", "#tag")),
    Sentence(("b",)),
    Sentence(("c",), None, ("# two\nlines",)),
    Sentence(("d",), None, ("# sent_id = 4",)),
]
LABELS_CONLL = """\
-DOCSTART- -X- O
# sent_id = 1
# tag
#\tA

b\tA

# two lines
c\tA

# sent_id = 4
d\tA

"""


@pytest.mark.parametrize("num_processes", [1, 2])
def test_each_sentence_keeps_its_comment_lines(tmp_path, monkeypatch, num_processes):
    """With two processes, sentences are sent as JSON; here the second one has none of them."""
    if num_processes == 2:
        monkeypatch.setattr(processes, "count", lambda: 2)
        monkeypatch.setattr(processes, "gather", lambda own: [json.loads(json.dumps(own))])
        monkeypatch.setattr(processes, "concatenate", lambda rows: rows)
    monkeypatch.setattr(transfer_labels, "BLOCK_SENTENCES", 2)
    shards = [TextShard(COMMENTED[place::2], Shard((0,), place, 2)) for place in range(2)]
    ids = np.zeros((4, 1), np.int32)
    task = TransferTask(None, ("a",), LABELS, TransferCorpus((), SourceVotes(ids, None), None))
    probs = np.eye(3, dtype=np.float32)[ids[:, 0]]
    labels = transfer_labels.TextLabels("P", "argmax", ids[:, 0], probs, ids[:, 0], {})
    transfer_labels.write_text_labels(tmp_path, task, labels, shards)
    assert (tmp_path / "labels.conll").read_text(encoding="utf-8") == LABELS_CONLL
