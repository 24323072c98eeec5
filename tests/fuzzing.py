"""Damaged files for the readers: any bytes, any text, and valid files with parts replaced.

ZSL_FUZZ_EXAMPLES sets how many inputs each test tries, ZSL_FUZZ_SEED the seed of the first one.
Each test prints how many inputs were read and how many refused (`pytest -rP`); with many inputs,
keep their files in memory (`--basetemp=/dev/shm/fuzz`).
"""

import collections
import functools
import inspect
import json
import os
import random
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from zsl_jax.errors import InputError

T = TypeVar("T")

NUM_INPUTS = int(os.environ.get("ZSL_FUZZ_EXAMPLES", "100"))
FIRST_SEED = int(os.environ.get("ZSL_FUZZ_SEED", "0"))

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
_NUMBERS = (0, 1, -1, 2, 10**400, -(10**30), float("nan"), float("inf"), -0.5, 1.0, 0.5, 1e-9)
_STRINGS = ("", " ", "_", "O", "B-X", "\t", "\u200b", "0.5", "\ud800", "true", "yes", "3-7")
_LETTERS = "aB1_ .:/-éß中\u05e9\u0301\u200d\u202e\U0001f469\x00\x85\ufeff\t\n'\"\\"


class Generator(random.Random):
    """Draws the parts of one input; the same seed draws the same input."""

    def chance(self, share: float) -> bool:
        """Whether something happens that happens in this share of inputs."""
        return self.random() < share

    def some(self, values: Sequence[T], most: int | None = None) -> list[T]:
        """Some of the values in any order, each at most once."""
        return self.sample(values, self.randint(0, min(most or len(values), len(values))))

    def several(self, draw: Callable[[], T], most: int = 3) -> list[T]:
        """A list of at most so many drawn values."""
        return [draw() for _ in range(self.randint(0, most))]

    def text(self, most: int = 4) -> str:
        """A string of unusual characters."""
        return "".join(self.choices(_LETTERS, k=self.randint(0, most)))

    def scalar(self) -> Any:
        """Any value of JSON that holds no other one."""
        values = (None, True, False, self.choice(_NUMBERS), self.choice(_STRINGS), self.text())
        return self.choice((*values, self.randint(-3, 20), self.uniform(-1, 2)))

    def json_value(self, depth: int = 2) -> Any:
        """Any value of JSON."""
        kind = self.randrange(4) if depth else 0
        if kind == 1:
            return self.several(lambda: self.json_value(depth - 1))
        if kind == 2:
            return {self.text(3): self.json_value(depth - 1) for _ in range(self.randint(0, 3))}
        return self.scalar()

    def json_object(self, fields: dict[str, Any], present: float = 0.5) -> dict[str, Any]:
        """An object in which each field is there or not, as it should be or any value."""
        return {
            name: value if self.chance(0.85) else self.json_value()
            for name, value in fields.items()
            if self.chance(present)
        }

    def damaged(self, *valid: bytes) -> bytes:
        """Bytes of a file: near a valid one, or, seldom, any at all."""
        kind = self.randrange(12)
        if kind == 0:
            return self.randbytes(self.randint(0, 60))
        if kind == 1:
            return self.text(60).encode("utf-8", "replace")
        return self._mutated(self.choice(valid))

    def _mutated(self, data: bytes) -> bytes:
        """A file, a few of whose parts are removed, doubled, or replaced."""
        for _ in range(self.choice((0, 1, 1, 1, 2, 2, 3, 5))):
            start, other = self.randint(0, len(data)), self.randint(0, len(data))
            end = start + self.choice((0, 0, 1, 2, 4, 8, 40))
            copied = data[other : other + self.randint(1, 40)]
            new = self.choice((self.choice(_BYTES), self.randbytes(self.randint(0, 8)), copied))
            data = data[:start] + new + data[end:]
        return data


outcomes: collections.Counter[str] = collections.Counter()


def fuzz(test: Callable[..., None]) -> Callable[..., None]:
    """Runs a test once per input; its argument `rng`, no fixture, draws the input."""
    signature = inspect.signature(test)

    @functools.wraps(test)
    def run(**fixtures: Any) -> None:
        outcomes.clear()
        for seed in range(FIRST_SEED, FIRST_SEED + NUM_INPUTS):
            try:
                test(**fixtures, rng=Generator(seed))
            except BaseException as error:
                error.add_note(f"repeat it with ZSL_FUZZ_SEED={seed} ZSL_FUZZ_EXAMPLES=1")
                raise
        print(f"{NUM_INPUTS} inputs:", *(f"{outcomes[key]} {key}" for key in sorted(outcomes)))

    kept = [value for name, value in signature.parameters.items() if name != "rng"]
    run.__signature__ = signature.replace(parameters=kept)  # type: ignore[attr-defined]
    return run


def encoded(value: Any) -> bytes:
    """JSON, with what JSON cannot hold (NaN, half characters) as Python writes it."""
    return json.dumps(value).encode()


def read_or_refuse(read: Callable[[Path], T], path: Path) -> T | None:
    """What a reader makes of a path; None where it refuses, in one sentence with the path.

    Any other exception propagates and fails the test.
    """
    try:
        value = read(path)
    except InputError as error:
        outcomes["refused"] += 1
        assert str(path) in str(error) and "\n" not in str(error), str(error)
        return None
    outcomes["read"] += 1
    return value
