"""Which process does what: a cell or a source model belongs to the one that has claimed it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from absl import logging
from filelock import Timeout

from zsl_jax.errors import InputError
from zsl_jax.io.folder_lock import FolderLock

_MOMENT = 2.0  # seconds; a longer wait is logged
_BLINK = 0.2  # seconds that another process may need to see whether something is claimed


@contextlib.contextmanager
def claimed(folder: Path, waits: bool = False) -> Iterator[bool]:
    """Claims a folder for this process; a claim ends with its process, however that ends.

    Args:
      folder: What is claimed; only its parent is made.
      waits: Whether to wait until no other process claims it.

    Yields:
      Whether it is this process's.

    Raises:
      InputError: Its parent cannot be made or written.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = _lock(folder, waits)
    except OSError as error:
        raise InputError(
            f"{folder.parent} cannot be written ({error.strerror}); make it a folder that can, or "
            "give another `output`"
        ) from error
    if lock is None:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def _lock(folder: Path, waits: bool) -> FolderLock | None:
    """The lock of a folder; None if another process has it and is not waited for."""
    name = f".{folder.name}.lock"
    try:
        return FolderLock(folder.parent, name, timeout=_MOMENT if waits else _BLINK)
    except Timeout:
        if not waits:
            return None
    logging.info("waiting for the process that works on %s", folder)
    return FolderLock(folder.parent, name, timeout=-1)
