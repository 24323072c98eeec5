"""From a path to the lines of its files: globs and folders, gzip, encodings, standard input."""

import glob
import gzip
import os
import sys
import zlib
from pathlib import Path

from zsl_jax.errors import InputError

STANDARD_INPUT = "-"
UNPACKED_LIMIT = 1 << 30  # bytes of one .gz file; a few kilobytes can unpack to far more
_ONTONOTES = ("**/*_gold_conll", "**/*_gold_conll.gz")


def find_files(path: str | os.PathLike[str]) -> list[str]:
    """The files that a path stands for.

    Args:
      path: A file, "-" (the standard input), a glob such as `dir/*.conllu` (`**` goes through
        folders), or a folder: one that Hugging Face `datasets` saved stands for itself, any other
        for the OntoNotes files `*_gold_conll` below it. Several of these with commas between them.

    Returns:
      At least one path; those of a glob or folder are sorted. A single file need not exist.

    Raises:
      InputError: A glob or folder has no such files.
    """
    name = os.fspath(path)
    if os.path.isdir(name):
        if is_dataset_folder(name):
            return [name]
        found = [file for pattern in _ONTONOTES for file in Path(name).glob(pattern)]
        if not found:
            raise InputError(
                f"{name} is a folder, and has no *_gold_conll files; name its files by a quoted "
                "glob, such as 'folder/*.conllu'."
            )
        return sorted(map(str, found))
    if os.path.exists(name):
        return [name]
    if "," in name:
        return [file for part in name.split(",") for file in find_files(part)]
    if not glob.has_magic(name):
        return [name]
    matches = sorted(match for match in _matches(name) if os.path.isfile(match))
    if not matches:
        raise InputError(f"{name} fits no file; correct the path or the pattern.")
    return matches


def _matches(pattern: str) -> list[str]:
    try:
        return glob.glob(pattern, recursive=True)
    except (OSError, ValueError) as error:  # such as a NUL character
        raise InputError(f"{pattern!r} is no pattern of files ({error}); correct it.") from error


def is_dataset_folder(path: str | os.PathLike[str]) -> bool:
    """Whether `save_to_disk` of Hugging Face `datasets` wrote a folder."""
    return any(Path(path, name).is_file() for name in ("state.json", "dataset_dict.json"))


def read_bytes(name: str) -> bytes:
    """The contents of a file, unpacked if its name ends in `.gz`; "-" is the standard input.

    Raises:
      InputError: It cannot be read, or unpacks to more than `UNPACKED_LIMIT` bytes.
    """
    try:
        if name == STANDARD_INPUT:
            return sys.stdin.buffer.read()
        if not name.endswith(".gz"):
            return Path(name).read_bytes()
        with gzip.open(name) as file:
            data = file.read(UNPACKED_LIMIT + 1)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{name} cannot be read: {reason}; check the path and file.") from error
    if len(data) > UNPACKED_LIMIT:
        raise InputError(
            f"{name} unpacks to more than {UNPACKED_LIMIT >> 20} MiB, the most that is read of a "
            "gzipped file; unpack it first."
        )
    return data


def read_lines(name: str, encoding: str | None) -> list[str]:
    r"""The lines of a text file, without a byte-order mark; a line ends at "\n" or "\r\n".

    Form feeds, lone "\r" and Unicode's separators end no line.

    Args:
      name: The file; see `read_bytes`.
      encoding: Its encoding as Python names it; None is UTF-8.

    Raises:
      InputError: It cannot be read, or is not in this encoding.
    """
    data = read_bytes(name)
    try:
        text = data.decode(encoding or "utf-8")
    except UnicodeError as error:
        raise InputError(_undecodable(name, data, encoding, error)) from error
    except (LookupError, ValueError) as error:
        raise InputError(f"--encoding={encoding!r}: {error}; try utf-8 or iso-8859-1.") from error
    lines = text.removeprefix("\ufeff").split("\n")
    return [line.removesuffix("\r") for line in lines]


def _undecodable(name: str, data: bytes, encoding: str | None, error: UnicodeError) -> str:
    if not isinstance(error, UnicodeDecodeError) or encoding not in (None, "utf-8"):
        reason = " ".join(str(error).split())
        return f"{name} is not in the encoding {encoding} ({reason}); give another --encoding."
    line = data.count(b"\n", 0, error.start) + 1
    return (
        f"{name}, line {line}: byte 0x{data[error.start]:02x} at offset {error.start} of the "
        "file is not UTF-8; name the file's encoding, for instance --encoding=iso-8859-1."
    )
