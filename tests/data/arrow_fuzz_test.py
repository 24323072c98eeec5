"""Whatever bytes stand in Parquet and Arrow files, they are read whole or refused."""

import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.data.fuzz_checks import check_predictions, check_sentences, check_text
from tests.fuzzing import encoded, fuzz, read_or_refuse
from zsl_jax.data.predictions.parquet_writer import write_predictions
from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.data.text.readers import read_sentences


@pytest.fixture(scope="module")
def parquet(tmp_path_factory):
    """A file of predictions."""
    file = tmp_path_factory.mktemp("valid") / "a.parquet"
    probs = np.array([[0.75, 0.25], [0, 0], [0.5, 0.5]], np.float16)
    labels = np.array([0, -1, 1], np.int32)
    write_predictions(file, SourcePredictions(("O", "X"), labels, probs, (("a", "b"), ("c",))))
    return file.read_bytes()


@fuzz
def test_parquet(parquet, tmp_path, rng):
    data = rng.damaged(parquet)
    check_predictions(tmp_path / "a.parquet", data)
    check_text(tmp_path / "a.parquet", data, False, format="parquet")


LIST_TYPES = (
    pa.list_(pa.string()), pa.list_(pa.string()), pa.large_list(pa.large_string()),
    pa.list_(pa.int64()), pa.string(),
    pa.list_(pa.list_(pa.float64())), pa.list_(pa.float16()), pa.list_(pa.string(), 2),
    pa.list_(pa.binary()), pa.list_(pa.null()), pa.list_(pa.bool_()), pa.list_(pa.decimal128(5)),
    pa.list_(pa.struct([("a", pa.string())])), pa.list_(pa.dictionary(pa.int8(), pa.string())),
)  # fmt: skip
CELLS = (
    ("O", "X"), ("O", "X"), ("O", "X", "", None, "a\tb"), (0, 1), (0, 1, -1, 9, None),
    (0.0, 0.5, 1.0, float("nan"), -1.0, None), ([0.5, 0.5], [1.0, 0.0], [1.0], None),
)  # fmt: skip


def table(rng):
    """A table whose columns have the right names, and mostly other contents than they should."""
    columns = {}
    lengths = [rng.randint(0, 3) for _ in range(rng.randint(0, 3))]
    names = ("words", "tokens", "labels", "tags", "probabilities", "ner_tags", "valid", "text")
    for name in rng.some(names, 5):
        cells = rng.choice(CELLS)
        flat = rng.choice((1, 1, 1, 2))
        values = [rng.choices(cells, k=n * flat) for n in lengths]
        if values and rng.chance(0.2):
            values[0] = rng.choice((None, rng.several(lambda cells=cells: rng.choice(cells))))
        try:
            columns[name] = pa.array(values, rng.choice(LIST_TYPES))
        except (pa.ArrowException, TypeError, ValueError):
            columns[name] = pa.array([["O"] * n for n in lengths], pa.list_(pa.string()))
    return pa.table(columns).replace_schema_metadata(metadata(rng))


def metadata(rng):
    """What stands beside the columns of a file of ours, or of Hugging Face's, or neither."""
    names = rng.choice((["O", "X"], ["X"], ["O", "O"], [], rng.json_value()))
    feature = {"feature": {"names": names, "_type": "ClassLabel"}}
    features = {"tags": feature, "labels": rng.choice((feature, rng.json_value()))}
    about = encoded(rng.choice(({}, rng.json_value())))
    entries = {
        b"zsl_jax.label_names": rng.choice((encoded(names), rng.randbytes(4))),
        b"zsl_jax.about": rng.choice((about, b"[" * 20_000, rng.randbytes(4))),
        b"zsl_jax.format_version": rng.choice((b"1", b"1", b"9", b"", rng.randbytes(2))),
        b"huggingface": rng.choice(
            (json.dumps({"info": {"features": features}}).encode(), rng.randbytes(4))
        ),
    }
    return dict(rng.some(list(entries.items())))


@fuzz
def test_parquet_of_other_types(tmp_path, rng):
    buffer = io.BytesIO()
    try:
        pq.write_table(table(rng), buffer)
    except pa.ArrowException:
        return
    check_predictions(tmp_path / "types.parquet", buffer.getvalue())
    options = {"format": "parquet", "allow_missing": rng.chance(0.3)}
    check_text(tmp_path / "types.parquet", buffer.getvalue(), rng.chance(0.7), **options)


def stream(table):
    buffer = io.BytesIO()
    with pa.ipc.new_stream(buffer, table.schema) as writer:
        writer.write_table(table)
    return buffer.getvalue()


def check_dataset(folder, data, state, with_labels, rows=b""):
    (folder / "rows.arrow").write_bytes(rows)
    (folder / "state.json").write_bytes(state)
    (folder / "data.arrow").write_bytes(data)
    sentences = read_or_refuse(
        lambda path: read_sentences(path, None, with_labels, format="datasets"), folder
    )
    check_sentences(sentences or [], with_labels, "datasets")


STATE = encoded({"_data_files": [{"filename": "data.arrow"}]})
ROWS_STATE = encoded(
    {"_data_files": [{"filename": "data.arrow"}], "_indices_files": [{"filename": "rows.arrow"}]}
)
ROWS = stream(pa.table({"indices": pa.array([1, 0, 1], pa.uint64())}))
TOKENS = stream(pa.table({"tokens": [["a", "b"], ["c"]], "tags": [["O", "X"], ["O"]]}))


@fuzz
def test_dataset_folders(tmp_path, rng):
    data = rng.damaged(TOKENS) if rng.chance(0.5) else stream(table(rng))
    check_dataset(tmp_path, data, STATE, rng.chance(0.5))


def state_object(rng):
    """A state with keys that are read, passed over, or refused."""
    data = rng.json_object({"filename": "data.arrow"}, 0.95) | rng.json_object({"skip": 1}, 0.1)
    rows = rng.json_object({"filename": "rows.arrow"}, 0.95)
    other = {
        "_indices_files": [rows], "_indices_data_files": [rows], "_fingerprint": "x",
        "_format_columns": ["tokens"], "_inplace_history": [{"transforms": []}], "_split": None,
        "_format_kwargs": {}, "_rows": [1],
    }  # fmt: skip
    return rng.json_object({"_data_files": [data]}, 0.95) | rng.json_object(other, 0.2)


@fuzz
def test_dataset_states(tmp_path, rng):
    half = rng.chance(0.5)
    state = rng.damaged(STATE, ROWS_STATE) if half else encoded(state_object(rng))
    check_dataset(tmp_path, TOKENS, state, False, ROWS)


@fuzz
def test_dataset_indices(tmp_path, rng):
    numbers = [rng.randint(-2, 3) if rng.chance(0.3) else rng.randint(0, 1) for _ in range(3)]
    kind = rng.choice((pa.int64(), pa.int32(), pa.float32(), pa.string()))
    column = pa.array(numbers, pa.int64()).cast(kind)
    drawn = stream(pa.table({rng.choice(("indices", "indices", "rows")): column}))
    rows = rng.damaged(ROWS) if rng.chance(0.5) else drawn
    check_dataset(tmp_path, TOKENS, ROWS_STATE, True, rows)
