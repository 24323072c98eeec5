"""The predictions of one source for every word of a corpus, and checks of them."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from zsl_jax.data.text.checks import UNWRITABLE, check_visible
from zsl_jax.data.text.compact_text import CompactWords
from zsl_jax.errors import InputError
from zsl_jax.labels import OUTSIDE, SILENT
from zsl_jax.types import with_array_equality

SUM_TOLERANCE = 1e-2
CHECKED_AT_ONCE = 1 << 16


@with_array_equality
class SourcePredictions(NamedTuple):
    """The predictions of one source, flat over the words of its sentences.

    Attributes:
      label_names: The source's K labels, in the order of its ids and of its probabilities.
      labels: [N] int32, label ids; -1 where the source abstains.
      probs: [N, K] float16, each row a distribution, all zero where the source abstains; None if
        the source gave labels only.
      words: The words of each sentence; N words together.
      about: How they came about, in plain values, such as {"decode": "viterbi"}; a label need not
        be the most probable one of its word. Parquet files keep it.
      sets: Names of labels or entity types that a label map made, each for several of the target's.
    """

    label_names: tuple[str, ...]
    labels: Int[np.ndarray, " N"]
    probs: Float[np.ndarray, "N K"] | None
    words: Sequence[tuple[str, ...]]
    about: Mapping[str, Any] = MappingProxyType({})
    sets: Mapping[str, tuple[str, ...]] = MappingProxyType({})


def predictions_of_probs(
    label_names: Sequence[str], probs: Float[np.ndarray, "N K"], words: Sequence[tuple[str, ...]]
) -> SourcePredictions:
    """Predictions whose labels are the most probable ones; all-zero rows abstain."""
    names, labels = tuple(label_names), most_probable_labels(probs)
    return SourcePredictions(names, labels, probs.astype(np.float16), words)


def most_probable_labels(probs: Float[np.ndarray, "N K"]) -> Int[np.ndarray, " N"]:
    """[N] int32, the label ids with the largest probability; -1 for all-zero rows."""
    return np.where(probs.any(axis=1), probs.argmax(axis=1), -1).astype(np.int32)


def one_hot_rows(labels: Int[np.ndarray, " N"], num_labels: int) -> Float[np.ndarray, "N K"]:
    """Labels as distributions: float16 rows, all zero where there is no label (-1).

    >>> one_hot_rows(np.array([1, -1]), 2).tolist()
    [[0.0, 1.0], [0.0, 0.0]]
    """
    return np.eye(num_labels + 1, num_labels, dtype=np.float16)[labels]


def with_silence(predictions: SourcePredictions) -> SourcePredictions:
    """The predictions of a source that names few things: where it gives O, it is silent.

    A gazetteer or a rule that names nothing knows nothing about a word. The label `SILENT` stands
    for O, but is a label of its own, so that a label model can learn what it is worth.

    Args:
      predictions: In BIO.
    """
    names = (*predictions.label_names, SILENT)
    outside = names.index(OUTSIDE) if OUTSIDE in names else -2
    silent = predictions.labels == outside
    labels = np.where(silent, np.int32(len(names) - 1), predictions.labels)
    probs = predictions.probs
    if probs is not None:
        probs = np.where(silent[:, None], np.float16(0), probs)
        probs = np.concatenate([probs, silent[:, None].astype(np.float16)], axis=1)
    sets = {**predictions.sets, SILENT: (OUTSIDE,)}
    return predictions._replace(label_names=names, labels=labels, probs=probs, sets=sets)


def place_of_word(
    words: Sequence[Sequence[str]], index: int, where: str, first_sentence: int = 1
) -> str:
    """Names the place of a word, for an error message.

    Args:
      words: The words of each sentence.
      index: The word's place on the flat axis of all words, from 0.
      where: The file or source.
      first_sentence: The number of the first of the sentences in that file.

    >>> place_of_word([("a",), (), ("b", "c")], 2, "a.parquet")
    "a.parquet, sentence 3, word 2 ('c')"
    """
    for sentence, own in enumerate(words, start=first_sentence):
        if index < len(own):
            return f"{where}, sentence {sentence}, word {index + 1} ({own[index]!r})"
        index -= len(own)
    raise IndexError("there are fewer words than that")


def check_label_names(label_names: Sequence[str], where: str) -> None:
    """Checks that label names are distinct non-empty strings that every format can hold.

    Args:
      label_names: The label names of a file.
      where: The file, for the error message.

    Raises:
      InputError: If they are not.
    """
    for name in label_names:
        if not isinstance(name, str) or not name or UNWRITABLE.search(name):
            raise InputError(
                f"{where}: the label name {name!r} is empty, is not a string, or has a tab or a "
                "line end; give each label a name"
            )
        check_visible(where, name)
        if label_names.count(name) > 1:
            raise InputError(f"{where}: the label name {name!r} occurs twice; give it once")


def check_lengths(
    expected: Int[np.ndarray, " S"],
    found: Int[np.ndarray, " S"],
    what: str,
    where: str,
    first_sentence: int = 1,
) -> None:
    """Checks that each of S sentences has as many labels (or numbers) as its words ask for.

    Args:
      expected: [S], how many there should be.
      found: [S], how many there are.
      what: What they are, for the error message, such as "labels".
      where: The file, for the error message.
      first_sentence: The number of the first of the sentences in that file.

    Raises:
      InputError: If a sentence differs; the message names it.
    """
    wrong = np.flatnonzero(np.asarray(expected) != np.asarray(found))
    if wrong.size:
        row = int(wrong[0])
        raise InputError(
            f"{where}, sentence {row + first_sentence}: {found[row]} {what}, but its words need "
            f"{expected[row]}; write the sentence again"
        )


def check_probs(
    probs: Float[np.ndarray, "N K"],
    words: Sequence[Sequence[str]],
    where: str,
    first_sentence: int = 1,
) -> None:
    """Checks that every row is a distribution, or all zero (the source abstains).

    Args:
      probs: [N, K], one row per word.
      words: The words of each sentence, N together.
      where: The file or source, for the error message.
      first_sentence: The number of the first sentence of `words` in that file.

    Raises:
      InputError: If a number is NaN, infinite or negative, or a row does not sum to 1 +- 0.01; the
        message names the sentence and the word.
    """
    for start in range(0, len(probs), CHECKED_AT_ONCE):
        block = np.asarray(probs[start : start + CHECKED_AT_ONCE], dtype=np.float32)
        with np.errstate(invalid="ignore", over="ignore"):
            totals = block.sum(axis=1)
            valid = np.isfinite(block).all(axis=1) & (block >= 0).all(axis=1)
            sums_to_one = (np.abs(totals - 1) <= SUM_TOLERANCE) | (totals == 0)
        wrong = np.flatnonzero(~(valid & sums_to_one))
        if wrong.size:
            row = int(wrong[0])
            place = place_of_word(words, start + row, where, first_sentence)
            raise InputError(
                f"{place}: {_fault(block[row])}; write one probability per label, summing to 1, or "
                "all zeros where the source abstains"
            )


def _fault(row: Float[np.ndarray, " K"]) -> str:
    """Describes what is wrong with one row of probabilities."""
    if np.isnan(row).any():
        return "a probability is NaN"
    if not np.isfinite(row).all():
        return "a probability is infinite"
    if (row < 0).any():
        return f"a probability is negative ({row.min():.4g}), as logits and logarithms are"
    percent = ", as percentages do" if abs(row.sum() - 100) < 100 * SUM_TOLERANCE else ""
    return f"the probabilities sum to {row.sum():.4g}{percent}"


def joined_about(found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Merges the `about` of predictions that are put together.

    Args:
      found: Their `about`.

    Returns:
      Whole numbers are counts and summed; of other values, all that occur are listed.

    >>> joined_about([{"scheme": "bio", "repairs": 2}, {"scheme": "io", "repairs": 1}])
    {'scheme': 'bio, io', 'repairs': 3}
    """
    joined: dict[str, Any] = {}
    for key in dict.fromkeys(key for about in found for key in about):
        values = [about[key] for about in found if key in about]
        if all(type(value) is int for value in values):
            joined[key] = sum(values)
        else:
            joined[key] = ", ".join(dict.fromkeys(map(str, values)))
    return joined


