"""The text of a run, some sentences at a time, with all labels of each word."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from zsl_jax.data.predictions.label_table import LabelTable, read_label_tables
from zsl_jax.data.predictions.parquet_reader import stream_parquet
from zsl_jax.errors import InputError
from zsl_jax.io.run_files import LABELS, VOTES


class LabelledWords(NamedTuple):
    """Some sentences of n words.

    Attributes:
      sentences: The words of each.
      first: The number of the first of them in the text, from 0.
      columns: Whose labels they are: "Q" (or "P") and the columns of votes.parquet.
      label_names: V names; the first K of them are the target's.
      ids: [n, C], label ids; -1 where there is none.
      probs: [n, K], the distribution of the first column.
    """

    sentences: Sequence[tuple[str, ...]]
    first: int
    columns: tuple[str, ...]
    label_names: tuple[str, ...]
    ids: Int[np.ndarray, "n C"]
    probs: Float[np.ndarray, "n K"]

    @property
    def starts(self) -> Int[np.ndarray, " m"]:
        """Where each sentence begins among the words."""
        return np.cumsum([0, *(len(words) for words in self.sentences)])[:-1]

    def sums(self, values: np.ndarray) -> np.ndarray:
        """[m, ...], sums of the words' values [n, ...] by sentence; 0 for one without words."""
        found = np.zeros((len(self.sentences), *values.shape[1:]))
        begins = [len(words) > 0 for words in self.sentences]
        if any(begins):
            found[begins] = np.add.reduceat(values, self.starts[begins], dtype=np.float64)
        return found


def read_labelled_words(folder: Path, labels_from: str) -> Iterator[LabelledWords]:
    """Reads labels.parquet and votes.parquet of a run side by side, in constant memory.

    Args:
      folder: Of the run.
      labels_from: What labels.parquet holds, "Q" or "P".

    Raises:
      InputError: One of the files is damaged, or they belong to different texts.
    """
    votes = _Rows(read_label_tables(folder / VOTES), folder)
    number = 0
    for block in stream_parquet(folder / f"{LABELS}.parquet"):
        table = votes.take(len(block.labels))
        if block.probs is None or table.label_names[: len(block.label_names)] != block.label_names:
            raise InputError(
                f"{folder / VOTES} and {LABELS}.parquet are of different runs; run the "
                "transfer again"
            )
        ids = np.concatenate([block.labels[:, None], table.ids], axis=1)
        probs = block.probs.astype(np.float32)
        columns = (labels_from, *table.columns)
        yield LabelledWords(block.words, number, columns, table.label_names, ids, probs)
        number += len(block.words)
    votes.check_end()


class _Rows:
    """Rows of tables that come in blocks of other sizes."""

    def __init__(self, tables: Iterator[LabelTable], folder: Path):
        self._tables, self._folder = tables, folder
        self._rest: LabelTable | None = None  # of the last table, perhaps no rows

    def take(self, count: int) -> LabelTable:
        """The next rows."""
        parts: list[LabelTable] = []
        while count or not parts:
            table = self._rest
            if table is None or (count and not len(table.ids)):
                table = next(self._tables, None)
            if table is None:
                raise self._too_short()
            parts.append(table._replace(ids=table.ids[:count]))
            self._rest = table._replace(ids=table.ids[count:])
            count -= len(parts[-1].ids)
        return parts[0]._replace(ids=np.concatenate([part.ids for part in parts]))

    def check_end(self) -> None:
        """Raises if there are more rows."""
        has_rest = self._rest is not None and len(self._rest.ids) > 0
        if has_rest or next(self._tables, None) is not None:
            raise self._too_short()

    def _too_short(self) -> InputError:
        return InputError(
            f"{self._folder / VOTES} and {LABELS}.parquet differ in their number of words; run the "
            "transfer again"
        )
