"""Which labels may follow one another, start a sentence and end it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool

from zsl_jax.labels.schemes import TaggingScheme, label_parts


class Transitions(NamedTuple):
    """The transitions that a tagging scheme allows, as masks.

    Attributes:
      start: [K], True for labels that may start a sentence.
      follow: [K, K], True where a label may follow another, indexed [before, after].
      end: [K], True for labels that may end a sentence.
    """

    start: Bool[np.ndarray, " K"]
    follow: Bool[np.ndarray, "K K"]
    end: Bool[np.ndarray, " K"]


def allowed_transitions(names: Sequence[str]) -> Transitions:
    """The transitions that the scheme of label names allows.

    In BIO and BIOES, I-X (E-X) only follows B-X or I-X of its type; in BIOES, I-X or E-X must also
    follow each of these. In IO and among plain labels everything is allowed.

    Args:
      names: K label names.

    Returns:
      The masks.

    >>> allowed_transitions(["O", "B-X", "I-X"]).follow.astype(int).tolist()
    [[1, 1, 0], [1, 1, 1], [1, 1, 1]]
    """
    parts = label_parts(names)
    letters, types = parts.letters[:-1], parts.types[:-1]
    checked = parts.scheme in (TaggingScheme.BIO, TaggingScheme.BIOES)
    inside = np.isin(letters, ("I", "E")) & checked
    unclosed = np.isin(letters, ("B", "I")) & (parts.scheme is TaggingScheme.BIOES)
    same = np.isin(letters, ("B", "I"))[:, None] & (types[:, None] == types) & inside
    follow = same | ~(inside | unclosed[:, None])
    return Transitions(~inside, follow, ~unclosed)
