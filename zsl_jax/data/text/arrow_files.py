"""Opens Parquet and Arrow files so that nothing in them is trusted before it is checked."""

import os
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from zsl_jax.errors import InputError

# What one row group may unpack to; the file's own figures are compared before anything is read.
MOST_BYTES = 1 << 32
MOST_VALUES = 1 << 29

# How a table with a word per row is turned into a file that is read as text and as predictions.
ROWS_INTO_SENTENCES = (
    "write one sentence per row, in pandas by "
    'frame.groupby("sentence", sort=False).agg(words=("word", list), labels=("label", list))'
    '.to_json("NEW.jsonl", orient="records", lines=True)'
)

UNREADABLE = (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError)


def parquet_schema(path: str | os.PathLike[str]) -> pa.Schema:
    """The columns and metadata of a Parquet file.

    Raises:
      InputError: The file is of another kind, or damaged.
    """
    try:
        with pq.ParquetFile(path) as file:
            return _named(file.schema_arrow)
    except UNREADABLE as error:
        raise unreadable(os.fspath(path), "Parquet file", error) from error


def parquet_tables(path: str | os.PathLike[str], columns: Sequence[str]) -> Iterator[pa.Table]:
    """The row groups of a Parquet file, validated.

    The file is decoded twice, the first time in constant memory and without a result: PyArrow ends
    the process if it is asked for the sizes of a column whose metadata are damaged.

    Args:
      path: The file.
      columns: The columns that are read; others stay on the disk.

    Raises:
      InputError: The file is damaged, or a row group would unpack to more than `MOST_BYTES` bytes
        or `MOST_VALUES` values.
    """
    name = os.fspath(path)
    try:
        with pq.ParquetFile(path) as file:
            file.scan_contents()
            for group in range(file.num_row_groups):
                _check_size(file.metadata.row_group(group), name)
                table = file.read_row_group(group, columns=list(columns))
                table.validate(full=True)
                yield table
    except InputError:
        raise
    except UNREADABLE as error:
        raise unreadable(name, "Parquet file", error) from error


def _check_size(group: Any, name: str) -> None:
    columns = [group.column(place) for place in range(group.num_columns)]
    sizes = [column.total_uncompressed_size for column in columns]
    counts = [column.num_values for column in columns]
    if min([0, group.num_rows, *sizes, *counts]) < 0:
        raise InputError(f"{name} gives negative sizes; write it again")
    if sum(sizes) > MOST_BYTES or max([group.num_rows, *counts]) > MOST_VALUES:
        raise InputError(
            f"{name}: a row group unpacks to {sum(sizes):,} bytes, {max([0, *counts]):,} values; "
            f"write row groups of at most {MOST_BYTES:,} bytes and {MOST_VALUES:,} values"
        )


def arrow_batches(path: str) -> Iterator[pa.RecordBatch]:
    """The record batches of an Arrow stream, validated; the file is memory-mapped.

    Raises:
      InputError: The file is of another kind, or damaged.
    """
    try:
        with pa.memory_map(path) as source, pa.ipc.open_stream(source) as stream:
            _named(stream.schema)
            for batch in stream:
                batch.validate(full=True)
                yield batch
    except UNREADABLE as error:
        raise unreadable(path, "Arrow stream", error) from error


def _named(schema: pa.Schema) -> pa.Schema:
    """The schema; UnicodeDecodeError if the name of a column is not text."""
    list(schema.names)
    return schema


def unreadable(name: str, kind: str, error: Exception) -> InputError:
    """The error of a file that Arrow cannot read."""
    reason = " ".join(str(error).split())  # Arrow's messages may have several lines
    return InputError(f"{name} is not a readable {kind} ({reason}); write it again")


def is_list(kind: pa.DataType) -> bool:
    """Whether a type is one of Arrow's lists."""
    return bool(
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )


def column_values(schema: pa.Schema) -> dict[str, Any]:
    """The names of columns, each with a value of its kind: a list, an object, or a plain one."""
    return {field.name: _value_of(field.type) for field in schema}


def _value_of(kind: pa.DataType) -> Any:
    if is_list(kind):
        return [""]
    if pa.types.is_nested(kind):
        return {"": ""}
    return "value" if is_text(kind) else 1


def is_text(kind: pa.DataType) -> bool:
    """Whether a type is one of Arrow's strings, perhaps behind a dictionary."""
    if pa.types.is_dictionary(kind):
        return is_text(kind.value_type)
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def check_rows(schema: pa.Schema, where: str) -> None:
    """Checks that there is a list in each row, as there is if a row is a sentence.

    Raises:
      InputError: No column holds lists.
    """
    if not any(map(is_list, schema.types)):
        found = ", ".join(map(repr, schema.names)) or "none"
        raise InputError(f"{where} has no column of lists but {found}; {ROWS_INTO_SENTENCES}")


def check_text_lists(schema: pa.Schema, names: Sequence[str], where: str) -> None:
    """Checks that columns are there, once each, and hold one list of strings per sentence.

    Raises:
      InputError: At the first column that does not.
    """
    for name in names:
        if schema.names.count(name) != 1:
            raise InputError(f"{where} has no column {name!r}: write it with the other columns")
        kind = schema.field(name).type
        if not is_list(kind):
            raise InputError(
                f"{where}: the column {name!r} must hold one list per sentence; "
                f"{ROWS_INTO_SENTENCES}"
            )
        if not (is_text(kind.value_type) or pa.types.is_null(kind.value_type)):
            raise InputError(
                f"{where}: the column {name!r} must hold lists of strings; write words and the "
                "names of labels as text"
            )
