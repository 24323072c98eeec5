"""Overlaps the use of results with the computation of the next ones."""

import collections
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def lookahead(items: Iterable[T], by: int = 1) -> Iterator[T]:
    """Yields the items in order, each after `by` more of them have been requested.

    If requesting an item starts an asynchronous computation, the next items are computed while the
    host processes this one.

    Args:
      items: The items, requested as needed.
      by: How many items to request ahead.

    >>> asked = (print("asks for", item) or item for item in "ab")
    >>> for item in lookahead(asked):
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
