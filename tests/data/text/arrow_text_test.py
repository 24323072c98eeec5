import json
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from zsl_jax.data.predictions.prediction_files import read_predictions
from zsl_jax.data.text import arrow_files
from zsl_jax.data.text.readers import read_sentences
from zsl_jax.errors import InputError
from zsl_jax.types import Sentence

ROWS = {"tokens": [["Anna", "sings"], ["#"]], "ner_tags": [[1, 0], [0]]}
EXPECTED = [Sentence(("Anna", "sings"), ("B-PER", "O")), Sentence(("#",), ("O",))]


def numbered(rows=ROWS, names=("O", "B-PER"), newer=True):
    """A table as `datasets` writes it, with the names of numbered labels in its metadata."""
    label = {"names": list(names), "_type": "ClassLabel"}
    feature = {"feature": label, "_type": "List"} if newer else [label]
    about = {"info": {"features": {"ner_tags": feature}}}
    return pa.table(rows).replace_schema_metadata({"huggingface": json.dumps(about)})


def save_dataset(folder, *tables):
    """A folder as `save_to_disk` leaves it, each table a file."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"data-{n:05d}-of-{len(tables):05d}.arrow" for n in range(len(tables))]
    for name, table in zip(names, tables, strict=True):
        with (
            pa.OSFile(str(folder / name), "wb") as sink,
            pa.ipc.new_stream(sink, table.schema) as writer,
        ):
            writer.write_table(table)
    state = {"_data_files": [{"filename": name} for name in names], "_split": "train"}
    (folder / "state.json").write_text(json.dumps(state), encoding="utf-8")
    return folder


def save_parquet(path, table):
    pq.write_table(table, path, row_group_size=1)
    return path


@pytest.mark.parametrize("newer", [True, False])
def test_numbered_labels(tmp_path, newer):
    table = numbered(newer=newer)
    assert read_sentences(save_parquet(tmp_path / "a.parquet", table)) == EXPECTED
    folder = save_dataset(tmp_path / "saved", table.slice(0, 1), table.slice(1))
    assert read_sentences(folder) == EXPECTED
    assert read_sentences(folder, with_labels=False)[0] == Sentence(("Anna", "sings"))


def test_named_labels_and_our_predictions(tmp_path):
    table = pa.table({"words": [["Anna", "x"]], "labels": [["B-PER", None]], "pos": [["N", "V"]]})
    path = save_parquet(tmp_path / "a.parquet", table)
    assert read_sentences(path, allow_missing=True)[0].labels == ("B-PER", "_")
    assert read_sentences(path, "pos")[0].labels == ("N", "V")
    with pytest.raises(InputError, match=r"a\.parquet, sentence 1: the word 'x' has no label"):
        read_sentences(path)
    keys = {"zsl_jax.label_names": '["B-PER"]'}
    save_parquet(path, table.replace_schema_metadata(keys))
    assert read_predictions(path).words == (read_sentences(path, "pos")[0].words,)


def test_a_dataset_of_several_splits_asks_for_one(tmp_path):
    save_dataset(tmp_path / "d" / "train", numbered())
    (tmp_path / "d" / "dataset_dict.json").write_text('{"splits": ["train"]}', encoding="utf-8")
    with pytest.raises(InputError, match=r"several splits \(train\); name one, such as .*d/train"):
        read_sentences(tmp_path / "d")
    assert read_sentences(tmp_path / "d" / "train") == EXPECTED


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (numbered(names=["O"]), "sentence 1: the label number 1 is not one of the 1"),
        (
            numbered({**ROWS, "ner_tags": [[1, -100], [0]]}),
            "sentence 1: the label number -100 .*; write -1 where .* where -100 marks pieces",
        ),
        (pa.table(ROWS), "'ner_tags' holds numbers whose names are not in the metadata"),
        (numbered({**ROWS, "ner_tags": [[1], [0]]}), "sentence 1: 2 words but 1 labels"),
        (numbered({**ROWS, "ner_tags": [None, [0]]}), "sentence 1: 2 words but 0 labels"),
        (numbered({**ROWS, "ner_tags": [[1, -1], [0]]}), "the word 'sings' has no label"),
        (numbered({**ROWS, "tokens": [["a", None], ["b"]]}), "sentence 1: a word is empty"),
        (numbered({**ROWS, "tokens": [["a", "b"], None]}), "sentence 2: its words are null"),
        (
            pa.table({"tokens": [[1]], "tags": [["O"]]}),
            "'tokens' must hold lists of strings; write",
        ),
        (pa.table({"tokens": ["a"], "tags": [["O"]]}), "'tokens' must hold one list per sentence"),
        (pa.table({"tokens": [["a"]]}), "has no column labels or tags or ner_tags but 'tokens'"),
        (pa.table({"tags": [["a"]]}), "has no column words or tokens"),
        (
            pa.table({"sentence": [1], "word": ["a"], "label": ["O"]}),
            "has no column of lists but 'sentence', 'word', 'label'; write one sentence per row, i",
        ),
        (
            pa.table({"words": ["a"], "tags": [["O"]], "sentence": [1]}),
            "'words' must hold one list per sentence; write one sentence per row",
        ),
    ],
)
def test_bad_tables_are_located(tmp_path, table, expected):
    path = save_parquet(tmp_path / "a.parquet", table)
    folder = save_dataset(tmp_path / "saved", table)
    for place in (path, folder):
        with pytest.raises(InputError, match=expected) as caught:
            read_sentences(place)
        assert str(place) in str(caught.value)


def test_sizes_are_checked_before_anything_is_read(tmp_path, monkeypatch):
    path = save_parquet(tmp_path / "a.parquet", pa.table({"words": [["a"] * 5000]}))
    monkeypatch.setattr(arrow_files, "MOST_VALUES", 5000)
    assert len(read_sentences(path, with_labels=False)[0].words) == 5000
    monkeypatch.setattr(pq.ParquetFile, "read_row_group", lambda *_, **__: pytest.fail("read"))
    monkeypatch.setattr(arrow_files, "MOST_VALUES", 4999)
    with pytest.raises(InputError, match="5,000 values; write row groups of at most"):
        read_sentences(path, with_labels=False)
    monkeypatch.setattr(arrow_files, "MOST_BYTES", 10)
    with pytest.raises(InputError, match="a row group unpacks to"):
        read_sentences(path, with_labels=False)


def test_a_few_bytes_that_stand_for_many_words_are_refused(tmp_path, monkeypatch):
    count = 20_000_000
    indices = pa.Array.from_buffers(pa.int8(), count, [None, pa.py_buffer(bytes(count))])
    words = pa.DictionaryArray.from_arrays(indices, ["a"])
    lists = pa.ListArray.from_arrays(pa.array([0, count], pa.int32()), words)
    path = save_parquet(tmp_path / "a.parquet", pa.table({"words": lists}))
    assert path.stat().st_size < 2000
    monkeypatch.setattr(arrow_files, "MOST_VALUES", count - 1)
    held = pa.total_allocated_bytes()
    with pytest.raises(InputError, match="20,000,000 values"):
        read_sentences(path, with_labels=False)
    assert pa.total_allocated_bytes() - held < 1 << 20


def test_damaged_sizes_of_a_column_do_not_end_the_process(tmp_path):
    path = save_parquet(tmp_path / "a.parquet", pa.table({"words": [["a", "b"]]}))
    data = path.read_bytes()
    code = f"""
