"""Files in buckets, such as gs://bucket/file: each is known here by its local copy.

The copy of gs://BUCKET/FILE is $ZSL_CACHE/buckets/gs/BUCKET/FILE (by default in ~/.cache/zsl_jax).
All other modules read and write copies as they do any file; `io.bucket_copies.fetched` downloads
them, and `atomic_file` publishes, which means uploads, every file that it has completed. An object
appears in a bucket whole or not at all, but nothing can be renamed, appended to or locked there.
"""

import contextlib
import functools
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from zsl_jax.errors import InputError

# Of etils.epath, with the packages that open them.
SCHEMES = {"gs": "gcsfs", "s3": "s3fs", "az": "adlfs", "hf": "huggingface_hub"}
RUN_SCHEMES = ("gs",)  # of run folders: there Orbax marks the checkpoints that are complete
_ADDRESS = re.compile(rf"({'|'.join(SCHEMES)})://(.+)", re.DOTALL)
_COPIES = "buckets"  # the folder of all copies
BLOCK_BYTES = 1 << 23
_held_back = 0  # how many `held_back` are open


def cache_folder() -> Path:
    """Returns the folder of files that this machine can fetch or make again."""
    return Path(os.environ.get("ZSL_CACHE") or Path.home() / ".cache" / "zsl_jax")


def path_text(path: object, where: str = "") -> str:
    """Returns a path as text.

    Args:
      path: What the user gave as one.
      where: The argument, for the message.

    Raises:
      InputError: It is something else, or empty.
    """
    name = os.fspath(path) if isinstance(path, os.PathLike) else path
    if not isinstance(name, str) or not name:
        raise InputError(f"{where and f'{where}: '}{path!r:.80} is not a path; give one")
    return name


def is_address(path: str) -> bool:
    """Tells whether a path is the address of something in a bucket."""
    return _ADDRESS.fullmatch(path) is not None


def local_copy(path: str) -> str:
    """Returns the path of the local copy of an address, which may not exist; others as they are.

    >>> os.path.relpath(local_copy("gs://bucket/runs/ca/"), os.path.realpath(cache_folder()))
    'buckets/gs/bucket/runs/ca'
    >>> local_copy("runs/ca/")
    'runs/ca/'
    """
    match = _ADDRESS.fullmatch(path)
    if match is None:
        return path
    return os.path.normpath(os.path.join(_root(), match[1], match[2].lstrip("/")))


def with_addresses(text: str) -> str:
    """Returns a text with addresses in place of the paths of their local copies.

    >>> with_addresses(f"there is no file {local_copy('gs://bucket/ca.conll')}")
    'there is no file gs://bucket/ca.conll'
    """
    if f"/{_COPIES}/" not in text:  # quick, since every text that is written comes here
        return text
    return re.sub(rf"{re.escape(_root())}/({'|'.join(SCHEMES)})/", r"\1://", text)


def is_copy(path: Path) -> bool:
    """Tells whether a path is that of a local copy."""
    return is_address(with_addresses(os.fspath(path)))


def original(path: Path) -> Path:
    """Returns what a local copy is a copy of, with the methods of a path; others as they are."""
    return cast(Path, _epath().Path(with_addresses(os.fspath(path)))) if is_copy(path) else path


def names_in(folder: Path) -> list[str]:
    """Returns the sorted names in a folder; of a local copy, those in the bucket."""
    with explained(folder):
        there = original(folder)
        return sorted(path.name for path in there.iterdir()) if there.is_dir() else []


def unpublished(folder: Path) -> Path:
    """Returns where a folder keeps files that are not to be uploaded: inside it, if it is local."""
    if not is_copy(folder):
        return folder
    return Path(f"{_root()}-unpublished", *folder.parts[len(Path(_root()).parts) :])


def publish(path: Path) -> None:
    """Uploads a complete file, if it is a local copy and nothing holds it back.

    Raises:
      InputError: The bucket cannot be written.
    """
    if _held_back or not is_copy(path):
        return
    writable: Any = original(path)
    with explained(path, "written"), open(path, "rb") as file, writable.open("wb") as stream:
        shutil.copyfileobj(file, stream, BLOCK_BYTES)


@contextlib.contextmanager
def held_back() -> Iterator[None]:
    """Publishes nothing meanwhile, so that files can get their final names or contents first."""
    global _held_back
    _held_back += 1
    try:
        yield
    finally:
        _held_back -= 1


def remove(path: Path) -> None:
    """Removes a file; a local copy and its original."""
    path.unlink(missing_ok=True)
    if is_copy(path):
        with explained(path, "removed"):
            original(path).unlink(missing_ok=True)


@contextlib.contextmanager
def explained(path: Path, what: str = "read") -> Iterator[None]:
    """Turns the errors of a bucket into one sentence; those of other paths stay as they are.

    Args:
      path: The local copy of what is asked for.
      what: What cannot be done with it: "read", "written" or "removed".
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, InputError) or not is_copy(path):
            raise
        address = with_addresses(os.fspath(path))
        scheme = address.partition(":")[0]
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        remedy = "check the path, the credentials of this machine and its access to the bucket"
        if isinstance(error, ImportError):
            remedy = f"install the package: pip install {SCHEMES[scheme]}"
        raise InputError(f"{address} cannot be {what} ({reason}); {remedy}") from error


@functools.cache
def _epath() -> Any:
    """The library of paths in buckets; it asks the bucket, as others may write there, too."""
    import fsspec
    from etils import epath

    fsspec.config.conf.setdefault("gcs", {}).setdefault("use_listings_cache", False)
    return epath


def _root() -> str:
    """The folder of all copies, without symbolic links: `atomic_file` publishes real paths."""
    return os.path.realpath(cache_folder() / _COPIES)
