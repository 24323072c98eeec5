"""Whether the first column of a file numbers its words."""

import enum
import re
from collections.abc import Sequence

_INTEGER = re.compile(r"[0-9]{1,9}")
_NO_WORD = re.compile(r"[0-9]+[-.][0-9]+")  # multiword tokens and empty nodes of CoNLL-U


class Numbering(enum.Enum):
    """How column 0 numbers the words.

    NONE: not at all. CONLLU: from 1 in each sentence, which an empty line ends; 1-2 and 1.1 may
    stand between the words. RESTARTS: from 0 or 1 in each sentence. RUNS_ON: throughout the file.
    """

    NONE = enum.auto()
    CONLLU = enum.auto()
    RESTARTS = enum.auto()
    RUNS_ON = enum.auto()


def numbering_of(sentences: Sequence[Sequence[str]]) -> Numbering:
    """Whether the first fields of lines number the words.

    >>> numbering_of([["0", "1", "2"], ["0", "1"]]), numbering_of([["3", "1"]])
    (<Numbering.RESTARTS: 3>, <Numbering.NONE: 1>)
    """
    found = [[f for f in fields if not _NO_WORD.fullmatch(f)] for fields in sentences]
    if not all(_INTEGER.fullmatch(field) for fields in found for field in fields):
        return Numbering.NONE
    numbers = [[int(field) for field in fields] for fields in found if fields]
    if not numbers or numbers[0][0] > 1 or max(map(max, numbers)) == numbers[0][0]:
        return Numbering.NONE
    start = numbers[0][0]
    if all(_counts(own, start) for own in numbers):
        return Numbering.RESTARTS
    flat = [number for own in numbers for number in own]
    return Numbering.RUNS_ON if flat == [*range(start, start + len(flat))] else Numbering.NONE


def _counts(numbers: Sequence[int], start: int) -> bool:
    """Whether numbers count from the start, once or several times."""
    pairs = zip([start - 1, *numbers], numbers, strict=False)
    return numbers[0] == start and all(new in (old + 1, start) for old, new in pairs)
