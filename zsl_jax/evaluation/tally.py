"""Counts of each source's labels by the label that Q infers; counts of parts of a text add up."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from zsl_jax.labels import OUTSIDE, SILENT, SourceLabels, is_bio
from zsl_jax.types import SourceVotes


class Tally(NamedTuple):
    """Counts of each source's labels; tallies of parts of a text add up.

    Attributes:
      counts: [U, V, K], words by source, its label, and the inferred label.
      mass: [K], posterior mass of each label, in words.
      num_words: Words, those on which all sources abstain included.
      compatible: [U, V, K], whether a source's label may mean the inferred one.
    """

    counts: Float[np.ndarray, "U V K"]
    mass: Float[np.ndarray, " K"]
    num_words: int
    compatible: Bool[np.ndarray, "U V K"]

    @property
    def coverage(self) -> Float[np.ndarray, " U"]:
        """[U], the share of the words on which each source votes; 0 if there are no words."""
        return self.counts.sum((1, 2)) / max(self.num_words, 1)

    @property
    def agreement(self) -> Float[np.ndarray, " U"]:
        """[U], how often each source's label may mean the inferred one; 0 if it always abstains."""
        right = (self.counts * self.compatible).sum((1, 2))
        return right / np.maximum(self.counts.sum((1, 2)), 1)

    def expected_agreement(
        self, log_confusion: Float[np.ndarray, "U V K"]
    ) -> Float[np.ndarray, " U"]:
        """[U], what `agreement` would be on average if the labels were drawn from φ."""
        inferred = self.counts.sum(1)  # [U, K]
        right = (inferred * diagonal(log_confusion, self.compatible)).sum(1)
        return right / np.maximum(inferred.sum(1), 1)

    def entity_agreement(self, source_labels: SourceLabels) -> list[float | None]:
        """How far each source finds the inferred entities, and no others; O does not count.

        F₁ over words: twice the words that both call an entity, with labels that may mean the same,
        over the words that the source calls one and the words with a vote that Q calls one.

        Args:
          source_labels: The V labels, with the target's K.

        Returns:
          [U]; None where there is no entity on either side, and for plain labels.
        """
        names = source_labels.label_set.names
        if not is_bio(names):
            return [None] * len(self.counts)
        given = np.array([name not in (OUTSIDE, SILENT) for name in source_labels.names])
        inferred = np.array([name != OUTSIDE for name in names])
        both = self.counts * self.compatible * given[:, None] * inferred
        either = self.counts[:, given].sum((1, 2)) + self.counts[:, :, inferred].sum((1, 2))
        shares = zip((2 * both.sum((1, 2))).tolist(), either.tolist(), strict=True)
        return [same / count if count else None for same, count in shares]


def tally(
    posterior: Float[np.ndarray, "N K"],
    source_labels: Int[np.ndarray, "N U"],
    compatible: Bool[np.ndarray, "U V K"] | None = None,
) -> Tally:
    """Counts the sources' labels against Q.

    Args:
      posterior: [N, K], Q.
      source_labels: [N, U], label ids; -1 where a source abstains.
      compatible: [U, V, K], whether a source's label may mean the true one; None if V = K and each
        label means itself.

    Returns:
      The counts of these words.
    """
    posterior, source_labels = np.asarray(posterior), np.asarray(source_labels)
    size = posterior.shape[1]
    compatible = SourceVotes(source_labels, None, compatible).meanings(size)
    cells = compatible.shape[1] * size
    inferred = posterior.argmax(axis=1)
    counts = []
    for labels in source_labels.T:
        pairs = labels.astype(np.int64) * size + inferred  # below 0 where the source abstains
        counts.append(np.bincount(pairs[labels >= 0], minlength=cells))
    mass = posterior.sum(axis=0, dtype=np.float64)
    table = np.reshape(counts, compatible.shape).astype(np.float64)
    return Tally(table, mass, len(posterior), compatible)


def diagonal(
    log_confusion: Float[np.ndarray, "U V K"], compatible: Bool[np.ndarray, "U V K"]
) -> Float[np.ndarray, "U K"]:
    """[U, K], how likely each source gives a label that may mean the true one: φ(y|y) if V = K."""
    return np.where(compatible, np.exp(np.asarray(log_confusion, np.float64)), 0).sum(axis=1)
