"""Predictions from Python code, checked as files of predictions are when they are read."""

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from zsl_jax.data.predictions.prediction_files import agreed_abstentions
from zsl_jax.data.predictions.same_words import check_words
from zsl_jax.data.predictions.source_predictions import (
    SourcePredictions,
    check_label_names,
    check_probs,
)
from zsl_jax.data.predictions.unspecified import without_unspecified
from zsl_jax.data.text.compact_text import CompactWords
from zsl_jax.errors import InputError
from zsl_jax.types import Sentence


def checked_predictions(
    given: SourcePredictions, text: Sequence[Sentence], where: str
) -> SourcePredictions:
    """Returns predictions whose arrays, label names and words are those that a file would give.

    Args:
      given: Predictions that the user made, perhaps of lists.
      text: N words, for which they must be.
      where: Names the source in messages.

    Raises:
      InputError: The words differ from the text's, or labels or probabilities contradict them.
    """
    words = given.words
    if not isinstance(words, CompactWords):
        rows = list(words) if isinstance(words, Iterable) else [words]
        if not all(isinstance(row, Iterable) for row in rows):
            raise InputError(f"{where}: its words are {words!r:.80}; give those of each sentence")
        words = tuple(map(tuple, rows))
    made = given._replace(label_names=checked_names(given.label_names, where), words=words)
    check_words(made, text, where)
    made = made._replace(labels=_label_ids(made, where))
    if made.probs is not None:
        made = made._replace(probs=checked_probs(made.probs, made.label_names, words, where))
    names, labels, probs = without_unspecified(made.label_names, made.labels, made.probs)
    probs = None if probs is None else probs.astype(np.float16, copy=False)
    return agreed_abstentions(made._replace(label_names=names, labels=labels, probs=probs))


def checked_names(label_names: Sequence[str], where: str) -> tuple[str, ...]:
    """Returns label names, each a distinct name that every format can hold.

    Raises:
      InputError: They are something else.
    """
    if isinstance(label_names, str | Set | Mapping) or not isinstance(label_names, Iterable):
        raise InputError(
            f"{where}: the label names are {label_names!r:.80}; give a list of names in the order "
            "of their ids"
        )
    names = tuple(str(name) if isinstance(name, str) else name for name in label_names)
    check_label_names(names, where)
    return names


def check_unmasked(array: Any, where: str) -> None:
    """Refuses a masked array, whose mask would be lost.

    Raises:
      InputError: It is one.
    """
    if isinstance(array, np.ma.MaskedArray):
        raise InputError(
            f"{where}: masked arrays are not read; give abstentions as label -1 or as a row of "
            "zeros, with `array.filled(-1)` or `array.filled(0)`"
        )


def checked_probs(
    given: Any, label_names: Sequence[str], words: Sequence[Sequence[str]], where: str
) -> Float[np.ndarray, "N K"]:
    """Returns probabilities as float16; each row is a distribution, or zero.

    Args:
      given: [N, K], an array of NumPy, JAX or PyTorch, of any floating type.
      label_names: K names.
      words: The words of each sentence, N together.
      where: Names the source in messages.

    Raises:
      InputError: They are something else.
    """
    probs = given if isinstance(given, np.ndarray) else np.asarray(given)
    check_unmasked(probs, where)
    size = (sum(map(len, words)), len(label_names))
    if probs.shape != size or not is_floating(probs):
        raise InputError(
            f"{where}: probabilities are {probs.dtype} {probs.shape}; give floating-point numbers "
            f"{size}, one for each word and label name"
        )
    check_probs(probs, words, where)
    return probs if probs.dtype == np.float16 else probs.astype(np.float16)


def is_floating(array: np.ndarray) -> bool:
    """Whether an array holds floating-point numbers, bfloat16 included."""
    return array.dtype.kind == "f" or array.dtype.name == "bfloat16"


def _label_ids(made: SourcePredictions, where: str) -> Int[np.ndarray, " N"]:
    check_unmasked(made.labels, where)
    labels, num_words = np.asarray(made.labels), sum(map(len, made.words))
    if labels.shape != (num_words,) or not np.issubdtype(labels.dtype, np.integer):
        raise InputError(
            f"{where}: its labels are {labels.dtype} {labels.shape}; give [{num_words}] label ids"
        )
    most = len(made.label_names) - 1
    if num_words and not -1 <= labels.min() <= labels.max() <= most:
        raise InputError(
            f"{where}: label ids must be from -1 (abstains) to {most}, the last of "
            f"{len(made.label_names)} label names; they are from {labels.min()} to {labels.max()}"
        )
    return labels.astype(np.int32)
