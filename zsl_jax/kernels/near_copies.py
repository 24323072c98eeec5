"""Sources that are near-copies of each other, found from how often any two give the same label."""

from typing import NamedTuple

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from zsl_jax.kernels.arguments import (
    Scalar,
    are_labels,
    flat_words,
    kernel,
    labels_in_range,
    varying_like,
)
from zsl_jax.kernels.weighted_mean import as_probs, labels_of_probs

# Dependence of sources that are not copies at all, and of those that are copies and nothing else:
# taggers of different languages reached 0.66, copies with 2 % of other labels 0.9.
_DISTINCT, _COPIES = 0.7, 0.85
# Words without agreement that are added to those of any two sources.
_EXTRA_WORDS = 10
# The first guess is this power of κ; how often it is improved.
_FIRST_POWER, _ROUNDS = 8, 10
# Weight of an agreement of 1 in the mean of a source that no other one is to be compared with.
_NO_OTHERS = 1e-3


class PairSums(NamedTuple):
    """Sums over words on which two sources speak; sums over parts of a text add up.

    Attributes:
      agreed: [U, U], words on which both give the same label.
      labels: [U, U, V], labels of the first source on the words on which the second one speaks.
    """

    agreed: Float[Array, "U U"]
    labels: Float[Array, "U U V"]


@kernel(static=("num_source_labels",))
def pair_sums(
    votes: Int[Array, "*words U"] | Float[Array, "*words U V"],
    mask: Bool[Array, "*words"],
    num_source_labels: int,
) -> PairSums:
    """Returns how often any two sources give the same label, and what they give.

    Args:
      votes: [..., U], labels, -1 where a source abstains; or [..., U, V], probabilities, of which
        the largest is the label.
      mask: [...], False for words that do not count.
      num_source_labels: V.

    Returns:
      Sums, for `pairwise_agreement`.

    Examples:
      >>> labels = jnp.array([[0, 0], [1, 0], [1, -1]])
      >>> pair_sums(labels, jnp.ones(3, bool), num_source_labels=2).agreed
      Array([[3., 1.],
             [1., 2.]], dtype=float32)
    """
    hard = are_labels(votes)
    labels = flat_words(votes if hard else labels_of_probs(votes), 1)
    labels = labels_in_range(labels, num_source_labels)
    labels = jnp.where(jnp.ravel(mask)[:, None], labels, -1)
    given = as_probs(labels, num_source_labels, float if hard else votes.dtype)
    speaks = labels >= 0
    same = (labels[:, :, None] == labels[:, None, :]) & speaks[:, :, None]
    return PairSums(
        jnp.sum(same, axis=0).astype(given.dtype),
        jnp.einsum("nuv,nw->uwv", given, speaks.astype(given.dtype)),
    )


@kernel
def pairwise_agreement(sums: PairSums) -> Float[Array, "U U"]:
    """Returns Cohen's κ of any two sources, shrunk a little to 0 where they share few words.

    Args:
      sums: From `pair_sums`, over the whole text.

    Returns:
      [U, U], between 0 and 1; 0 for sources that never speak on the same word.

    Examples:
      >>> labels = jnp.tile(jnp.array([[0, 0, 1], [1, 1, 1], [0, 0, 0], [1, 1, 0]]), (100, 1))
      >>> sums = pair_sums(labels, jnp.ones(400, bool), num_source_labels=2)
      >>> pairwise_agreement(sums)[0]
      Array([0.95, 0.95, 0.  ], dtype=float32)
    """
    words = jnp.sum(sums.labels, axis=-1)
    together = jnp.sum(sums.labels * jnp.swapaxes(sums.labels, 0, 1), axis=-1)
    by_chance = together / jnp.maximum(words, 1)
    return jnp.maximum(sums.agreed - by_chance, 0) / (words - by_chance + _EXTRA_WORDS)


@kernel
def near_copies(kappa: Float[Array, "U U"], power: Scalar = 4.0) -> Float[Array, "U U"]:
    """Returns how far any two sources are copies of each other: 0 if they are not, 1 if they are.

    Two sources that make their mistakes independently agree about as often as the product of their
    agreements with others allows, κ̄_u κ̄_v, where κ̄_u is the mean κ of source u with the other
    sources, weighted by κ̄^power and by how far they are distinct from u and among themselves.
    Their dependence

        (κ_uv − κ̄_u κ̄_v) / (1 − κ̄_u κ̄_v)

    is 1 for copies, however reliable. Up to 0.7 it counts as none, from 0.85 on as a copy. As κ̄
    depends on which sources are distinct, it is computed several times.

    Args:
      kappa: [U, U], from `pairwise_agreement`.
      power: [], of κ̄ in the weights, so that unreliable sources hardly count.

    Returns:
      s, [U, U], symmetric, with a diagonal of 1. The sum of a row is the number of sources that
      count together as one. All copies of a single source, beside none that is better than chance,
      count as distinct.

    Examples:
      >>> kappa = jnp.array([[1.0, 0.98, 0.7, 0.7], [0.98, 1.0, 0.7, 0.7],
      ...                    [0.7, 0.7, 1.0, 0.7], [0.7, 0.7, 0.7, 1.0]])
      >>> near_copies(kappa)
      Array([[1., 1., 0., 0.],
             [1., 1., 0., 0.],
             [0., 0., 1., 0.],
             [0., 0., 0., 1.]], dtype=float32)
    """
    identity = jnp.eye(len(kappa), dtype=kappa.dtype)
    others = 1 - identity

    def improved(_, before: tuple[Array, Array]) -> tuple[Array, Array]:
        copies, mean = before
        weights = (1 - copies) * (mean**power / jnp.sum(copies, axis=-1))
        agreed = jnp.sum(weights * kappa, axis=-1) + _NO_OTHERS
        mean = agreed / (jnp.sum(weights, axis=-1) + _NO_OTHERS)
        expected = mean[:, None] * mean
        room = 1 - expected
        dependence = jnp.where(room > 0, (kappa - expected) / jnp.where(room > 0, room, 1), 0)
        share = jnp.clip((dependence - _DISTINCT) / (_COPIES - _DISTINCT), 0, 1)
        return identity + others * share, mean

    first = identity + others * kappa**_FIRST_POWER
    mean = varying_like(jnp.ones(len(kappa), kappa.dtype), kappa)
    return lax.fori_loop(0, _ROUNDS, improved, (first, mean))[0]
