"""Reads the predictions of a source from a Parquet file and checks them."""

import json
import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Float, Int

from zsl_jax.data.predictions.memmap import to_memmap
from zsl_jax.data.predictions.parquet_writer import (
    ABOUT_KEY,
    FORMAT_VERSION,
    LABEL_NAMES_KEY,
    VERSION_KEY,
)
from zsl_jax.data.predictions.source_predictions import (
    SourcePredictions,
    check_label_names,
    check_lengths,
    check_probs,
    join_predictions,
    place_of_word,
)
from zsl_jax.data.predictions.unspecified import without_unspecified
from zsl_jax.data.text.arrow_files import (
    check_rows,
    check_text_lists,
    column_values,
    is_list,
    parquet_schema,
    parquet_tables,
)
from zsl_jax.data.text.checks import MISSING_LABEL
from zsl_jax.data.text.compact_text import CompactWords
from zsl_jax.data.text.known_keys import check_keys
from zsl_jax.errors import InputError


def read_parquet(
    path: str | os.PathLike[str], folder: str | os.PathLike[str] | None = None
) -> SourcePredictions:
    """Reads the predictions that `write_predictions` wrote.

    Files of other programs will do if they have the columns and the metadata; their probabilities
    may be of any floating type, and may be lists of one list per word.

    Args:
      path: The Parquet file.
      folder: Where the probabilities go while they are needed, see `to_memmap`; row group by row
        group, so that they are never in memory as a whole. None keeps them in memory.

    Returns:
      The predictions, checked.

    Raises:
      InputError: If the file is of another kind or contradicts itself.
    """
    head = parquet_head(path)
    blocks = [head._replace(probs=None)]

    def probs() -> Iterator[np.ndarray]:
        """The probabilities of each row group, whose other columns go to `blocks`."""
        for block in stream_parquet(path):
            blocks.append(block._replace(probs=None))
            if block.probs is not None:
                yield block.probs

    stored = to_memmap(probs(), (len(head.label_names),), folder)
    return join_predictions(blocks)._replace(probs=None if head.probs is None else stored)


def parquet_head(path: str | os.PathLike[str]) -> SourcePredictions:
    """A file of predictions as `read_parquet` reads it, without its sentences."""
    where = os.fspath(path)
    schema, label_names, columns = _checked_schema(where)
    empty = _block(schema.empty_table().select(columns), label_names, where, 1)
    return empty._replace(about=_about(schema, where))


def stream_parquet(path: str | os.PathLike[str]) -> Iterator[SourcePredictions]:
    """The predictions of a file as `read_parquet` reads it, row group by row group."""
    where = os.fspath(path)
    _, label_names, columns = _checked_schema(where)
    sentence = 1
    for table in parquet_tables(path, columns):
        yield _block(table, label_names, where, sentence)
        sentence += table.num_rows


def _checked_schema(where: str) -> tuple[pa.Schema, tuple[str, ...], list[str]]:
    """The schema, the label names in it, and the columns that are read."""
    schema = parquet_schema(where)
    label_names = _label_names(schema, where)
    check_keys(where, column_values(schema), ("words", "labels", "probabilities", "comments"))
    columns = [name for name in ("words", "labels", "probabilities") if name in schema.names]
    return schema, label_names, columns


def _about(schema: pa.Schema, where: str) -> dict[str, Any]:
    """The `about` of the predictions, from the metadata."""
    try:
        about = json.loads((schema.metadata or {}).get(ABOUT_KEY, b"{}"))
    except (ValueError, RecursionError):
        about = None
    if not isinstance(about, dict):
        key = ABOUT_KEY.decode()
        raise InputError(f"{where}: its metadata {key!r} are not a JSON object; write one or none")
    return about


def _label_names(schema: pa.Schema, where: str) -> tuple[str, ...]:
    """The label names in the metadata; checks the version and the columns on the way."""
    check_rows(schema, where)
    check_text_lists(schema, ("words", "labels"), where)
    if schema.names.count("probabilities") > 1 or (
        "probabilities" in schema.names and not is_list(schema.field("probabilities").type)
    ):
        raise InputError(
            f"{where}: the column 'probabilities' must occur once and hold one list per sentence; "
            "write the numbers of all words of a sentence into a list"
        )
    metadata: dict[bytes, bytes] = schema.metadata or {}
    if LABEL_NAMES_KEY not in metadata:
        key = LABEL_NAMES_KEY.decode()
        raise InputError(f"{where} has no label names: put a JSON list into its metadata {key!r}")
    version = metadata.get(VERSION_KEY, b"1").decode(errors="replace")
    if version != str(FORMAT_VERSION):
        raise InputError(
            f"{where} is of format version {version!r}, but this program reads version "
            f"{FORMAT_VERSION}: update zsl_jax or write the file again"
        )
    try:
        label_names = json.loads(metadata[LABEL_NAMES_KEY])
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: its label names are not JSON ({error}); write a list") from (
            error
        )
    if not isinstance(label_names, list):
        raise InputError(f"{where}: its label names are not a JSON list; write one")
    check_label_names(label_names, where)
    return tuple(label_names)


