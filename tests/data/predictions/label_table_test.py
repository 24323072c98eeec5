"""Tests of zsl_jax.data.predictions.label_table."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from zsl_jax.data.predictions.label_table import (
    LabelTable,
    read_label_tables,
    write_label_tables,
)
from zsl_jax.errors import InputError

COLUMNS, LABELS = ("source:en", "source:tagger", "tagger"), ("A", "B", "<b>")


def test_every_labelling_comes_back_block_by_block(tmp_path):
    blocks = [
        LabelTable(COLUMNS, LABELS, np.array([[0, -1, 2], [1, 1, 1]])),
        LabelTable(COLUMNS, LABELS, np.empty((0, 3), int)),
        LabelTable(COLUMNS, LABELS, np.array([[-1, -1, -1]])),
    ]
    path = tmp_path / "votes.parquet"
    write_label_tables(path, COLUMNS, LABELS, blocks)
    first, last = read_label_tables(path)
    assert (first.columns, first.label_names) == (COLUMNS, LABELS)
    assert first.ids.tolist() == [[0, -1, 2], [1, 1, 1]] and last.ids.tolist() == [[-1] * 3]
    assert first.sources == ("en", "tagger") and first.column("tagger").tolist() == [2, 1]
    assert pq.read_table(path).to_pylist()[0] == {  # other programs read the labels by name
        "source:en": "A", "source:tagger": None, "tagger": "<b>"
    }  # fmt: skip


def test_files_of_another_kind_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"there is no file .*none\.parquet; name the folder of a"):
        next(read_label_tables(tmp_path / "none.parquet"))
    path = tmp_path / "other.parquet"
    pq.write_table(pa.table({"a": [1]}), path)
    with pytest.raises(InputError, match=r"other\.parquet has no label names in its metadata"):
        next(read_label_tables(path))
    path.write_bytes(b"PAR1")
    with pytest.raises(InputError, match="not a readable Parquet file"):
        next(read_label_tables(path))
