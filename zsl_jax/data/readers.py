"""Readers of annotated and plain text: CoNLL-U, CoNLL columns and JSON lines, gzipped or not.

The file's extension tells the format. Whatever cannot be read raises `InputError` with the file,
the line and the way out: a word is never dropped and a label never guessed.
"""

import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from zsl_jax.data.checks import checked_label, checked_word
from zsl_jax.data.columns import read_columns
from zsl_jax.errors import InputError
from zsl_jax.types import Sentence


def read_sentences(
    path: str | Path,
    column: int | str | None = None,
    with_labels: bool = True,
    *,
    allow_missing: bool = False,
) -> list[Sentence]:
    """Read a corpus; the extension (before a `.gz`) tells the format.

    `.conllu` is CoNLL-U: multiword tokens and empty nodes are skipped, labels are UPOS unless
    `column` names or numbers another column. `.jsonl` has one object a line with "words" or
    "tokens", and "labels" or "tags" (or the key that `column` names). Anything else has one word a
    line in columns cut at tabs, or at blanks where there are no tabs: the word in column 0, the
    label in the last one or in number `column` (negative numbers count from the end), and an empty
    line after each sentence.

    In a column file a line counts as a comment if it stands before a sentence's first word, has no
    tab and is `# key = value`, or starts with "# " and has not the file's number of columns;
    `-DOCSTART-` lines are comments too. A line with "#" and a label is a word.

    Args:
      path: The file, UTF-8 with or without a byte-order mark, any line ends.
      column: Where the labels stand; None is the format's default.
      with_labels: False reads the words only; then no label column needs to be there.
      allow_missing: Whether a word may lack a label ("_", empty or null); it then reads "_".

    Returns:
      The sentences in the file's order, each with at least one word.

    Raises:
      InputError: The file is missing, empty, not UTF-8 or malformed.
    """
    name = str(path)
    text = _read_text(path)
    suffix = Path(name.removesuffix(".gz")).suffix.lower()
    if suffix == ".jsonl":
        sentences = list(_read_jsonl(text, name, column, with_labels, allow_missing))
    else:
        # Only real line ends: str.splitlines also cuts at form feeds and Unicode separators.
        lines = [line.removesuffix("\r") for line in text.split("\n")]
        sentences = list(read_columns(lines, name, suffix, column, with_labels, allow_missing))
    if not sentences:
        raise InputError(f"{name} holds no words; check that it is the file you meant.")
    return sentences


def _read_text(path: str | Path) -> str:
    """The file's text without a byte-order mark."""
    try:
        data = Path(path).read_bytes()
        if str(path).endswith(".gz"):
            data = gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{path} cannot be read: {reason}; check the path and file.") from error
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{path}, line {line}: byte 0x{data[error.start]:02x} at offset {error.start} of the "
            "file is not UTF-8; convert the file to UTF-8 (for instance with iconv)."
        ) from error


def _read_jsonl(
    text: str, name: str, column: int | str | None, with_labels: bool, allow_missing: bool
) -> Iterator[Sentence]:
    """Sentences of a file with one JSON object a line."""
    if isinstance(column, int):
        raise InputError(f"{name}: column {column} has no meaning in JSON; name the labels' key.")
    label_keys = ("labels", "tags") if column is None else (column,)
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{name}, line {number}"
        try:
            row = json.loads(line)
        except ValueError as error:
            raise InputError(f"{where}: not JSON ({error}); write one object a line.") from error
        found = [checked_word(where, word) for word in _json_list(where, row, ("words", "tokens"))]
        labels = None
        if with_labels:
            values = _json_list(where, row, label_keys)
            if len(values) != len(found):
                raise InputError(
                    f"{where}: {len(found)} words but {len(values)} labels; give one label a word."
                )
            pairs = zip(values, found, strict=True)
            labels = tuple(checked_label(where, *pair, allow_missing) for pair in pairs)
        comments = row.get("comments")
        kept = tuple(map(str, comments)) if isinstance(comments, list) else ()
        yield Sentence(tuple(found), labels, kept)


def _json_list(where: str, row: Any, keys: Sequence[str]) -> list[Any]:
    """The list under the first of the keys that the row has."""
    value = next((row[key] for key in keys if key in row), None) if isinstance(row, dict) else None
    if not isinstance(value, list) or not value:
        wanted = " or ".join(f'"{key}"' for key in keys)
        raise InputError(f"{where}: no filled list {wanted}; write one JSON object a line with it.")
    return value
