"""The tuples that cross folders: text, packed subwords, and what the sources say.

None of them but `Sentence` can hold a gold label, and no `Sentence` goes further than the readers,
supervised training and the evaluation.
"""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int


class Sentence(NamedTuple):
    """One sentence of a corpus.

    Attributes:
      words: The words, each a non-empty string without tabs or line breaks.
      labels: One label name a word, or None for unlabelled text.
      comments: The comment lines in front of the sentence, as they stood in the file.
      text: The raw text that the words were cut from; None where the file came in words.
      starts: Where each word begins in `text`, in characters; None without a text. The word is
        `text[start : start + len(word)]`.
    """

    words: tuple[str, ...]
    labels: tuple[str, ...] | None = None
    comments: tuple[str, ...] = ()
    text: str | None = None
    starts: tuple[int, ...] | None = None


class TokenBatch(NamedTuple):
    """Packed rows of subwords; several sentences share a row and do not see each other.

    Words are one flat axis over the corpus; `word_ids` points into it. There is no field for gold.

    Attributes:
      token_ids: [R, S], subword ids.
      positions: [R, S], position of each subword in its own sentence (window), from 0.
      segments: [R, S], number of the sentence (window) inside its row, from 1; 0 is padding.
      word_ids: [R, S], the word whose first subword stands here; -1 everywhere else.
    """

    token_ids: Int[np.ndarray, "R S"]
    positions: Int[np.ndarray, "R S"]
    segments: Int[np.ndarray, "R S"]
    word_ids: Int[np.ndarray, "R S"]

    @property
    def inputs(self) -> tuple[Any, Any, Any]:
        """What the encoder reads."""
        return self.token_ids, self.positions, self.segments


class HiddenBatch(NamedTuple):
    """Rows packed as in `TokenBatch`, with what the frozen layers make of the subwords.

    Attributes:
      hidden: [R, S, H], the output of these layers; that of any subword where there is padding.
      segments: [R, S], number of the sentence (window) inside its row, from 1; 0 is padding.
      word_ids: [R, S], the word whose first subword stands here; -1 everywhere else.
    """

    hidden: Float[np.ndarray, "R S H"]
    segments: Int[np.ndarray, "R S"]
    word_ids: Int[np.ndarray, "R S"]

    @property
    def inputs(self) -> tuple[Any, Any, Any]:
        """What the encoder's trained layers read; positions are in the hidden states."""
        return self.hidden, None, self.segments


Batch = TokenBatch | HiddenBatch


class SourceVotes(NamedTuple):
    """What every source says about every word, on the flat axis of words.

    The sources' V labels are the target's K, and names of sets of them.

    Attributes:
      labels: [N, U], each source's label id; -1 where it abstains.
      probs: [N, U, V] float16, each source's probabilities, all zero where it abstains; None if the
        sources gave labels only. For a long text, it is mapped from a file.
      compatible: [U, V, K], whether a source's label may mean a true label; None if each of the
        target's labels means itself (V = K).
      first_targets: [V], the target's label that stands for a source's where one label is needed;
        None if V = K.
      known: [N], the true label of words for which the user gives one, -1 elsewhere; None without
        such words.
      silent: The label of sources that name few things where they name nothing; None if no source
        has it.
    """

    labels: Int[np.ndarray, "N U"]
    probs: Float[np.ndarray, "N U V"] | None
    compatible: Bool[np.ndarray, "U V K"] | None = None
    first_targets: Int[np.ndarray, " V"] | None = None
    known: Int[np.ndarray, " N"] | None = None
    silent: int | None = None
