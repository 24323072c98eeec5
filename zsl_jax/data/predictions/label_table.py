"""Several labellings of one text side by side: what each source, the vote and the tagger give.

A Parquet file of one row per word and one column per labelling: the label's name, null where there
is none. It goes with a file of predictions that holds the words, in the same order.
"""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from jaxtyping import Int

from zsl_jax.atomic_file import atomic_file
from zsl_jax.data.predictions.parquet_writer import LABEL_NAMES_KEY
from zsl_jax.data.text.arrow_files import parquet_schema, parquet_tables
from zsl_jax.errors import InputError

SOURCE = "source:"  # before a source's name, so that it differs from all other columns
TAGGER = "tagger"  # the column of its own labels, without the sources


class LabelTable(NamedTuple):
    """Some words with C labels each.

    Attributes:
      columns: The names of the labellings.
      label_names: V names.
      ids: [N, C], label ids; -1 where there is none.
    """

    columns: tuple[str, ...]
    label_names: tuple[str, ...]
    ids: Int[np.ndarray, "N C"]

    @property
    def sources(self) -> tuple[str, ...]:
        """The names of the sources among the columns."""
        return tuple(c.removeprefix(SOURCE) for c in self.columns if c.startswith(SOURCE))

    def column(self, name: str) -> Int[np.ndarray, " N"]:
        """The label ids of one labelling."""
        return self.ids[:, self.columns.index(name)]


def write_label_tables(
    path: str | os.PathLike[str],
    columns: Sequence[str],
    label_names: Sequence[str],
    blocks: Iterable[LabelTable],
) -> None:
    """Writes labellings block by block; the file appears under its name when it is complete.

    Args:
      path: The Parquet file.
      columns: The names of the labellings, those of all blocks.
      label_names: V names, likewise.
      blocks: The words in order, a row group for each block.

    Raises:
      InputError: The file cannot be written.
    """
    kind = pa.dictionary(pa.int16(), pa.string())
    names = json.dumps(list(label_names), ensure_ascii=False).encode()
    schema = pa.schema([(name, kind) for name in columns], metadata={LABEL_NAMES_KEY: names})
    dictionary = pa.array(label_names, pa.string())
    with (
        atomic_file(path) as part,
        pq.ParquetWriter(part, schema, compression="zstd") as writer,
    ):
        for block in blocks:
            arrays = [
                pa.DictionaryArray.from_arrays(pa.array(ids, pa.int16(), mask=ids < 0), dictionary)
                for ids in block.ids.astype(np.int16).T
            ]
            if len(block.ids):
                writer.write_table(pa.table(arrays, schema=schema))


def read_label_tables(path: str | os.PathLike[str]) -> Iterator[LabelTable]:
    """The labellings in a file of `write_label_tables`, row group by row group.

    Raises:
      InputError: There is no such file, or it is of another kind.
    """
    where = os.fspath(path)
    if not os.path.isfile(path):
        raise InputError(f"there is no file {where}; name the folder of a finished transfer")
    schema = parquet_schema(path)
    try:
        label_names = tuple(map(str, json.loads((schema.metadata or {})[LABEL_NAMES_KEY])))
    except (KeyError, ValueError, TypeError) as error:
        raise InputError(
            f"{where} has no label names in its metadata; run the transfer again"
        ) from error
    columns = tuple(schema.names)
    for table in parquet_tables(path, columns):
        ids = [_ids(table[name].combine_chunks(), label_names) for name in columns]
        yield LabelTable(columns, label_names, np.stack(ids, axis=1))


def _ids(column: pa.Array, label_names: Sequence[str]) -> Int[np.ndarray, " N"]:
    labels = pc.cast(column, pa.string())
    ids = pc.index_in(labels, value_set=pa.array(label_names, pa.string()))
    return pc.fill_null(ids, -1).to_numpy(zero_copy_only=False).astype(np.int32)
