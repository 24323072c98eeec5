"""Folders that `save_to_disk` of Hugging Face `datasets` wrote: Arrow files and lists of rows."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from zsl_jax.data.text.arrow_files import UNREADABLE, arrow_batches, unreadable
from zsl_jax.errors import InputError

ROWS_AT_ONCE = 1_000
_INDICES_KEYS = ("_indices_files", "_indices_data_files")
# What a dataset shows of itself, and where it comes from.
_HARMLESS = (
    "_data_files",
    *_INDICES_KEYS,
    "_fingerprint",
    "_format_columns",
    "_format_kwargs",
    "_format_type",
    "_output_all_columns",
    "_split",
    "_info",
)
_SAVE = "load the dataset and save it again, with flatten_indices() before save_to_disk()"


class SavedDataset(NamedTuple):
    """The files of a folder, and those that list which of their rows belong to the dataset."""

    files: list[str]
    indices: list[str]


def saved_dataset(folder: str) -> SavedDataset:
    """The Arrow files of a folder.

    Raises:
      InputError: It holds several splits, its state.json names no files in it, or holds something
        that is not understood.
    """
    splits = Path(folder, "dataset_dict.json")
    if splits.is_file():
        found = sorted(file.parent.name for file in Path(folder).glob("*/state.json"))
        raise InputError(
            f"{folder} holds several splits ({', '.join(found)}); name one, such as "
            f"{Path(folder, found[0] if found else 'train')}"
        )
    path = Path(folder, "state.json")
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
        files = _names(folder, state["_data_files"])
        listed = [entry for key in _INDICES_KEYS for entry in state.get(key) or []]
        indices = _names(folder, listed)
    except InputError:
        raise
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InputError(f"{path} cannot be read ({error}); save the dataset again") from error
    unknown = next((key for key in state if state[key] and key not in _HARMLESS), None)
    if unknown is not None and not _is_without_transforms(state[unknown]):
        raise InputError(f"{path}: the key {unknown!r} is not read; {_SAVE}")
    present = {file.name for file in Path(folder).iterdir()}
    named = [Path(name).name for name in (*files, *indices)]
    missing = [repr(name) for name in named if name not in present]
    if missing or not files:
        raise InputError(f"{folder} lacks {', '.join(missing) or 'data files'}; save it again")
    return SavedDataset(files, indices)


def _names(folder: str, entries: list[dict[str, Any]]) -> list[str]:
    """The paths of files that a state names; they lie in the folder."""
    for entry in entries:
        if not isinstance(entry, dict):
            raise TypeError(f"{entry!r} is not a file")
        other = next((key for key in entry if key != "filename" and entry[key] is not None), None)
        if other is not None:
            raise InputError(f"{folder}: a file has {other!r}, which is not read; {_SAVE}")
    return [str(Path(folder, Path(entry["filename"]).name)) for entry in entries]


def _is_without_transforms(value: Any) -> bool:
    """Whether a value is the empty history that early versions wrote."""
    return isinstance(value, list) and all(entry == {"transforms": []} for entry in value)


def dataset_tables(dataset: SavedDataset) -> Iterator[tuple[str, pa.Table | pa.RecordBatch]]:
    """The rows of a dataset, some at a time, each with the file that they are in.

    Raises:
      InputError: A file is damaged, or an index is not that of a row.
    """
    if not dataset.indices:
        for file in dataset.files:
            yield from ((file, batch) for batch in arrow_batches(file))
        return
    batches = [batch for file in dataset.files for batch in arrow_batches(file)]
    chosen = np.concatenate([_indices(file) for file in dataset.indices])
    where = dataset.indices[0]
    try:
        whole = pa.Table.from_batches(batches)
        if len(chosen) and not 0 <= chosen.min() <= chosen.max() < whole.num_rows:
            raise InputError(
                f"{where}: a row number is not one of its {whole.num_rows} rows; save the dataset "
                "again"
            )
        for start in range(0, len(chosen), ROWS_AT_ONCE):
            yield dataset.files[0], whole.take(pa.array(chosen[start : start + ROWS_AT_ONCE]))
    except UNREADABLE as error:
        if isinstance(error, InputError):
            raise
        raise unreadable(where, "list of rows", error) from error


def _indices(file: str) -> np.ndarray:
    """The rows that one file names."""
    found = []
    for batch in arrow_batches(file):
        if batch.num_columns != 1 or not pa.types.is_integer(batch.schema.field(0).type):
            raise InputError(f"{file} holds no row numbers; {_SAVE}")
        if batch.column(0).null_count:
            raise InputError(f"{file} holds a row without a number; {_SAVE}")
        found.append(batch.column(0).to_numpy(zero_copy_only=False).astype(np.int64))
    return np.concatenate([np.empty(0, np.int64), *found])
