"""Hidden states on disk: a NumPy file with one row per subword, memory-mapped when read."""

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from zsl_jax.atomic_file import atomic_file
from zsl_jax.errors import InputError

Rows = tuple[Int[np.ndarray, " n"], Float[np.ndarray, "n H"]]


def write_hidden_states(
    path: Path, shape: tuple[int, int], dtype: np.dtype, blocks: Iterable[Rows]
) -> None:
    """Writes a table atomically.

    Uses plain writes instead of a writable map: on a full disk they raise an error, whereas a map
    would end the process.

    Args:
      path: The file, in an existing folder.
      shape: Rows and columns, (T, H).
      dtype: Data type of the table.
      blocks: Row indices and their rows; every row exactly once, in any order.

    Raises:
      InputError: The file cannot be written.
    """
    about = {"descr": dtype.str, "fortran_order": False, "shape": shape}
    width = shape[1] * dtype.itemsize
    with (
        atomic_file(path) as unfinished,
        _explained(path, shape[0] * width),
        open(unfinished, "wb") as file,
    ):
        np.lib.format.write_array_header_1_0(file, about)
        start = file.tell()
        for numbers, rows in blocks:
            order = np.argsort(numbers)
            ends = np.flatnonzero(np.diff(numbers[order]) != 1) + 1
            for run in np.split(order, ends):  # runs of consecutive rows
                file.seek(start + width * int(numbers[run[0]]))
                file.write(rows[run].astype(dtype, copy=False).tobytes())
        file.flush()
        os.fsync(file.fileno())


@contextlib.contextmanager
def _explained(path: Path, size: int) -> Iterator[None]:
    """Turns write errors into one sentence that gives the size of the table."""
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{path}, the output of the frozen layers, cannot be written ({error.strerror}); make "
            f"its folder writable and room for {size / 1e9:.2f} GB, or give another `output`"
        ) from error


def map_hidden_states(
    path: Path, shape: tuple[int, int], dtype: np.dtype
) -> Float[np.ndarray, "T H"]:
    """Maps the table of a file into memory.

    Args:
      path: The file.
      shape: Rows and columns, (T, H).
      dtype: Data type of the table.

    Raises:
      InputError: The file is damaged.
    """
    try:
        table = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        table = None
    if table is None or table.shape != shape or table.dtype != dtype:
        raise InputError(f"{path} is damaged; delete it, and the same command recomputes it")
    return np.asarray(table)
