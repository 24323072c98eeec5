"""Labelled text, block by block, and the files that it is written to."""

import itertools
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from zsl_jax.data.predictions.parquet_writer import write_prediction_blocks
from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.data.text.checks import MISSING_LABEL
from zsl_jax.data.text.compact_text import CompactText
from zsl_jax.data.text.writers import write_conll, write_jsonl, write_spans
from zsl_jax.errors import InputError
from zsl_jax.types import Sentence, with_array_equality

# Formats that names promise and no writer has.
_NOT_WRITTEN = set(".conllu .csv .html .iob2 .json .ods .xls .xlsx .xml .yaml .yml".split())


@with_array_equality
class LabelledText(NamedTuple):
    """Sentences with labels, N words together.

    Attributes:
      sentences: The text.
      label_names: K names.
      labels: [N], label ids; -1 where there is none.
      probs: [N, K], the probabilities of each word by itself.
    """

    sentences: Sequence[Sentence]
    label_names: tuple[str, ...]
    labels: Int[np.ndarray, " N"]
    probs: Float[np.ndarray, "N K"]

    def rows(self) -> Iterator[tuple[Sentence, tuple[str, ...]]]:
        """Each sentence with its labels by name."""
        words = [sentence.words for sentence in self.sentences]
        names = labels_by_sentence(self.label_names, words, self.labels)
        return zip(self.sentences, names, strict=True)

    def scored_rows(self) -> Iterator[tuple[Sentence, tuple[str, ...], list[float]]]:
        """The same with the probability of each word's label; 0 where there is no label."""
        best = np.take_along_axis(self.probs, np.maximum(self.labels, 0)[:, None], axis=1)[:, 0]
        words = [sentence.words for sentence in self.sentences]
        scores = by_sentence(words, np.where(self.labels < 0, 0, best).tolist())
        return ((*row, own) for row, own in zip(self.rows(), scores, strict=True))

    def predictions(self) -> SourcePredictions:
        """The same as predictions of a source, with probabilities of half the size."""
        words = CompactText.of(self.sentences).words
        labels, probs = self.labels.astype(np.int32), self.probs.astype(np.float16)
        return SourcePredictions(self.label_names, labels, probs, words)


def format_of(path: str | os.PathLike[str]) -> str:
    """The format in which `write_labelled` writes a file whose format is not given.

    Raises:
      InputError: The name is that of another format.
    """
    name = os.fspath(path)
    suffix = Path(name.removesuffix(".gz")).suffix.lower()
    ending = suffix + name[len(name.removesuffix(".gz")) :]
    if suffix in _NOT_WRITTEN or ending == ".parquet.gz":
        raise InputError(
            f"{name}: {ending} is not written; let the name end in .conll, .jsonl or .parquet, "
            "or give `output_format`"
        )
    return {".parquet": "parquet", ".jsonl": "jsonl"}.get(suffix, "conll")


def write_labelled(
    path: str | os.PathLike[str],
    label_names: Sequence[str],
    blocks: Iterable[LabelledText],
    output_format: str | None = None,
    about: Mapping[str, Any] | None = None,
) -> int:
    """Writes labels as CoNLL, JSONL or spans, or labels and probabilities as Parquet.

    Each block is asked for when the one before is written. The file appears under its name when all
    are, and not at all if one raises.

    Args:
      path: The file, or "-" for the standard output.
      label_names: The K labels of all blocks.
      blocks: The text.
      output_format: "conll", "jsonl", "spans" or "parquet"; None lets the extension decide.
      about: How the labels came about, for Parquet.

    Returns:
      The number of words written.

    Raises:
      InputError: The file cannot be written, cannot hold a word or label, or has a name of another
        format.
    """
    name, output_format = os.fspath(path), output_format or format_of(path)
    num_words = 0

    def counted() -> Iterator[LabelledText]:
        nonlocal num_words
        for block in blocks:
            yield block
            num_words += len(block.labels)

    if output_format == "parquet":
        made = (block.predictions() for block in counted())
        write_prediction_blocks(path, label_names, made, about=about)
    elif output_format == "spans":
        write_spans(name, (row for block in counted() for row in block.scored_rows()))
    else:
        write = {"conll": write_conll, "jsonl": write_jsonl}[output_format]
        write(name, (row for block in counted() for row in block.rows()))
    return num_words


def labels_by_sentence(
    label_names: Sequence[str], words: Sequence[Sequence[str]], ids: Int[np.ndarray, " N"]
) -> list[tuple[str, ...]]:
    """Label names of each sentence, from label ids on the flat axis of words.

    Args:
      label_names: K names.
      words: The words of each sentence, N together, which is asserted.
      ids: [N], label ids; -1 where there is none.

    Returns:
      One name per word, "_" where there is none.

    >>> labels_by_sentence(["A", "B"], [["x", "y"], ["z"]], np.array([1, -1, 0]))
    [('B', '_'), ('A',)]
    """
    assert len(ids) == sum(map(len, words)), "as many labels as words"
    names = [*label_names, MISSING_LABEL]
    return list(map(tuple, by_sentence(words, [names[label] for label in ids.tolist()])))


def by_sentence(words: Sequence[Sequence[str]], flat: list[Any]) -> list[list[Any]]:
    """Values on the flat axis of words, cut where the sentences end."""
    ends = itertools.accumulate(map(len, words), initial=0)
    return [flat[begin:end] for begin, end in itertools.pairwise(ends)]
