"""Offsets of other programs: they count characters, UTF-16 units (JavaScript, Java), or bytes."""

from collections.abc import Callable

from zsl_jax.errors import InputError

UNITS = ("characters", "utf16", "bytes")
# What to add to start and end where a program counts otherwise than from 0 with the end excluded:
# how it counts, and what to do.
SHIFTS = {
    (0, 1): ("they included their ends", "add 1 to every end"),
    (-1, -1): ("they counted from 1", "subtract 1 from every start and end"),
    (-1, 0): ("they counted from 1 and included their ends", "subtract 1 from every start"),
}
_ENCODINGS = {"utf16": ("utf-16-le", 2), "bytes": ("utf-8", 1)}


def check_unit(unit: object) -> None:
    """Checks what the user names as what offsets count.

    Raises:
      InputError: It is not one of `UNITS`.
    """
    if unit not in UNITS:
        raise InputError(f"`offsets`={unit!r}: a unit is one of {', '.join(UNITS)}; choose one")


def character_offset(text: str, unit: str) -> Callable[[int], int | None]:
    """Converts offsets in some unit to offsets in characters.

    Args:
      text: The text.
      unit: One of `UNITS`.

    Returns:
      A function; None for an offset inside a character or beyond the end.

    >>> to_characters = character_offset("\U0001f45e Al", "utf16")
    >>> [to_characters(offset) for offset in (0, 1, 2, 5, 6)]
    [0, None, 1, 4, None]
    """
    if unit == "characters":
        return lambda offset: offset if 0 <= offset <= len(text) else None
    encoding, size = _ENCODINGS[unit]
    data = text.encode(encoding, "surrogatepass")

    def to_characters(offset: int) -> int | None:
        if not 0 <= offset * size <= len(data):
            return None
        try:
            return len(data[: offset * size].decode(encoding))
        except UnicodeDecodeError:
            return None

    return to_characters


def other_units(text: str) -> list[str]:
    """The units in which offsets of a text can differ from those in characters."""
    found = []
    if any(char > "\uffff" for char in text):
        found.append("utf16")
    if not text.isascii():
        found.append("bytes")
    return found
