"""Tables that are too large for memory: rows in a temporary file, read where they are needed."""

import os
import tempfile
from collections.abc import Iterable, Sequence
from typing import IO

import numpy as np
from jaxtyping import Float

from zsl_jax.errors import InputError


def to_memmap(
    blocks: Iterable[np.ndarray], row_shape: Sequence[int], folder: str | os.PathLike[str] | None
) -> Float[np.ndarray, "N ..."]:
    """Puts blocks of rows one after the other, in a file or in memory.

    The file has no name, and its space is free again when the table is no longer used or the
    process has ended, however it ended.

    Args:
      blocks: Each [n, ...], of any floating type; only one is in memory at a time.
      row_shape: What follows n, for tables without rows.
      folder: Where the file goes, made if it is not there; None keeps the rows in memory.

    Returns:
      [N, ...] float16, N rows of all blocks together; a read-only memory map if in a
      file; a single float16 block in memory is not copied.

    Raises:
      InputError: The folder has no room.
    """
    halved = (np.ascontiguousarray(block, dtype=np.float16) for block in blocks)
    if folder is None:
        tables = list(halved) or [np.empty((0, *row_shape), np.float16)]
        return tables[0] if len(tables) == 1 else np.concatenate(tables)
    os.makedirs(folder, exist_ok=True)
    num_rows = 0
    with tempfile.TemporaryFile(dir=folder) as file:
        for block in halved:
            _write(file, block, folder)
            num_rows += len(block)
        shape = (num_rows, *row_shape)
        if not file.tell():  # an empty file cannot be mapped
            return np.empty(shape, np.float16)
        return np.memmap(file, np.float16, "r", shape=shape)


def _write(file: IO[bytes], block: np.ndarray, folder: str | os.PathLike[str]) -> None:
    try:
        file.write(block.data)
        file.flush()
    except OSError as error:
        raise InputError(
            f"{os.fspath(folder)} cannot take the sources' probabilities ({error.strerror}); make "
            "room there, or choose another output folder"
        ) from error


def cut_rows(table: np.ndarray, size: int = 1 << 16) -> Iterable[np.ndarray]:
    """The rows of a table in blocks of at most `size`."""
    return (table[start : start + size] for start in range(0, len(table), size))
