"""Results that are looked at while what follows them is computed."""

import collections
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def lookahead(items: Iterable[T], by: int = 1) -> Iterator[T]:
    """The items in order, each when `by` more of them have been asked for.

    Where asking for an item starts a computation that goes on by itself, those of the next items
    run while the host takes the result of this one.

    Args:
      items: Read as they are needed.
      by: How many run ahead.

    >>> asked = (print("asks for", item) or item for item in "ab")
    >>> for item in delayed(asked):
    ...     print("has", item)
    asks for a
    asks for b
    has a
    has b
    """
    waiting: collections.deque[T] = collections.deque()
    for item in items:
        waiting.append(item)
        if len(waiting) > by:
            yield waiting.popleft()
    yield from waiting