def split_predictions(
    predictions: SourcePredictions, num_sentences: int
) -> tuple[SourcePredictions, SourcePredictions]:
    """The predictions for the first sentences, and those for the rest; arrays are not copied.

    >>> made = SourcePredictions(("A",), np.array([0, -1, 0]), None, [("a", "b"), ("c",)])
    >>> [part.labels.tolist() for part in split_predictions(made, 1)]
    [[0, -1], [0]]
    """
    num_words = sum(len(words) for words in predictions.words[:num_sentences])
    head, tail = (
        predictions._replace(
            labels=predictions.labels[rows],
            probs=None if predictions.probs is None else predictions.probs[rows],
            words=predictions.words[sentences],
        )
        for rows, sentences in (
            (slice(num_words), slice(num_sentences)),
            (slice(num_words, None), slice(num_sentences, None)),
        )
    )
    return head, tail


def join_predictions(blocks: Sequence[SourcePredictions]) -> SourcePredictions:
    """Puts the labels and words of the blocks of one corpus together.

    Args:
      blocks: At least one block; all of the same source.

    Returns:
      The predictions over all the blocks' sentences, in order, without probabilities.
    """
    return SourcePredictions(
        label_names=blocks[0].label_names,
        labels=np.concatenate([block.labels for block in blocks]),
        probs=None,
        words=CompactWords.joined(CompactWords.of(block.words) for block in blocks),
        about=blocks[0].about,
    )
