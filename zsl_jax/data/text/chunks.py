"""A text of any length, some sentences at a time."""

import itertools
from collections.abc import Iterable, Iterator
from typing import TypeVar

from zsl_jax.types import Sentence

Item = TypeVar("Item")


def chunks_of(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Lists of `size` consecutive items, such as sentences; the last one may have fewer.

    >>> list(chunks_of("abc", 2))
    [['a', 'b'], ['c']]
    """
    rest = iter(items)
    return iter(lambda: list(itertools.islice(rest, size)), [])


def chunks_of_words(sentences: Iterable[Sentence], most_words: int) -> Iterator[list[Sentence]]:
    """Cuts a text into lists of consecutive sentences.

    Args:
      sentences: The text; no further sentence is read than the first of the next chunk.
      most_words: Words of a chunk, which only a single longer sentence exceeds.

    Yields:
      The chunks in order, each with at least one sentence.

    >>> text = [Sentence(("a", "b")), Sentence(("c",)), Sentence(("d", "e", "f"))]
    >>> [len(chunk) for chunk in chunks_of_words(text, 3)]
    [2, 1]
    """
    chunk: list[Sentence] = []
    num_words = 0
    for sentence in sentences:
        if chunk and num_words + len(sentence.words) > most_words:
            yield chunk
            chunk, num_words = [], 0
        chunk.append(sentence)
        num_words += len(sentence.words)
    if chunk:
        yield chunk