def _lengths(column: pa.Array) -> Int[np.ndarray, " S"]:
    """The length of each list; 0 for a null."""
    lengths = pc.fill_null(pc.list_value_length(column), 0)
    return lengths.to_numpy(zero_copy_only=False).astype(np.int64)


def _block(
    table: pa.Table, label_names: tuple[str, ...], where: str, first_sentence: int
) -> SourcePredictions:
    """One row group as predictions, checked."""
    columns = {name: table[name].combine_chunks() for name in table.column_names}
    num_words = _lengths(columns["words"])
    try:
        words = CompactWords.of_lists(columns["words"])
    except ValueError as error:
        raise InputError(f"{where}: {error}; write the words of the text as strings") from error
    _check_filled(columns["labels"], where, first_sentence)
    check_lengths(num_words, _lengths(columns["labels"]), "labels", where, first_sentence)
    labels = _label_ids(columns["labels"], label_names, words, where, first_sentence)
    probs = None
    if "probabilities" in columns:
        values, size = columns["probabilities"], len(label_names)
        probs = _probs(values, num_words, size, words, where, first_sentence)
        check_probs(probs, words, where, first_sentence)
    names, labels, probs = without_unspecified(label_names, labels, probs)
    probs = None if probs is None else probs.astype(np.float16, copy=False)
    return SourcePredictions(names, labels, probs, words)


def _check_filled(column: pa.Array, where: str, first_sentence: int) -> None:
    """Raises if a sentence has null in place of its labels."""
    missing = pc.index(pc.is_null(column), True).as_py()
    if missing >= 0:
        raise InputError(
            f"{where}, sentence {missing + first_sentence}: its labels are null; write a list with "
            "null for each word on which the source abstains"
        )


def _label_ids(
    column: pa.Array,
    label_names: tuple[str, ...],
    words: Sequence[tuple[str, ...]],
    where: str,
    first_sentence: int,
) -> Int[np.ndarray, " N"]:
    """The labels' ids, -1 for null, "" and "_"."""
    labels = pc.cast(column.flatten(), pa.string())
    for missing in ("", MISSING_LABEL):
        labels = pc.if_else(pc.equal(labels, missing), pa.scalar(None, pa.string()), labels)
    ids = pc.index_in(labels, value_set=pa.array(label_names, pa.string()))
    unknown = pc.and_(pc.is_null(ids), pc.is_valid(labels))
    first = pc.index(unknown, True).as_py()
    if first >= 0:
        raise InputError(
            f"{place_of_word(words, first, where, first_sentence)}: the label "
            f"{labels[first].as_py()!r} is not one of the file's label names "
            f"{', '.join(label_names)}; correct it or add it to the metadata"
        )
    return pc.fill_null(ids, -1).to_numpy(zero_copy_only=False).astype(np.int32, copy=False)


def _probs(
    column: pa.Array,
    num_words: Int[np.ndarray, " S"],
    width: int,
    words: Sequence[tuple[str, ...]],
    where: str,
    first_sentence: int,
) -> Float[np.ndarray, "N K"]:
    """All rows of probabilities, one per word; not copied where the file holds one flat list."""
    values = column.flatten()
    if is_list(values.type):
        what = "rows of probabilities"
        check_lengths(num_words, _lengths(column), what, where, first_sentence)
        widths = _lengths(values)
        wrong = np.flatnonzero(widths != width)
        if wrong.size:
            raise InputError(
                f"{place_of_word(words, int(wrong[0]), where, first_sentence)}: "
                f"{widths[wrong[0]]} probabilities; give {width}, one for each label name"
            )
        values = values.flatten()
    else:
        what = f"probabilities ({width} per word)"
        check_lengths(num_words * width, _lengths(column), what, where, first_sentence)
    if not pa.types.is_floating(values.type):
        raise InputError(
            f"{where}: the probabilities are of the type {values.type}; write floating-point "
            "numbers"
        )
    return values.to_numpy(zero_copy_only=False).reshape(int(num_words.sum()), width)
