"""From a path to the lines of its files: globs and folders, gzip, encodings, standard input."""

import codecs
import contextlib
import glob
import gzip
import itertools
import os
import re
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from zsl_jax.buckets import path_text
from zsl_jax.errors import InputError

STANDARD_INPUT = "-"
UNPACKED_LIMIT = 1 << 30  # bytes of one .gz file; a few kilobytes can unpack to far more
BLOCK_BYTES = 1 << 20
_ARRAY = (
    "an array of NumPy; load it in Python, and give the array itself as the source, with "
    "`label_names`"
)
# How files begin that are not text, as patterns that no text matches, and what to do with them.
_KINDS = {
    rb"PAR1[\0-\x08\x0e-\x1f]": "a Parquet file; let its name end in .parquet",
    rb"ARROW1\0\0": "an Arrow file; write it as Parquet",
    rb"\xff\xff\xff\xff": "an Arrow stream; name the folder that save_to_disk wrote",
    rb"\x1f\x8b": "gzipped; let its name end in .gz",
    rb"\x93NUMPY[\x01-\x03]|PK\x03\x04(?s:.{26})[^/\0]+\.npy": _ARRAY,
    rb"PK\x03\x04": "a zip archive, or a document in one; unpack it, or export it as text",
    rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)": "compressed by bzip2; unpack it first",
    rb"\xfd7zXZ\0": "compressed by xz; unpack it first",
    rb"\x28\xb5\x2f\xfd": "compressed by Zstandard; unpack it first",
    rb"\{\\rtf\d": "a document in Rich Text Format; export its text",
    rb"%PDF-\d": "a PDF document; export its text",
    rb"SQLite format 3\0": "a database of SQLite; export its text",
    rb"\x80[\x04\x05]\x95": "a pickle, which is never opened; write it as JSON lines",
}
_ZLIB = (b"x\x01", b"x\x9c", b"x\xda")
_DOC_BIN = (
    "compressed by zlib, like the DocBin files of spaCy; write its words and labels as CoNLL "
    "(word, tab, label), or name the pipeline itself as the source, as spacy:PIPELINE"
)
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
      InputError: It is not a path, or a glob or folder has no such files, or one of them twice,
        also packed as `.gz`.
    """
    name = path_text(path)
    if os.path.isdir(name):
        if is_dataset_folder(name):
            return [name]
        found = [str(file) for pattern in _ONTONOTES for file in Path(name).glob(pattern)]
        if not found:
            raise InputError(
                f"{name} is a folder, and has no *_gold_conll files; name its files by a quoted "
                "glob, such as 'folder/*.conllu'"
            )
        return _without_packed_copies(found, name)
    if os.path.exists(name):
        return [name]
    if "," in name:
        return [file for part in name.split(",") for file in find_files(part)]
    if not glob.has_magic(name):
        return [name]
    matches = [match for match in _matches(name) if os.path.isfile(match)]
    if not matches:
        raise InputError(f"{name} fits no file; correct the path or the pattern")
    return _without_packed_copies(matches, name)


def _matches(pattern: str) -> list[str]:
    try:
        return glob.glob(pattern, recursive=True)
    except (OSError, ValueError) as error:  # such as a NUL character
        raise InputError(f"{pattern!r} is not a pattern of files ({error}); correct it") from error


def _without_packed_copies(files: Iterable[str], where: str) -> list[str]:
    """The sorted files of a folder or glob, none of which is there both packed and unpacked.

    Raises:
      InputError: One is, and its text would be read twice.
    """
    found = set(files)
    for file in sorted(found):
        if f"{file}.gz" in found:
            raise InputError(
                f"{where} stands for both {file} and {file}.gz, which would be read as two texts; "
                "remove one of them, or name the files by a pattern that only one fits"
            )
    return sorted(found)


def is_dataset_folder(path: str | os.PathLike[str]) -> bool:
    """Whether `save_to_disk` of Hugging Face `datasets` wrote a folder."""
    return any(Path(path, name).is_file() for name in ("state.json", "dataset_dict.json"))


def read_bytes(name: str) -> bytes:
    """The contents of a file, unpacked if its name ends in `.gz`; "-" is the standard input.

    Raises:
      InputError: It cannot be read, or unpacks to more than `UNPACKED_LIMIT` bytes.
    """
    return b"".join(_blocks(name, streamed=False))


def read_lines(name: str, encoding: str | None, streamed: bool = False) -> Iterator[str]:
    r"""The lines of a text file, without byte-order marks; a line ends at "\n" or "\r\n".

    Form feeds and Unicode's separators end no line, and a lone "\r" is refused. Only a block of the
    file, or its longest line, is in memory at once.

    Args:
      name: The file; see `read_bytes`.
      encoding: Its encoding as Python names it; None is UTF-8, unless the user names another.
      streamed: Whether lines are dropped as they are used: a `.gz` file may then unpack to any
        size as long as no single line exceeds `UNPACKED_LIMIT`.

    Raises:
      InputError: It cannot be read, is not in this encoding, or has a NUL or a lone carriage
        return; lines before the fault come first.
    """
    codec = _codec(encoding)
    decoder, encoding = codec.incrementaldecoder(), codec.name if encoding else None
    num_bytes = num_lines = 0
    rest: list[str] = []  # of a line whose end is in a later block
    begun = False
    for block in itertools.chain(_blocks(name, streamed), [b""]):
        num_bytes += len(block)
        try:
            text = decoder.decode(block, not block)
        except UnicodeError as error:
            message = _undecodable(name, encoding, error, num_bytes, num_lines)
            raise InputError(message) from error
        if "\0" in text:
            line = num_lines + text.count("\n", 0, text.index("\0")) + 1
            raise InputError(_with_nul(f"{name}, line {line}", encoding, block, num_bytes))
        if text and not begun:
            text, begun = text.removeprefix("\ufeff"), True
        if "\n" not in text:
            rest.append(text)
            continue
        text = "".join([*rest, text])
        lines = text.split("\n")
        rest = [lines.pop()]
        is_plain = "\r" not in text and "\ufeff" not in text
        yield from lines if is_plain else _bare_lines(lines, name, num_lines)
        num_lines += len(lines)
    yield from _bare_lines(["".join(rest)], name, num_lines)


def look_ahead(
    lines: Iterator[str], count: int, begins: Callable[[str], bool] = bool
) -> tuple[list[str], Iterator[str]]:
    """The first lines of a text, and all of its lines.

    A fault in the first lines is raised where it stands, after the lines before it.

    Args:
      lines: The lines.
      count: How many to look at, from the first one on that begins the text.
      begins: Whether a line does.
    """
    first: list[str] = []
    fault: InputError | None = None
    try:
        for line in lines:
            first.append(line)
            if begins(line):
                break
        for line in itertools.islice(lines, count - 1):
            first.append(line)  # one by one: those before a fault are kept
    except InputError as error:
        if not any(map(begins, first)):
            raise
        fault = error

    def whole() -> Iterator[str]:
        yield from first
        if fault is not None:
            raise fault
        yield from lines

    return first, whole()


def _bare_lines(lines: Iterable[str], name: str, num_before: int) -> Iterator[str]:
    """Lines without what ends them, and without the marks of a file that was put behind another.

    A mark with a tab behind it stands alone in the first column of a line, and is a word.

    Raises:
      InputError: Lines end as old Macs end them, so that several seem to be one.
    """
    for number, line in enumerate(lines, start=num_before + 1):
        bare = line.rstrip("\r")
        if "\r" in bare:
            raise InputError(
                f"{name}, line {number}: a carriage return inside the line, as in files "
                "of old Macs; write the file with line feeds (tr '\\r' '\\n' < FILE)"
            )
        unmarked = bare.lstrip("\ufeff")
        yield bare if unmarked.startswith("\t") else unmarked


def _blocks(name: str, streamed: bool) -> Iterator[bytes]:
    """The bytes of a file, some at a time."""
    unpacked, begun = 0, False
    try:
        with _opened(name) as file:
            while block := file.read(BLOCK_BYTES):
                if not begun:
                    _refuse_binary(name, block)
                    begun = True
                line_end = block.rfind(b"\n") if streamed else -1
                unpacked = len(block) - line_end - 1 + (unpacked if line_end < 0 else 0)
                if unpacked > UNPACKED_LIMIT and name.endswith(".gz"):
                    raise InputError(
                        f"{name} unpacks to more than {UNPACKED_LIMIT >> 20} MiB"
                        f"{' in one line' if streamed else ''}, the most that is read of a "
                        "gzipped file; unpack it first"
                    )
                yield block
    except (OSError, EOFError, ValueError, zlib.error) as error:
        if isinstance(error, InputError):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{name} cannot be read: {reason}; check the path and file") from error


def _refuse_binary(name: str, start: bytes) -> None:
    """Refuses a file that begins as files of another kind do.

    Raises:
      InputError: It names the kind.
    """
    kind = next((kind for begin, kind in _KINDS.items() if re.match(begin, start)), None)
    if kind is None and start.startswith(_ZLIB) and _unpacks(start):
        kind = _DOC_BIN
    if kind is not None:
        raise InputError(f"{name} is {kind}")


def _unpacks(start: bytes) -> bool:
    """Whether zlib finds something in the first bytes of a file."""
    try:
        return bool(zlib.decompressobj().decompress(start, 1))
    except zlib.error:
        return False


def _opened(name: str) -> contextlib.AbstractContextManager[Any]:
    if name == STANDARD_INPUT:
        return contextlib.nullcontext(sys.stdin.buffer)
    return gzip.open(name) if name.endswith(".gz") else open(name, "rb")


def _codec(encoding: str | None) -> codecs.CodecInfo:
    """A codec of text, whose name is Python's own for it: that of UTF8 is utf-8."""
    try:
        "a".encode(encoding or "utf-8")  # refuses what is not a text encoding, such as hex
        return codecs.lookup(encoding or "utf-8")
    except UnicodeError as error:
        raise InputError(f"`encoding`={encoding!r} decodes nothing; try utf-8") from error
    except (LookupError, TypeError, ValueError) as error:
        raise InputError(f"`encoding`={encoding!r}: {error}; try utf-8 or iso-8859-1") from error


