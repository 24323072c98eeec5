"""Files and folders that have their name only when they are complete.

Until then they have a hidden name that no one else has, with the host and the number of the process
that writes them. What a process leaves behind that is killed is removed by the next one that writes
into the same folder.
"""

import contextlib
import functools
import os
import re
import secrets
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

from zsl_jax.errors import InputError

# Held while complete files take their names; a process that is told to end waits for it.
committing = threading.RLock()
_NAME = re.compile(r"\.zsl_jax-(?P<host>.+)-(?P<process>\d+)-[0-9a-f]{16}\.part")
_unfinished: set[Path] = set()


@contextlib.contextmanager
def atomic_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A path to write to, whose file takes its place when all is written, and is gone otherwise.

    Where `path` is a symbolic link, the file that it leads to is replaced. What is there and no
    regular file, such as a pipe or /dev/null, is written into as it is.

    Args:
      path: The file.

    Yields:
      Where to write: an empty file beside `path`, under a hidden name.

    Raises:
      InputError: It cannot be written: no room, no permission, no such folder, or it is a folder.
    """
    target = Path(os.path.realpath(path))
    try:
        if target.is_dir():
            raise InputError(f"{path} is a folder; name a file")
        if target.exists() and not target.is_file():
            yield target
            return
        with _unfinished_path(target.parent) as part:
            os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
            yield part
            with committing:
                os.replace(part, target)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            f"{path} cannot be written: {reason}; make room, make the folder writable, or name "
            "another place"
        ) from error


@contextlib.contextmanager
def atomic_folder(parent: Path) -> Iterator[Path]:
    """A new folder under a hidden name, which is removed with all that is left in it at the end.

    Args:
      parent: The folder in which it is made.
    """
    with _unfinished_path(parent) as folder:
        folder.mkdir()
        yield folder


def drop_unfinished() -> None:
    """Remove what this process has not finished: it is about to end."""
    for path in list(_unfinished):
        _remove(path)


def drop_abandoned(folder: Path, of_other_hosts: bool = False) -> None:
    """Remove what processes that no longer run left unfinished in a folder.

    Args:
      folder: Where to look; not in the folders inside it.
      of_other_hosts: Whether what other hosts left there is removed too, whose processes cannot be
        seen from here: only where nobody else may write.
    """
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            found = _NAME.fullmatch(path.name)
            if found is None:
                continue
            ours = found["host"] == _host()
            if (ours and not _is_alive(int(found["process"]))) or (not ours and of_other_hosts):
                _remove(path)


def is_unfinished(path: Path) -> bool:
    """Whether a path has the hidden name of something that is not complete."""
    return _NAME.fullmatch(path.name) is not None


@contextlib.contextmanager
def _unfinished_path(folder: Path) -> Iterator[Path]:
    """A new hidden name in a folder; whatever has it at the end is removed."""
    _drop_abandoned_once(folder)
    part = folder / f".zsl_jax-{_host()}-{os.getpid()}-{secrets.token_hex(8)}.part"
    _unfinished.add(part)
    try:
        yield part
    finally:
        _remove(part)
        _unfinished.discard(part)


_drop_abandoned_once = functools.lru_cache(drop_abandoned)  # a folder may have very many files


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
    shutil.rmtree(path, ignore_errors=True)


@functools.cache
def _host() -> str:
    """This machine, or the container on it that numbers processes by itself."""
    name = socket.gethostname().replace(os.sep, "_")
    with contextlib.suppress(OSError):
        name += f"-{os.stat('/proc/self/ns/pid').st_ino}"
    return name


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # somebody else's
        return True
    return True
