"""Atomic file writes: write to a temporary file, then rename it.

Temporary files and folders have unique hidden names with the host and the id of the writing
process. What a killed process leaves behind is removed by the next one that writes into the same
folder.
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

from zsl_jax.buckets import publish
from zsl_jax.errors import InputError

# Held while complete files are renamed; a process that is asked to end waits for it.
committing = threading.RLock()
_NAME = re.compile(r"\.zsl_jax-(?P<host>.+)-(?P<process>\d+)-[0-9a-f]{16}\.part")
_unfinished: set[Path] = set()
_STANDARD_OUTPUT = ("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")


def is_standard_output(path: str | os.PathLike[str]) -> bool:
    """Tells whether a path names the standard output, to which only text is written."""
    return os.fspath(path) in _STANDARD_OUTPUT


@contextlib.contextmanager
def atomic_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yields a temporary file that replaces `path` on success and is removed on failure.

    If `path` is a symbolic link, the file that it points to is replaced. If `path` exists but is
    not a regular file, such as a pipe or /dev/null, it is written directly. If it is the local copy
    of a file in a bucket, it is uploaded on success, see `buckets`.

    Args:
      path: The file.

    Yields:
      The path to write to: an empty file beside `path`, under a hidden name.

    Raises:
      InputError: It cannot be written: no room, no permission, no such folder, or it is a folder.
    """
    target = Path(os.path.realpath(path))
    try:
        if target.is_dir() or os.fspath(path).endswith(os.sep):
            raise InputError(f"{path} is a folder; give a file")
        if os.path.exists(path) and not os.path.isfile(path):
            yield Path(path)  # not the target: that of an anonymous pipe does not exist
            return
        with _unfinished_path(target.parent) as part:
            os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
            yield part
            with committing:
                os.replace(part, target)
        publish(target)
    except OSError as error:
        check_parent(path)
        reason = error.strerror or str(error)
        raise InputError(
            f"{path} cannot be written: {reason}; make room, make the folder writable, or give "
            "another path"
        ) from error


def check_parent(path: str | os.PathLike[str]) -> None:
    """Refuses a file in a folder that does not exist.

    Raises:
      InputError: There is no such folder.
    """
    parent = Path(os.path.realpath(path)).parent
    if not parent.exists():
        raise InputError(
            f"{path} cannot be written, since there is no folder {parent}; create it, or give "
            "another path"
        )


@contextlib.contextmanager
def atomic_folder(parent: Path) -> Iterator[Path]:
    """Yields a new folder under a hidden name, which is removed with its contents at the end.

    Args:
      parent: The folder to create it in.
    """
    with _unfinished_path(parent) as folder:
        folder.mkdir()
        yield folder


def drop_unfinished() -> None:
    """Removes the unfinished files of this process, which is about to end."""
    for path in list(_unfinished):
        _remove(path)


def drop_abandoned(folder: Path, of_other_hosts: bool = False) -> None:
    """Removes unfinished files that processes which no longer run left in a folder.

    Args:
      folder: The folder; folders inside it are not searched.
      of_other_hosts: Whether to also remove files from other hosts, whose processes cannot be seen
        from here; only safe where no other process may write.
    """
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            match = _NAME.fullmatch(path.name)
            if match is None:
                continue
            ours = match["host"] == _host()
            if (ours and not _is_alive(int(match["process"]))) or (not ours and of_other_hosts):
                _remove(path)


def is_unfinished(path: Path) -> bool:
    """Tells whether a path has the hidden name of an unfinished file or folder."""
    return _NAME.fullmatch(path.name) is not None


@contextlib.contextmanager
def _unfinished_path(folder: Path) -> Iterator[Path]:
    """Yields a new hidden path in a folder, and removes what is there at the end."""
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
    """This machine, or the container on it that has process ids of its own."""
    name = socket.gethostname().replace(os.sep, "_")
    with contextlib.suppress(OSError):
        name += f"-{os.stat('/proc/self/ns/pid').st_ino}"
    return name


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # another user's process
        return True
    return True
