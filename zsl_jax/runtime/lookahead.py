"""Overlaps the use of results with the computation of the next ones."""

import collections
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")
PREPARED = 2  # items that wait to be used
_END = object()


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


def prepared(items: Iterable[T]) -> Iterator[T]:
    """Yields the items in order, which another thread requests ahead.

    What the host does to make an item, such as filling a batch, is done while the item before is
    used. An error is raised where its item would come.

    Args:
      items: The items; what makes them must not call collectives.

    >>> list(prepared("ab"))
    ['a', 'b']
    """
    rest: Iterator[Any] = iter(items)
    with ThreadPoolExecutor(1, "preparing") as pool:  # one thread, so that the order is kept
        waiting: collections.deque[Future[Any]] = collections.deque()
        for _ in range(PREPARED):
            waiting.append(pool.submit(next, rest, _END))
        while (item := waiting.popleft().result()) is not _END:
            waiting.append(pool.submit(next, rest, _END))
            yield item
