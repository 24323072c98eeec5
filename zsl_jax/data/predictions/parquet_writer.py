"""Writes the predictions of a source as Parquet: one row per sentence, one row group per block.

Columns: `words` (list of strings), `labels` (list of strings, null where the source abstains) and,
where there are any, `probabilities` (list of float16: the words' rows of K numbers one after the
other). The label names, the version of the format and, as a JSON object, notes on the
predictions ("zsl_jax.about") are in the schema's metadata.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from zsl_jax.atomic_file import atomic_file, is_standard_output
from zsl_jax.data.predictions.source_predictions import (
    SourcePredictions,
    check_label_names,
    check_probs,
)
from zsl_jax.data.text.compact_text import CompactWords
from zsl_jax.errors import InputError

FORMAT_VERSION = 1
LABEL_NAMES_KEY = b"zsl_jax.label_names"
VERSION_KEY = b"zsl_jax.format_version"
ABOUT_KEY = b"zsl_jax.about"
SENTENCES_PER_ROW_GROUP = 4096


def write_predictions(path: str | os.PathLike[str], predictions: SourcePredictions) -> None:
    """Writes the predictions for a whole corpus; see `write_prediction_blocks`.

    Args:
      path: The Parquet file.
      predictions: A source's predictions; `read_predictions` returns them.

    Raises:
      InputError: They could not be read again, or as `write_prediction_blocks`.
    """
    if not isinstance(predictions, SourcePredictions):
        raise InputError(
            f"{predictions!r:.80} is not SourcePredictions; give these, such as the `predictions` "
            "of an aggregation's result"
        )
    with_probs = predictions.probs is not None
    where = f"the predictions for {os.fspath(path)}"
    check_label_names(predictions.label_names, where)
    blocks = _blocks(predictions, where)
    write_prediction_blocks(path, predictions.label_names, blocks, with_probs, predictions.about)


def write_prediction_blocks(
    path: str | os.PathLike[str],
    label_names: Sequence[str],
    blocks: Iterable[SourcePredictions],
    with_probs: bool = True,
    about: Mapping[str, Any] | None = None,
) -> None:
    """Writes predictions block by block, so that only one block need be in memory.

    The file appears under its name when it is complete, and not at all if a block raises.

    Args:
      path: The Parquet file.
      label_names: The source's K label names.
      blocks: The predictions for some sentences each, put into row groups of at most
        `SENTENCES_PER_ROW_GROUP`.
      with_probs: Whether the blocks carry probabilities.
      about: Notes on the predictions, in plain values.

    Raises:
      InputError: If there is no folder for the file, it is the standard output, or it cannot be
        written.
    """
    target = Path(path)
    if is_standard_output(path):
        raise InputError("Parquet cannot go to the standard output; name a file, or conll or jsonl")
    if not target.parent.is_dir():
        raise InputError(f"there is no folder {target.parent} for {target.name}; create it first")
    schema = _schema(label_names, with_probs, about or {})
    with (
        atomic_file(target) as part,
        pq.ParquetWriter(
            part,
            schema,
            compression="zstd",
            use_dictionary=["words.list.element", "labels.list.element"],
            use_byte_stream_split=["probabilities.list.element"] if with_probs else False,
        ) as writer,
    ):
        for block in blocks:
            if tuple(block.label_names) != tuple(label_names):
                raise ValueError("the blocks of one file need the label names of the file")
            writer.write_table(_table(block, schema), row_group_size=SENTENCES_PER_ROW_GROUP)


def _blocks(predictions: SourcePredictions, where: str) -> Iterator[SourcePredictions]:
    """Cuts predictions into blocks of sentences, each checked."""
    words, labels = CompactWords.of(predictions.words), np.asarray(predictions.labels)
    probs = None if predictions.probs is None else np.asarray(predictions.probs)
    ends, num_labels = np.cumsum(np.insert(words.lengths, 0, 0)), len(predictions.label_names)
    if labels.shape != (ends[-1],) or labels.dtype.kind not in "iu":
        raise InputError(
            f"{where}: {ends[-1]} words, but {labels.dtype} {labels.shape} labels; give one label "
            "id for each word"
        )
    if labels.size and labels.max() >= num_labels:
        raise InputError(
            f"{where}: the label id {labels.max()} is that of none of {num_labels} label names; "
            "correct it"
        )
    if probs is not None and probs.shape != (ends[-1], num_labels):
        raise InputError(
            f"{where}: {ends[-1]} words and {num_labels} label names, but {probs.shape} "
            "probabilities; give one for each word and label"
        )
    for first in range(0, len(words), SENTENCES_PER_ROW_GROUP):
        last = min(first + SENTENCES_PER_ROW_GROUP, len(words))
        rows = slice(ends[first], ends[last])
        block = predictions._replace(
            labels=labels[rows],
            probs=None if probs is None else probs[rows],
            words=words[first:last],
        )
        if block.probs is not None:
            check_probs(block.probs, block.words, where, first + 1)
        yield block


def _schema(label_names: Sequence[str], with_probs: bool, about: Mapping[str, Any]) -> pa.Schema:
    """The columns, with label names, format version and `about` as metadata."""
    fields = [("words", pa.list_(pa.string())), ("labels", pa.list_(pa.string()))]
    if with_probs:
        fields.append(("probabilities", pa.list_(pa.float16())))
    return pa.schema(
        fields,
        metadata={
            LABEL_NAMES_KEY: json.dumps(list(label_names), ensure_ascii=False).encode(),
            VERSION_KEY: str(FORMAT_VERSION).encode(),
            **({ABOUT_KEY: json.dumps(dict(about), ensure_ascii=False).encode()} if about else {}),
        },
    )


def _table(block: SourcePredictions, schema: pa.Schema) -> pa.Table:
    """One block as an Arrow table of one row per sentence."""
    names = pa.array(block.label_names, pa.string())
    words = CompactWords.of(block.words)
    offsets = np.cumsum(np.insert(words.lengths, 0, 0)).astype(np.int32)
    labels = np.asarray(block.labels)
    if len(labels) != offsets[-1]:
        raise ValueError(f"{offsets[-1]} words, but {len(labels)} labels")
    label_ids = pa.array(labels, pa.int32(), mask=labels < 0)
    columns = {
        "words": pa.ListArray.from_arrays(pa.array(offsets), words.flat.cast(pa.string())),
        "labels": pa.ListArray.from_arrays(pa.array(offsets), names.take(label_ids)),
    }
    if "probabilities" in schema.names:
        width = len(block.label_names)
        if block.probs is None or block.probs.shape != (len(labels), width):
            raise ValueError(f"{len(labels)} words, but no [{len(labels)}, {width}] probabilities")
        flat = pa.array(np.asarray(block.probs, dtype=np.float16).reshape(-1))
        columns["probabilities"] = pa.ListArray.from_arrays(pa.array(offsets * width), flat)
    return pa.table(columns, schema=schema)
