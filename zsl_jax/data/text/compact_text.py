"""Sentences in Arrow arrays: little more memory than the text's bytes, decoded where they are read.

A word has no tab and no label has one, so that one Arrow string holds those of a sentence: their
bytes in UTF-8, one more per word, and eight per sentence.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Self, TypeVar, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Int

from zsl_jax.data.text.chunks import chunks_of
from zsl_jax.errors import InputError
from zsl_jax.types import Sentence

Item = TypeVar("Item")
JOINED = pa.large_string()
_WORDS = pa.schema({"words": JOINED})
_TEXT = pa.schema(
    {
        "words": JOINED,
        "labels": JOINED,
        "comments": pa.list_(pa.large_string()),
        "text": pa.large_string(),
        "starts": pa.list_(pa.int32()),
    }
)
_DECODED_AT_ONCE = 1 << 12  # sentences


class _Rows(Sequence[Item]):
    """A sequence whose items are the rows of an Arrow table; parts of it share its memory."""

    def __init__(self, table: pa.Table):
        self._table = table

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def __iter__(self) -> Iterator[Item]:
        for batch in self._table.to_batches(max_chunksize=_DECODED_AT_ONCE):
            yield from self._decoded(batch)

    @overload
    def __getitem__(self, place: int) -> Item: ...
    @overload
    def __getitem__(self, place: slice) -> Self: ...
    def __getitem__(self, place: Any) -> Any:
        rows = range(len(self))[place]
        if isinstance(rows, int):
            return next(iter(self[rows : rows + 1]))
        if rows.step == 1:
            return type(self)(self._table.slice(rows.start, len(rows)))
        return self.take(rows)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, type(self)):
            return bool(self._table.equals(other._table))
        if not isinstance(other, Sequence) or len(self) != len(other):
            return False
        return all(mine == theirs for mine, theirs in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def take(self, places: Sequence[int]) -> Self:
        """The items at some places, in their order."""
        if isinstance(places, range) and places.step == 1:
            return type(self)(self._table.slice(places.start, len(places)))
        return type(self)(self._table.take(pa.array(places, pa.int64())))

    @classmethod
    def joined(cls, parts: Iterable[Self]) -> Self:
        """One sequence after the other; nothing is copied."""
        return cls(pa.concat_tables([part._table for part in parts]))

    def _decoded(self, batch: pa.RecordBatch) -> Iterable[Item]:
        raise NotImplementedError


class CompactWords(_Rows[tuple[str, ...]]):
    """The words of each sentence of a text."""

    @classmethod
    def of(cls, sentences: Iterable[Sequence[str]]) -> Self:
        """Keeps the words of sentences, which may be read one by one."""
        if isinstance(sentences, cls):
            return sentences
        blocks = (
            {"words": list(map(_join, block))} for block in chunks_of(sentences, _DECODED_AT_ONCE)
        )
        return cls(_table(blocks, _WORDS))

    @classmethod
    def of_lists(cls, column: pa.Array) -> Self:
        """Keeps the words of an Arrow array of lists of strings; a null is a list without any.

        Raises:
          ValueError: A word is null, empty, or has a tab.
        """
        lists = pc.cast(column, pa.list_(JOINED))
        words = lists.flatten()
        unfit = pc.or_kleene(pc.equal(words, ""), pc.match_substring(words, "\t"))
        if words.null_count or pc.any(unfit).as_py():
            raise ValueError("a word is null, empty, or has a tab")
        joined = pc.binary_join(lists, pa.scalar("\t", JOINED))
        return cls(pa.table([pc.fill_null(joined, "")], _WORDS))

    @property
    def lengths(self) -> Int[np.ndarray, " M"]:
        """[M], the number of words of each sentence."""
        joined = self._table["words"]
        tabs = pc.count_substring(joined, "\t").to_numpy()
        return np.where(pc.equal(joined, "").to_numpy(), 0, tabs + 1).astype(np.int64)

    @property
    def flat(self) -> pa.Array:
        """All words, as an Arrow array of strings."""
        joined = self._table["words"].combine_chunks()
        return pc.split_pattern(joined.filter(pc.not_equal(joined, "")), "\t").flatten()

    def _decoded(self, batch: pa.RecordBatch) -> Iterable[tuple[str, ...]]:
        return map(_split, batch.column("words").to_pylist())


class CompactText(_Rows[Sentence]):
    """The sentences of a text."""

    @classmethod
    def of(cls, sentences: Iterable[Sentence]) -> Self:
        """Keeps sentences, which may be read one by one."""
        if isinstance(sentences, cls):
            return sentences
        return cls(_table(map(_columns, chunks_of(sentences, _DECODED_AT_ONCE)), _TEXT))

    @property
    def words(self) -> CompactWords:
        """The words of each sentence, in the same memory."""
        return CompactWords(self._table.select(["words"]))

    def _decoded(self, batch: pa.RecordBatch) -> Iterable[Sentence]:
        columns = (column.to_pylist() for column in batch.columns)
        for words, labels, comments, text, starts in zip(*columns, strict=True):
            yield Sentence(
                _split(words),
                None if labels is None else _split(labels),
                tuple(comments or ()),
                text,
                None if starts is None else tuple(starts),
            )


def _table(blocks: Iterable[dict[str, list[Any]]], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_batches(
        [pa.RecordBatch.from_pydict(block, schema=schema) for block in blocks], schema
    )


def _columns(sentences: Sequence[Sentence]) -> dict[str, list[Any]]:
    return {
        "words": [_join(s.words) for s in sentences],
        "labels": [None if s.labels is None else _join(s.labels) for s in sentences],
        "comments": [s.comments or None for s in sentences],
        "text": [s.text for s in sentences],
        "starts": [s.starts for s in sentences],
    }


def _join(words: Sequence[str]) -> str:
    joined = "\t".join(words)
    if "" in words or joined.count("\t") != max(len(words) - 1, 0):
        raise InputError(f"{words!r:.80} has a word that is empty or has a tab; remove it")
    return joined


def _split(joined: str) -> tuple[str, ...]:
    return tuple(joined.split("\t")) if joined else ()
