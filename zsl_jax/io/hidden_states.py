"""Hidden states on disk: a NumPy file of one row a subword, mapped into memory when it is used."""

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
    """Writes a table, whole or not at all: under another name until the last row is on disk.

    Plain writes, not a writable map: a full disk is an error with a reason, where a map would end
    the process.

    Args:
      path: The file, in a folder that is there.
      shape: Rows and columns, (T, H).
      dtype: Of the numbers.
      blocks: Numbers of rows, and these rows; every row once, in any order.

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
            for run in np.split(order, ends):  # of consecutive rows
                file.seek(start + width * int(numbers[run[0]]))
                file.write(rows[run].astype(dtype, copy=False).tobytes())
        file.flush()
        os.fsync(file.fileno())


@contextlib.contextmanager
def _explained(path: Path, size: int) -> Iterator[None]:
    """A full disk, in a sentence that says how much room the table takes."""
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{path}, the output of the frozen layers, cannot be written ({error.strerror}); make "
            f"its folder writable and room for {size / 1e9:.2f} GB, or name another --output."
        ) from error


def map_hidden_states(
    path: Path, shape: tuple[int, int], dtype: np.dtype
) -> Float[np.ndarray, "T H"]:
    """The table of a file, mapped into memory.

    Args:
      path: The file.
      shape: The table's rows and columns, (T, H).
      dtype: Of its numbers.

    Raises:
      InputError: The file is damaged.
    """
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        found = None
    if found is None or found.shape != shape or found.dtype != dtype:
        raise InputError(f"{path} is damaged; delete it, and the same command makes it again.")
    return np.asarray(found)
