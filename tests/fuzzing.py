"""Damaged files for the readers: any bytes, any text, and valid files with parts replaced.

ZSL_FUZZ_EXAMPLES sets how many files each test tries; --hypothesis-show-statistics says how many
of them were read and how many refused.
"""

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st

from zsl_jax.errors import InputError

T = TypeVar("T")

fuzz = settings(
    max_examples=int(os.environ.get("ZSL_FUZZ_EXAMPLES", "100")),
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)

_TEXTS = (
    "\n|\r\n|\n\n|\r|\t| |#|# id = 1|-DOCSTART-|_|O|B-X|I-X|0|1|-1|7|NaN|1e999|1e-9|null|true|{}|[]"
    "|\x00|\x1c|\x85|\ufeff|\u200b|\u200d|\u2028|\u00a0|e\u0301|\u05e9\u05dc|\u202e|\U0001f469|中"
    '|"|\\|\\ud800|[|]|{|}|,|:|(|*|)|<|>|&|&#9;|<!DOCTYPE x>|<!DOCTYPE x [<!ENTITY a "b">]>'
).split("|")
_BYTES = (
    *(text.encode() for text in _TEXTS),
    *(struct.pack("<q", number) for number in (-1, 0, 1, 2**31, 2**62)),
    *(struct.pack("<i", number) for number in (-1, 0, 1, 2**31 - 1)),
    b"\xff",
    b"\xed\xa0\x80",
    b"[" * 20_000,
    b'{"a":' * 20_000,
    b"<a>" * 3_000,
)


@st.composite
def _mutated(draw: st.DrawFn, valid: tuple[bytes, ...]) -> bytes:
    """A valid file, a few of whose parts are removed, doubled, or replaced."""
    data = draw(st.sampled_from(valid))
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, len(data)))
        end = start + draw(st.sampled_from([0, 0, 1, 2, 4, 8, 40]))
        other = draw(st.integers(0, len(data)))
        copied = data[other : other + draw(st.integers(1, 40))]
        new = draw(st.sampled_from(_BYTES) | st.binary(max_size=8) | st.just(copied))
        data = data[:start] + new + data[end:]
    return data


def damaged(*valid: bytes) -> st.SearchStrategy[bytes]:
    """Bytes of a file: near a valid one, or any at all."""
    text = st.text(max_size=60).map(lambda text: text.encode("utf-8", "replace"))
    return st.one_of(_mutated(valid), _mutated(valid), _mutated(valid), st.binary(), text)


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([10**400, -(10**30), float("nan"), float("inf"), -0.5, 1.0, 0.5]),
    st.floats(),
    st.text(max_size=4),
    st.sampled_from(["", " ", "_", "O", "B-X", "\t", "\u200b", "0.5", "\ud800"]),
)
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


def json_objects(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects in which each field is there or not, as it should be or any value."""
    return st.fixed_dictionaries(
        {}, optional={name: values | json_values for name, values in fields.items()}
    )


def encoded(value: Any) -> bytes:
    """JSON, with what JSON cannot hold (NaN, half characters) as Python writes it."""
    return json.dumps(value).encode()


def read_or_refuse(read: Callable[[Path], T], path: Path) -> T | None:
    """What a reader makes of a path; None where it refuses, in one sentence with the path.

    Any other exception goes on, and fails the test.
    """
    try:
        found = read(path)
    except InputError as error:
        event("refused")
        assert str(path) in str(error) and "\n" not in str(error), str(error)
        return None
    event("read")
    return found
