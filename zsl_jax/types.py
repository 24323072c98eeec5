"""The tuples that several packages share: text, packed subwords, and the sources' predictions.

Only `Sentence` can hold gold labels, and only the readers, supervised training and the evaluation
see a `Sentence`.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

import numpy as np
from jaxtyping import Bool, Float, Int

Class = TypeVar("Class", bound=type)


def with_array_equality(cls: Class) -> Class:
    """Gives a dataclass or named tuple with arrays an `==` that takes each array as one value.

    The generated `==` compares arrays element by element, which has no truth value. Instances are
    not hashable, since their arrays are mutable.

    >>> @with_array_equality
    ... class Scores(NamedTuple):
    ...     name: str
    ...     values: np.ndarray
    >>> Scores("a", np.zeros(2)) == Scores("a", np.zeros(2)), Scores("a", np.zeros(2)) == "a"
    (True, False)
    """

    def equal(one: Any, other: object) -> Any:
        if type(one) is not type(other):
            return NotImplemented
        return all(_same(getattr(one, name), getattr(other, name)) for name in _fields(cls))

    def unequal(one: Any, other: object) -> Any:
        same = equal(one, other)
        return same if same is NotImplemented else not same

    cls.__eq__, cls.__ne__, cls.__hash__ = equal, unequal, None  # type: ignore[assignment]
    return cls


def _fields(cls: Any) -> tuple[str, ...]:
    named = getattr(cls, "_fields", None)
    return named or tuple(field.name for field in dataclasses.fields(cls))


def _same(one: Any, other: Any) -> bool:
    if hasattr(one, "shape") or hasattr(other, "shape"):
        return np.array_equal(one, other)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    return bool(one == other)


class Sentence(NamedTuple):
    """One sentence of a corpus.

    Attributes:
      words: The words, each a non-empty string without tabs or line breaks.
      labels: One label name per word, or None for unlabelled text.
      comments: The comment lines before the sentence, as in the file.
      text: The raw text that was split into words; None if the file lists words.
      starts: Offset of each word in `text`, in characters; None without a text. The word is
        `text[start : start + len(word)]`.
    """

    words: tuple[str, ...]
    labels: tuple[str, ...] | None = None
    comments: tuple[str, ...] = ()
    text: str | None = None
    starts: tuple[int, ...] | None = None


class TokenBatch(NamedTuple):
    """Packed rows of subwords; several sentences share a row and do not attend to each other.

    Words form one flat axis over the corpus, which `word_ids` indexes. There is no field for gold.

    Attributes:
      token_ids: [R, S], subword ids.
      positions: [R, S], position of each subword in its own sentence (window), from 0.
      segments: [R, S], number of the sentence (window) inside its row, from 1; 0 is padding.
      word_ids: [R, S], the word whose first subword is here; -1 everywhere else.
    """

    token_ids: Int[np.ndarray, "R S"]
    positions: Int[np.ndarray, "R S"]
    segments: Int[np.ndarray, "R S"]
    word_ids: Int[np.ndarray, "R S"]

    @property
    def inputs(self) -> tuple[Any, Any, Any]:
        """The encoder's inputs."""
        return self.token_ids, self.positions, self.segments


class HiddenBatch(NamedTuple):
    """Rows packed as in `TokenBatch`, with the frozen layers' output for the subwords.

    Attributes:
      hidden: [R, S, H], the output of the frozen layers; arbitrary for padding.
      segments: [R, S], number of the sentence (window) inside its row, from 1; 0 is padding.
      word_ids: [R, S], the word whose first subword is here; -1 everywhere else.
    """

    hidden: Float[np.ndarray, "R S H"]
    segments: Int[np.ndarray, "R S"]
    word_ids: Int[np.ndarray, "R S"]

    @property
    def inputs(self) -> tuple[Any, Any, Any]:
        """Inputs of the encoder's trained layers; positions are part of the hidden states."""
        return self.hidden, None, self.segments


Batch = TokenBatch | HiddenBatch


class SourceVotes(NamedTuple):
    """Every source's prediction for every word, on the flat axis of words.

    The sources' V labels are the target's K, and names of sets of them.

    Attributes:
      labels: [N, U], each source's label id; -1 where it abstains.
      probs: [N, U, V] float16, each source's probabilities, all zero where it abstains; None if the
        sources gave labels only. For a long text it is memory-mapped.
      compatible: [U, V, K], whether a source's label may mean a true label; None if each of the
        target's labels means itself (V = K).
      first_targets: [V], the target's label to use for a source's label where one is needed; None
        if V = K.
      gold: [N], true labels where the user gives them, -1 elsewhere; None if there are none.
      silent: The label of sparse sources where they make no prediction; None if no source has it.
    """

    labels: Int[np.ndarray, "N U"]
    probs: Float[np.ndarray, "N U V"] | None
    compatible: Bool[np.ndarray, "U V K"] | None = None
    first_targets: Int[np.ndarray, " V"] | None = None
    gold: Int[np.ndarray, " N"] | None = None
    silent: int | None = None

    def meanings(self, num_labels: int) -> Bool[np.ndarray, "U V K"]:
        """`compatible`, also where it is None; `num_labels` is K.

        >>> SourceVotes(np.array([[0, 1]]), None).meanings(2).astype(int).tolist()
        [[[1, 0], [0, 1]], [[1, 0], [0, 1]]]
        """
        if self.compatible is not None:
            return self.compatible
        return np.tile(np.eye(num_labels, dtype=bool), (self.labels.shape[1], 1, 1))
