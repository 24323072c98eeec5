"""metrics.jsonl: one JSON object per line, appended during a run."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from zsl_jax.atomic_file import atomic_file, committing
from zsl_jax.errors import InputError
from zsl_jax.io.json_file import plain

Line = dict[str, Any]


def append_line(path: Path, values: Mapping[str, Any]) -> None:
    """Appends a line with the time, which is on disk when this returns; values may be arrays.

    Raises:
      InputError: The file cannot be written.
    """
    line = json.dumps(plain({"time": now(), **values}), ensure_ascii=False, allow_nan=False)
    try:
        with committing, open(path, "a", encoding="utf-8") as file:
            file.write(line + "\n")
    except OSError as error:
        raise InputError(
            f"{path} cannot be written: {error.strerror}; make room or make it writable, then "
            "give the same command again, which resumes from the last checkpoint"
        ) from error


def read_lines(path: Path) -> list[Line]:
    """Reads all lines but a last one that an interruption cut off.

    Raises:
      InputError: A line is damaged.
    """
    if not path.exists():
        return []
    return [
        _parsed(line, f"{path}, line {number}")
        for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], start=1)
    ]


def write_lines(path: Path, lines: Iterable[Line]) -> None:
    """Replaces the file's lines, atomically."""
    with atomic_file(path) as part, open(part, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def now() -> str:
    """The current time in the format of the records."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _parsed(line: bytes, where: str) -> Line:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict) or "kind" not in value:
        raise InputError(f"{where} is damaged; delete this line, and the same command resumes")
    return value
