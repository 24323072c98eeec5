"""Which label may follow which, start a sentence and end it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool

from zsl_jax.labels.schemes import TaggingScheme, label_parts


class Transitions(NamedTuple):
    """What a tagging scheme allows.

    Attributes:
      start: [K], labels that a sentence may start with.
      follow: [K, K], indexed [before, after].
      end: [K], labels that a sentence may end with.
    """

    start: Bool[np.ndarray, " K"]
    follow: Bool[np.ndarray, "K K"]
    end: Bool[np.ndarray, " K"]


def allowed_transitions(names: Sequence[str]) -> Transitions:
    """The transitions that the scheme of label names allows.

    In BIO and BIOES, I-X (E-X) follows B-X or I-X of its type only; in BIOES, each of these is also
    followed by I-X or E-X. In IO and among plain labels everything is allowed.

    Args:
      names: K label names.

    Returns:
      Masks that are True where something is allowed.

    >>> allowed_transitions(["O", "B-X", "I-X"]).follow.astype(int).tolist()
    [[1, 1, 0], [1, 1, 1], [1, 1, 1]]
    """
    parts = label_parts(names)
    letters, types = parts.letters[:-1], parts.types[:-1]
    checked = parts.scheme in (TaggingScheme.BIO, TaggingScheme.BIOES)
    going_on = np.isin(letters, ("I", "E")) & checked
    unclosed = np.isin(letters, ("B", "I")) & (parts.scheme is TaggingScheme.BIOES)
    same = np.isin(letters, ("B", "I"))[:, None] & (types[:, None] == types) & going_on
    follow = same | ~(going_on | unclosed[:, None])
    return Transitions(~going_on, follow, ~unclosed)
