"""The predictions of all sources in one alphabet: votes on the flat axis of words."""

import os
from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float

from zsl_jax.data.predictions.memmap import to_memmap
from zsl_jax.data.predictions.source_predictions import (
    CHECKED_AT_ONCE,
    SourcePredictions,
    check_probs,
    one_hot_rows,
)
from zsl_jax.errors import InputError
from zsl_jax.labels import SourceLabels
from zsl_jax.types import SourceVotes

NO_VOTES = (
    "no source predicts a label for any word of the text; check that the sources and the text "
    "belong together"
)


def source_votes(
    predictions: Sequence[SourcePredictions],
    source_labels: SourceLabels,
    names: Sequence[str],
    folder: str | os.PathLike[str] | None = None,
    soft: bool | None = None,
) -> SourceVotes:
    """Brings the predictions of all sources for one text into one alphabet.

    Args:
      predictions: U sources, each for the same N words (see `check_words`).
      source_labels: The V labels that sources give.
      names: The U sources' names, for the error messages.
      folder: Where the probabilities go while they are needed (see `to_memmap`); None keeps them
        in memory.
      soft: Whether probabilities are wanted; by default, if any source has them.

    Returns:
      labels [N, U] int32; probs [N, U, V] float16, columns in the alphabet's order, rows that sum
      to 1 or are zero where a source abstains, one-hot for sources that give labels only, None if
      none are wanted; and what each source's labels may mean.

    Raises:
      InputError: If a source has a label that the alphabet lacks, another number of words than the
        first source, or probabilities that do not form a distribution.
    """
    num_words = len(predictions[0].labels)
    labels = np.empty((num_words, len(predictions)), dtype=np.int32)
    columns = []
    for place, (source, name) in enumerate(zip(predictions, names, strict=True)):
        if len(source.labels) != num_words:
            raise InputError(
                f"the source {name} has {len(source.labels)} words, but {names[0]} has "
                f"{num_words}; let all sources predict the same text"
            )
        columns.append(source_labels.encode(source.label_names, where=f"the source {name}"))
        labels[:, place] = np.append(columns[-1], np.int32(-1))[source.labels]
        if source.probs is not None:
            check_probs(source.probs, source.words, f"the source {name}")
    probs = None
    if any(source.probs is not None for source in predictions) if soft is None else soft:
        blocks = _normalised(predictions, columns, source_labels.size)
        probs = to_memmap(blocks, (len(predictions), source_labels.size), folder)
    compatible = np.stack([source_labels.compatible(source.label_names) for source in predictions])
    return SourceVotes(
        labels, probs, compatible, source_labels.first_targets, silent=source_labels.silent
    )


def _normalised(
    predictions: Sequence[SourcePredictions], columns: Sequence[np.ndarray], num_source_labels: int
) -> Iterator[Float[np.ndarray, "C U V"]]:
    """Blocks of all sources' rows, made to sum to 1, in the columns of the alphabet."""
    num_words = len(predictions[0].labels)
    for start in range(0, num_words, CHECKED_AT_ONCE):
        rows = slice(start, min(start + CHECKED_AT_ONCE, num_words))
        block = np.zeros((rows.stop - start, len(predictions), num_source_labels), np.float16)
        for place, source in enumerate(predictions):
            if source.probs is None:
                block[:, place, columns[place]] = one_hot_rows(
                    source.labels[rows], len(columns[place])
                )
                continue
            probs = source.probs[rows].astype(np.float32)
            totals = probs.sum(axis=1)
            labelled = (source.labels[rows] >= 0) & (totals > 0)
            scale = np.where(labelled, 1 / np.where(labelled, totals, 1), 0)
            block[:, place, columns[place]] = probs * scale[:, None]
        yield block
