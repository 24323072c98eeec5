"""Files that have their name only when they are complete."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from zsl_jax.errors import InputError


@contextlib.contextmanager
def finished_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A path to write to, whose file takes its place when all is written, and is gone otherwise.

    Where `path` is a symbolic link, the file that it leads to is replaced. What is there and no
    regular file, such as a pipe or /dev/null, is written into as it is.

    Args:
      path: The file.

    Yields:
      Where to write: beside the file, under a hidden name.

    Raises:
      InputError: It cannot be written: no room, no permission, no such folder, or it is a folder.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise InputError(f"{path} is a folder; name a file")
    special = target.exists() and not target.is_file()
    part = target if special else target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        yield part
        if not special:
            os.replace(part, target)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            f"{path} cannot be written: {reason}; make room, make the folder writable, or name "
            "another place"
        ) from error
    finally:
        if not special:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