from zsl_jax.data.text.readers import read_sentences
from zsl_jax.errors import InputError
data = {data!r}
for place in range(4, len(data)):
    for value in (0, 1, 21, 22, 25, 28, 255):
        open({str(path)!r}, "wb").write(data[:place] + bytes([value]) + data[place + 1 :])
        try:
            read_sentences({str(path)!r}, with_labels=False)
        except InputError:
            pass
print("alive")"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.stdout == "alive\n", done.stderr


def test_damaged_and_mistaken_folders(tmp_path):
    with pytest.raises(InputError, match=r"is a folder.*by a quoted glob"):
        read_sentences(tmp_path)
    with pytest.raises(InputError, match="is not a file of the format parquet"):
        read_sentences(save_dataset(tmp_path / "d", numbered()), format="parquet")
    with pytest.raises(InputError, match="is not a folder of the format datasets"):
        read_sentences(save_parquet(tmp_path / "a.parquet", numbered()), format="datasets")
    next((tmp_path / "d").glob("*.arrow")).rename(tmp_path / "d" / "other")
    with pytest.raises(InputError, match=r"lacks 'data-00000-of-00001\.arrow'"):
        read_sentences(tmp_path / "d")
    state = {"_data_files": [{"filename": "x" * 5000}]}
    (tmp_path / "d" / "state.json").write_text(json.dumps(state), encoding="utf-8")
    with pytest.raises(InputError, match="lacks 'xxx"):
        read_sentences(tmp_path / "d")
    (tmp_path / "d" / "state.json").write_text("[]", encoding="utf-8")
    with pytest.raises(InputError, match=r"state\.json cannot be read"):
        read_sentences(tmp_path / "d")


def test_column_names_that_are_no_text(tmp_path):
    folder = save_dataset(tmp_path / "d", pa.table({"tokens": [["a"]], "XYZ": [1], "a\nb": [1]}))
    with pytest.raises(InputError, match=r"but 'tokens', 'XYZ', 'a\\nb'; name"):
        read_sentences(folder)
    (file,) = folder.glob("*.arrow")
    file.write_bytes(file.read_bytes().replace(b"XYZ", b"X\xffZ"))
    with pytest.raises(InputError, match="is not a readable Arrow stream"):
        read_sentences(folder)


def test_what_the_package_itself_writes(tmp_path):
    datasets = pytest.importorskip("datasets", reason="the package datasets is not installed")
    label = datasets.Sequence(datasets.ClassLabel(names=["O", "B-PER"]))
    features = {"tokens": datasets.Sequence(datasets.Value("string")), "ner_tags": label}
    made = datasets.Dataset.from_dict(ROWS, features=datasets.Features(features))
    made.save_to_disk(tmp_path / "one", num_shards=2)
    assert read_sentences(tmp_path / "one") == EXPECTED
    made.select([1]).save_to_disk(tmp_path / "two")
    assert read_sentences(tmp_path / "two") == EXPECTED[1:]
    made.to_parquet(tmp_path / "a.parquet")
    assert read_sentences(tmp_path / "a.parquet") == EXPECTED
    datasets.DatasetDict({"train": made}).save_to_disk(tmp_path / "dict")
    assert read_sentences(tmp_path / "dict" / "train") == EXPECTED
