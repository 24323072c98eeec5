"""A text of any length, some sentences at a time."""

from collections.abc import Iterable, Iterator

from zsl_jax.types import Sentence


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
