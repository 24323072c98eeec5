"""Folders of Hugging Face `datasets` whose state says which rows belong to them."""

import json

import pyarrow as pa
import pytest

from zsl_jax.data.text import saved_dataset
from zsl_jax.data.text.readers import read_sentences
from zsl_jax.errors import InputError

WORDS = [["a", "b"], ["c"], ["d"], ["e", "f"]]
TABLE = pa.table({"tokens": WORDS, "ner_tags": [["O"] * len(words) for words in WORDS]})


def save(folder, tables, **state):
    folder.mkdir(exist_ok=True)
    for name, table in tables.items():
        with (
            pa.OSFile(str(folder / f"{name}.arrow"), "wb") as sink,
            pa.ipc.new_stream(sink, table.schema) as writer,
        ):
            writer.write_table(table)
    state = {"_data_files": [{"filename": "data.arrow"}], "_split": None} | state
    (folder / "state.json").write_text(json.dumps(state), encoding="utf-8")
    return folder


def indices(values, kind=None):
    return pa.table({"indices": pa.array(values, kind or pa.uint64())})


@pytest.mark.parametrize("key", ["_indices_files", "_indices_data_files"])
@pytest.mark.parametrize("at_once", [1, 1_000])
def test_rows_are_those_of_the_indices_in_their_order(tmp_path, monkeypatch, key, at_once):
    monkeypatch.setattr(saved_dataset, "ROWS_AT_ONCE", at_once)
    state = {key: [{"filename": "first.arrow"}, {"filename": "second.arrow"}]}
    state["_data_files"] = [{"filename": "data.arrow"}, {"filename": "more.arrow"}]
    parts = {"data": TABLE.slice(0, 3), "more": TABLE.slice(3)}
    folder = save(
        tmp_path / "d", parts | {"first": indices([3, 1]), "second": indices([1])}, **state
    )
    found = read_sentences(folder)
    assert [sentence.words for sentence in found] == [("e", "f"), ("c",), ("c",)]
    assert found[0].labels == ("O", "O")
    folder = save(folder, {"second": indices([])}, **state)
    assert len(read_sentences(folder, with_labels=False)) == 2


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (indices([4]), "a row number is not one of its 4 rows"),
        (indices([-1], pa.int64()), "a row number is not one of its 4 rows"),
        (indices(["1"], pa.string()), "holds no row numbers"),
        (indices([None]), "holds a row without a number"),
    ],
)
def test_bad_indices_are_refused(tmp_path, table, expected):
    state = {"_indices_files": [{"filename": "rows.arrow"}]}
    folder = save(tmp_path / "d", {"data": TABLE, "rows": table}, **state)
    with pytest.raises(InputError, match=rf"rows\.arrow.*{expected}"):
        read_sentences(folder)
    (folder / "rows.arrow").unlink()
    with pytest.raises(InputError, match=r"lacks 'rows\.arrow'"):
        read_sentences(folder)


def test_what_datasets_writes_of_itself_is_harmless(tmp_path):
    state = {
        "_fingerprint": "x", "_format_columns": ["tokens"], "_format_kwargs": {}, "_info": {},
        "_format_type": "numpy", "_output_all_columns": False, "_indices_data_files": None,
        "_inplace_history": [{"transforms": []}],
    }  # fmt: skip
    assert len(read_sentences(save(tmp_path / "d", {"data": TABLE}, **state))) == 4


@pytest.mark.parametrize("entry", [[1], "data.arrow", None, {}, {"filename": 1}])
def test_what_is_no_file_in_a_state_is_refused(tmp_path, entry):
    folder = save(tmp_path / "d", {"data": TABLE}, _data_files=[entry])
    with pytest.raises(InputError, match=r"state\.json cannot be read"):
        read_sentences(folder)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"_inplace_history": [{"transforms": [["filter", {}]]}]}, "the key '_inplace_history'"),
        ({"_rows": [1]}, "the key '_rows' is not read"),
        ({"_data_files": [{"filename": "data.arrow", "skip": 2, "take": 1}]}, "a file has 'skip'"),
    ],
)
def test_what_is_not_understood_of_a_state_is_refused(tmp_path, state, expected):
    with pytest.raises(InputError, match=rf"{expected}.*flatten_indices"):
        read_sentences(save(tmp_path / "d", {"data": TABLE}, **state))
