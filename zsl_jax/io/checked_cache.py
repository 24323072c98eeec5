"""Files that can be made again, each with the checksum of its contents in its name."""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

from zsl_jax.atomic_file import committing
from zsl_jax.errors import InputError

_DIGITS = 12  # of the checksum, hexadecimal


def find_or_make(folder: Path, key: str, suffix: str, make: Callable[[Path], None]) -> Path:
    """The file of a key, whose contents are as they were written.

    Args:
      folder: Where it is kept; made where needed.
      key: What the contents depend on, as a part of a file's name.
      suffix: Of the name, with its dot.
      make: Writes the file, whole or not at all, if there is none.

    Raises:
      InputError: The file has been damaged since it was written, or the folder cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        found = re.compile(rf"{re.escape(key)}-[0-9a-f]{{{_DIGITS}}}{re.escape(suffix)}")
        for path in folder.iterdir():
            if found.fullmatch(path.name):
                return _checked(path, _name(path, key, suffix))
        made = folder / f"{key}{suffix}"
        make(made)
        with committing:
            return made.rename(folder / _name(made, key, suffix))
    except OSError as error:
        raise InputError(
            f"{folder} cannot be used ({error.strerror}); make it readable and writable, or name "
            "another --output"
        ) from error


def _checked(path: Path, expected: str) -> Path:
    if path.name != expected:
        raise InputError(
            f"{path} is damaged: its contents do not have the checksum in its name; delete it, and "
            "the same command makes it again."
        )
    return path


def _name(path: Path, key: str, suffix: str) -> str:
    with open(path, "rb") as file:
        checksum = hashlib.file_digest(file, "sha256").hexdigest()[:_DIGITS]
    return f"{key}-{checksum}{suffix}"
