"""The tuples that cross folders: text, packed subwords, and what the sources say.

None of them but `Sentence` can hold a gold label, and no `Sentence` goes further than the readers,
supervised training and the evaluation.
"""

from typing import NamedTuple

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


class SourceVotes(NamedTuple):
    """What every source says about every word, on the flat axis of words.

    Attributes:
      labels: [N, U], each source's label id; -1 where it abstains.
      probs: [N, U, K] float16, each source's probabilities, all zero where it abstains; None if the
        sources gave labels only. For a long text, it is mapped from a file.
      sayable: [U, K], False for labels that a source does not have; None if all have all.
    """

    labels: Int[np.ndarray, "N U"]
    probs: Float[np.ndarray, "N U K"] | None
    sayable: Bool[np.ndarray, "U K"] | None = None
