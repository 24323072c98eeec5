"""A cache of files that can be recomputed, each with a checksum of its contents in its name."""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

from zsl_jax.atomic_file import committing
from zsl_jax.buckets import held_back, names_in, publish
from zsl_jax.errors import InputError
from zsl_jax.io.bucket_copies import refresh_copy
from zsl_jax.io.folder_lock import LOCK, FolderLock

_DIGITS = 12  # hexadecimal digits of the checksum


def find_or_make(folder: Path, key: str, suffix: str, make: Callable[[Path], None]) -> Path:
    """Returns the file of a key, verified by its checksum; makes it if it is missing.

    Of several processes that miss it, one makes it and the others wait.

    Args:
      folder: Folder of the cache; created if missing.
      key: Identifies what the contents depend on; part of the file's name.
      suffix: Suffix of the file's name, with its dot.
      make: Writes the file atomically; called if it is missing.

    Raises:
      InputError: The file was damaged after it was written, or the folder cannot be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = _existing(folder, key, suffix)
        if path is None:
            lock = FolderLock(folder, f".{key}{LOCK}", timeout=-1)
            try:
                path = _existing(folder, key, suffix) or _made(folder, key, suffix, make)
            finally:
                lock.release()
        return path
    except OSError as error:
        raise InputError(
            f"{folder} cannot be used ({error.strerror}); make it readable and writable, or give "
            "another `output`"
        ) from error


def _existing(folder: Path, key: str, suffix: str) -> Path | None:
    """The file of a key, if there is one."""
    pattern = re.compile(rf"{re.escape(key)}-[0-9a-f]{{{_DIGITS}}}{re.escape(suffix)}")
    for path in (folder / name for name in names_in(folder) if pattern.fullmatch(name)):
        refresh_copy(path)
        return _checked(path, _name(path, key, suffix))
    return None


def _made(folder: Path, key: str, suffix: str, make: Callable[[Path], None]) -> Path:
    """Makes the file of a key, and names it by its checksum."""
    new = folder / f"{key}{suffix}"
    with held_back():
        make(new)
    with committing:
        path = new.rename(folder / _name(new, key, suffix))
    publish(path)
    return path


def _checked(path: Path, expected: str) -> Path:
    if path.name != expected:
        raise InputError(
            f"{path} is damaged: its contents do not match the checksum in its name; delete it, "
            "and the same command recomputes it"
        )
    return path


def _name(path: Path, key: str, suffix: str) -> str:
    with open(path, "rb") as file:
        checksum = hashlib.file_digest(file, "sha256").hexdigest()[:_DIGITS]
    return f"{key}-{checksum}{suffix}"
