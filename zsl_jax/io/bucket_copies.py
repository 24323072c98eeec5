"""Downloads from buckets: makes local copies equal to what they are copies of."""

import contextlib
import glob
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from absl import logging
from filelock import Timeout

from zsl_jax.atomic_file import atomic_file
from zsl_jax.buckets import (
    BLOCK_BYTES,
    explained,
    held_back,
    is_address,
    is_copy,
    local_copy,
    original,
    path_text,
)
from zsl_jax.errors import InputError
from zsl_jax.io.folder_lock import FolderLock


def fetched(path: str | os.PathLike[str], where: str = "") -> str:
    """Returns the local copy of an address, as `refresh_copy` leaves it; other paths as they are.

    If a run of this machine writes into the folder now, its copy stays as it is.

    Args:
      path: What the user gave as a path.
      where: The argument, for messages about what is not one.

    Raises:
      InputError: It is not a path; or there is nothing at this address, or it cannot be read.
    """
    name = path_text(path, where)
    if not is_address(name):
        return name
    copy = Path(local_copy(name))
    with contextlib.ExitStack() as stack, contextlib.suppress(Timeout):
        if copy.is_dir():
            stack.callback(FolderLock(copy).release)
        if not refresh_copy(copy):
            raise InputError(f"there is nothing at {name}; correct the path")
    return os.fspath(copy)


def refresh_copy(path: Path) -> bool:
    """Makes a local copy equal to its original; does nothing for other paths.

    Args:
      path: The copy of a file, of the files that a pattern in the name fits, or of a folder, of
        which the files are fetched and not the folders in it.

    Returns:
      Whether there is something.

    Raises:
      InputError: The bucket cannot be read, or the copy cannot be written.
    """
    if not is_copy(path):
        return path.exists()
    with explained(path):
        there, folder = original(path), path.parent
        if glob.has_magic(path.name):
            files, copies = [*there.parent.glob(there.name)], [*folder.glob(path.name)]
        elif there.is_dir():
            files, folder = [file for file in there.iterdir() if not file.is_dir()], path
            copies = [*path.iterdir()] if path.is_dir() else []
        else:
            files, copies = [there] if there.exists() else [], [path]
        _drop(copies, {file.name for file in files})
        _download(files, folder)
    return bool(files)


def _drop(copies: Iterable[Path], names: set[str]) -> None:
    """Removes the copies of what is not there; hidden files are not copies."""
    for copy in copies:
        if copy.name not in names and not copy.name.startswith(".") and copy.is_file():
            copy.unlink()


def _download(files: Sequence[Any], folder: Path) -> None:
    """Downloads files whose size or time is not that of their copies."""
    folder.mkdir(parents=True, exist_ok=True)
    known = [(file, folder / file.name, file.stat()) for file in files]
    missing = [(*names, about) for *names, about in known if not _is_equal(names[1], about)]
    if missing:
        size = sum(about.length for *_, about in missing)
        logging.info("fetching %d files (%.1f MB) to %s", len(missing), size / 1e6, folder)
    for file, copy, about in missing:
        with held_back(), atomic_file(copy) as part:
            with file.open("rb") as stream, open(part, "wb") as written:
                shutil.copyfileobj(stream, written, BLOCK_BYTES)
            os.utime(part, (about.mtime, about.mtime))


def _is_equal(copy: Path, about: Any) -> bool:
    """Whether a copy has the size and time of its original; a time of 0 is unknown."""
    if not about.mtime or not copy.is_file():
        return False
    before = copy.stat()
    return (before.st_size, before.st_mtime) == (about.length, about.mtime)
