"""Which process does what: a cell or a source model belongs to the one that has claimed it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import Timeout

from zsl_jax.errors import InputError
from zsl_jax.io.folder_lock import FolderLock


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
        lock = FolderLock(folder.parent, f".{folder.name}.lock", timeout=-1 if waits else 0)
    except Timeout:
        lock = None
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