def _undecodable(
    name: str, encoding: str | None, error: UnicodeError, num_bytes: int, num_lines: int
) -> str:
    """The message, from the numbers of bytes read and of lines decoded."""
    if not isinstance(error, UnicodeDecodeError) or encoding not in (None, "utf-8"):
        reason = " ".join(str(error).split())
        return f"{name} is not in the encoding {encoding} ({reason}); give another `encoding`"
    data = error.object  # the end of what was read
    own = _wide_encoding(data, num_bytes - len(data)) or "iso-8859-1"
    line = num_lines + data.count(b"\n", 0, error.start) + 1
    return (
        f"{name}, line {line}: byte 0x{data[error.start]:02x} at offset "
        f"{num_bytes - len(data) + error.start} of the file is not UTF-8; "
        f"{_conversion(own, encoding)}"
    )


def _with_nul(where: str, encoding: str | None, block: bytes, num_bytes: int) -> str:
    """The message on a NUL in the last block of the bytes read so far."""
    own = _wide_encoding(block, num_bytes - len(block))
    if own is None or own == encoding:
        return f"{where}: a NUL, which does not belong in a text; remove it"
    return f"{where}: a NUL, as in {own.upper()}; {_conversion(own, encoding)}"


def _conversion(own: str, encoding: str | None) -> str:
    """The way out for a file in another encoding than the one that it is read in."""
    named = "" if encoding == "utf-8" else f", or name its encoding, for instance `encoding`={own}"
    return f"convert it (iconv -f {own} -t utf-8 FILE){named}"


def _wide_encoding(data: bytes, offset: int) -> str | None:
    """The encoding of two or four bytes per character that a part of a file seems to have.

    Args:
      data: Some bytes of the file.
      offset: How many bytes stand before them.

    Returns:
      Its name in Python; None if there are no byte-order mark and hardly any NULs.
    """
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    even, odd = (data[(offset + place) % 2 :: 2].count(0) for place in (0, 1))
    if 100 * (even + odd) < len(data) or not data:
        return None
    order, place = ("le", 2) if odd > even else ("be", 1)
    planes = data[(place - offset) % 4 :: 4]  # the third byte of characters of four, at most 16
    return f"utf-{32 if max(planes, default=0) <= 16 else 16}-{order}"
