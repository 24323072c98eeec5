"""JSON files: reads objects given by the user, and writes records atomically."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zsl_jax.atomic_file import atomic_file
from zsl_jax.buckets import with_addresses
from zsl_jax.errors import InputError


def read_json_object(path: Path) -> dict[str, Any]:
    """Reads one JSON object.

    Raises:
      InputError: The file cannot be read or does not hold a JSON object.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} is not readable as JSON ({error}); fetch it again") from error
    if not isinstance(value, dict):
        raise InputError(f"{path} does not hold a JSON object; fetch it again")
    return value


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Writes one JSON object atomically.

    Raises:
      InputError: The file cannot be written.
    """
    text = json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False)
    with atomic_file(path) as part:
        part.write_text(text + "\n", encoding="utf-8")


def plain(value: Any) -> Any:
    """Converts a value to JSON's types: arrays become lists, paths strings, NaN and ±inf null.

    The paths of local copies of files in buckets become addresses, see `buckets`.

    >>> plain({"loss": float("nan"), 1: (2, Path("a"))})
    {'loss': None, '1': [2, 'a']}
    """
    if hasattr(value, "tolist"):  # NumPy's and JAX's scalars and arrays
        value = value.tolist()
    if isinstance(value, Mapping):
        return {with_addresses(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value) if isinstance(value, set | frozenset) else value
        return [plain(item) for item in items]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int):
        return value
    return with_addresses(str(value))
