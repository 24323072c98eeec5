"""Text in columns of lists: Parquet files, and folders of Hugging Face `datasets`.

A row is a sentence: a list "words" or "tokens", and a list of labels. Labels are strings, or
numbers whose names stand in the metadata that `datasets` writes into both kinds of files.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from zsl_jax.data.text.arrow_files import (
    check_rows,
    check_text_lists,
    column_values,
    is_list,
    parquet_schema,
    parquet_tables,
)
from zsl_jax.data.text.checks import checked_label, checked_word
from zsl_jax.data.text.json_lines import check_lists, keys_of_lists
from zsl_jax.data.text.read_options import ReadOptions
from zsl_jax.data.text.saved_dataset import dataset_tables, saved_dataset
from zsl_jax.errors import InputError
from zsl_jax.types import Sentence


def read_parquet_text(options: ReadOptions) -> Iterator[Sentence]:
    """Sentences of a Parquet file: ours with predictions, or another with the same columns."""
    schema = parquet_schema(options.name)
    columns = _columns(schema, options)
    yield from _sentences(parquet_tables(options.name, columns), schema, columns, options)


def read_dataset(options: ReadOptions) -> Iterator[Sentence]:
    """Sentences of a folder that `Dataset.save_to_disk` wrote."""
    for file, rows in dataset_tables(saved_dataset(options.name)):
        place = options._replace(name=file)
        columns = _columns(rows.schema, place)
        yield from _sentences([rows], rows.schema, columns, place)


def _columns(schema: pa.Schema, options: ReadOptions) -> list[str]:
    """The names of the words' and, where wanted, the labels' column."""
    check_rows(schema, options.name)
    columns = []
    for names in keys_of_lists(options):
        name = next((name for name in names if name in schema.names), None)
        if name is None:
            found = ", ".join(map(repr, schema.names))
            raise InputError(
                f"{options.name} has no column {' or '.join(names)} but {found}; {options.remedy}"
            )
        columns.append(name)
    check_text_lists(schema, columns[:1], options.name)
    check_lists(options.name, column_values(schema), options)
    return columns


def _sentences(
    tables: Iterable[pa.Table | pa.RecordBatch],
    schema: pa.Schema,
    columns: Sequence[str],
    options: ReadOptions,
) -> Iterator[Sentence]:
    names = _label_names(schema, columns[1], options.name) if options.with_labels else None
    number = 0
    for table in tables:
        lists = [table.column(column).to_pylist() for column in columns]
        for row in zip(*lists, strict=True):
            number += 1
            where = f"{options.name}, sentence {number}"
            if row[0] is None:
                raise InputError(f"{where}: its words are null; leave the row out")
            words = tuple(checked_word(where, word) for word in row[0])
            labels = None
            if options.with_labels:
                labels = _labels(row[1] or (), words, names, where, options.allow_missing)
            yield Sentence(words, labels)


def _labels(
    values: Sequence[Any],
    words: Sequence[str],
    names: Sequence[str] | None,
    where: str,
    allow_missing: bool,
) -> tuple[str, ...]:
    """One label name per word."""
    if len(values) != len(words):
        raise InputError(f"{where}: {len(words)} words but {len(values)} labels; give one per word")
    labels = [value if names is None else _name(value, names, where) for value in values]
    pairs = zip(labels, words, strict=True)
    return tuple(checked_label(where, *pair, allow_missing) for pair in pairs)


def _name(number: int | None, names: Sequence[str], where: str) -> str | None:
    """The name of a numbered label; None for no label, which `datasets` writes as -1."""
    if number is None or number == -1:
        return None
    if not 0 <= number < len(names):
        raise InputError(
            f"{where}: the label number {number} is not one of the {len(names)} that have names in "
            "the metadata; write -1 where a word has no label, and keep the words whole where -100 "
            "marks pieces of them"
        )
    return names[number]


def _label_names(schema: pa.Schema, column: str, where: str) -> tuple[str, ...] | None:
    """The names of numbered labels; None for labels that are strings."""
    kind = schema.field(column).type if schema.names.count(column) == 1 else pa.null()
    if not is_list(kind) or not pa.types.is_integer(kind.value_type):
        check_text_lists(schema, [column], where)
        return None
    try:
        about = json.loads((schema.metadata or {})[b"huggingface"])
        feature = about["info"]["features"][column]
        feature = feature[0] if isinstance(feature, list) else feature.get("feature", feature)
        names = tuple(feature["names"])
        if all(isinstance(name, str) for name in names):
            return names
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        pass  # no metadata of that kind
    raise InputError(
        f"{where}: the column {column!r} holds numbers whose names are not in the metadata; write "
        "the names of the labels, or save the dataset with a ClassLabel feature"
    )
