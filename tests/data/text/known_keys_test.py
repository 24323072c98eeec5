"""Keys that are not read in words with labels, in text and in predictions."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from zsl_jax.data.predictions.prediction_files import read_predictions
from zsl_jax.data.text.readers import read_sentences
from zsl_jax.errors import InputError

ROW = {"words": ["a", "b"], "labels": ["O", "B-X"]}
HARMLESS = {
    "id": 7, "sent_id": "x", "_task_hash": 1, "meta": {"score": 0.5}, "Comments": ["good"],
    "lang": "en", "domain": "news", "pos_tags": ["A", "B"], "lemmas": ["a", "b"], "scores": [],
    "prediction_agent": "me",
}  # fmt: skip
MEANT = {
    "scores": [0.5, 0.25], "probs": [[1.0], [1.0]], "mask": [1, 0], "valid": False, "spans": [[0]],
    "entities": [{"start": 0}], "confidence": 0.5, "indices": [1], "offset": 3, "answer": "reject",
    "token_weights": [1, 1], "abstain": [True, False], "isPartial": True,
}  # fmt: skip


def write(tmp_path, row, name="a.jsonl"):
    path = tmp_path / name
    path.write_text(json.dumps(row), encoding="utf-8")
    return path


def test_harmless_keys_pass(tmp_path):
    path = write(tmp_path, ROW | HARMLESS)
    assert read_sentences(path)[0].labels == ("O", "B-X")
    assert len(read_predictions(path).labels) == 2


@pytest.mark.parametrize("key", MEANT)
def test_keys_that_may_change_the_meaning_are_refused(tmp_path, key):
    path = write(tmp_path, ROW | {key: MEANT[key]})
    for read in (read_sentences, read_predictions):
        with pytest.raises(InputError, match=rf"line 1: the key '{key}' is not read.*\"meta\""):
            read(path)
    assert read_sentences(path, with_labels=False)[0].words == ("a", "b")
    path = write(tmp_path, ROW | {"meta": {key: MEANT[key]}})
    assert read_sentences(path)[0].labels == ("O", "B-X")


def test_of_several_lists_of_labels_one_has_to_be_named(tmp_path):
    path = write(tmp_path, {"tokens": ["a"], "labels": ["X"], "ner_tags": ["Y"]})
    with pytest.raises(InputError, match=r"labels and ner_tags are both present; .*`column`"):
        read_sentences(path)
    assert read_sentences(path, "ner_tags")[0].labels == ("Y",)
    with pytest.raises(
        InputError, match=r"labels and ner_tags are both present; keep one of them$"
    ):
        read_predictions(path)


@pytest.mark.parametrize("with_labels", [True, False])
def test_of_several_lists_of_words_one_has_to_be_named(tmp_path, with_labels):
    row = {"tokens": ["a"], "words": ["b"], "labels": ["X"]}
    table = pa.table({key: [value] for key, value in row.items()})
    pq.write_table(table, tmp_path / "a.parquet")
    for path in (write(tmp_path, row), tmp_path / "a.parquet"):
        with pytest.raises(InputError, match=r"words and tokens are both present; .*`word_column`"):
            read_sentences(path, with_labels=with_labels)
        (found,) = read_sentences(path, "labels", with_labels=with_labels, word_column="tokens")
        assert found.words == ("a",)


def test_other_forms_of_words_are_refused_with_their_keys(tmp_path):
    path = write(tmp_path, {"tokenized_text": ["a"], "ner": [[0, 0, "PER"]]})
    with pytest.raises(InputError, match=r'no list "words" \(its keys are .tokenized_text., .ner'):
        read_predictions(path)


def test_predictions_under_every_usual_key(tmp_path):
    for key in ("labels", "tags", "ner_tags"):
        made = read_predictions(write(tmp_path, {"tokens": ["a"], key: ["B-X"]}))
        assert made.label_names == ("B-X",)


def test_columns_of_parquet_are_keys(tmp_path):
    rows = {"words": [["a"]], "labels": [["X"]], "id": ["1"], "pos_tags": [["N"]]}
    path = tmp_path / "a.parquet"
    metadata = {"zsl_jax.label_names": '["X"]'}
    pq.write_table(pa.table(rows).replace_schema_metadata(metadata), path)
    assert read_sentences(path)[0].labels == ("X",) and len(read_predictions(path).labels) == 1
    for name, values in {"probs": [[0.5]], "weight": [0.5], "spans": [{"start": 0}]}.items():
        table = pa.table(rows | {name: values}).replace_schema_metadata(metadata)
        pq.write_table(table, path)
        for read in (read_sentences, read_predictions):
            with pytest.raises(InputError, match=rf"a\.parquet: the key '{name}' is not read"):
                read(path)
    assert read_sentences(path, with_labels=False)[0].words == ("a",)
