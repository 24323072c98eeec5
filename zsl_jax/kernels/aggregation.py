"""Aggregation without text: votes in, labels or probabilities out."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.typing import DTypeLike
from jaxtyping import Array, Float, Int

from zsl_jax.kernels.arguments import kernel, labels_in_range, varying_like


@kernel
def mean_probs(probs: Float[Array, "*words U K"]) -> Float[Array, "*words K"]:
    """Returns the mean of the sources' probabilities over the sources that do not abstain.

    Args:
      probs: [..., U, K], probabilities; an all-zero row where a source abstains.

    Returns:
      [..., K], uniform where all sources abstain.

    Examples:
      >>> probs = jnp.array([[[0.9, 0.1], [0.6, 0.4], [0.0, 0.0]]])  # the third source abstains
      >>> mean_probs(probs)
      Array([[0.75, 0.25]], dtype=float32)
    """
    speaking = jnp.sum(jnp.any(probs > 0, axis=-1), axis=-1, keepdims=True)
    mean = jnp.sum(probs, axis=-2) / jnp.maximum(speaking, 1)
    return jnp.where(speaking > 0, mean, 1 / probs.shape[-1])


@kernel(static=("num_labels",))
def majority_vote(
    labels: Int[Array, "*words U"], probs: Float[Array, "*words U K"] | None, num_labels: int
) -> Int[Array, "*words"]:
    """Returns the label that most sources vote for.

    Ties are broken by the sum of all sources' probabilities, where probabilities are given; then by
    the order of the sources: the first one that votes for a tied label wins.

    Args:
      labels: [..., U], label ids; -1 where a source abstains.
      probs: [..., U, K] or None, the sources' probabilities.
      num_labels: K.

    Returns:
      [...], label ids; -1 where all sources abstain.

    Examples:
      >>> majority_vote(jnp.array([[1, 1, 0], [2, 0, -1], [-1, -1, -1]]), None, num_labels=3)
      Array([ 1,  2, -1], dtype=int32)
    """
    labels = labels_in_range(labels, num_labels)
    votes = jnp.sum(jax.nn.one_hot(labels, num_labels, dtype=jnp.int32), axis=-2)
    tied = votes == jnp.max(votes, axis=-1, keepdims=True)
    if probs is not None:
        score = jnp.where(tied, jnp.sum(probs, axis=-2), -jnp.inf)
        tied = score == jnp.max(score, axis=-1, keepdims=True)
    wins = jnp.take_along_axis(tied, jnp.maximum(labels, 0), axis=-1) & (labels >= 0)
    first = jnp.argmax(wins, axis=-1, keepdims=True)
    return jnp.take_along_axis(labels, first, axis=-1)[..., 0]


def vote_shares(
    labels: Int[Array, "*words U"], num_labels: int, dtype: DTypeLike = float
) -> Float[Array, "*words K"]:
    """`mean_probs` of labels, source by source without an array [..., U, K]."""

    def add(votes: Float[Array, "*words K"], source_labels: Int[Array, "*words"]):
        return votes + jax.nn.one_hot(source_labels, num_labels, dtype=dtype), None

    none = varying_like(jnp.zeros((*labels.shape[:-1], num_labels), dtype), labels)
    votes, _ = lax.scan(add, none, jnp.moveaxis(labels, -1, 0))
    speaking = jnp.sum(votes, axis=-1, keepdims=True)
    return jnp.where(speaking > 0, votes / jnp.maximum(speaking, 1), 1 / num_labels)


class VoteSummary(NamedTuple):
    """Votes counted and averaged.

    Attributes:
      majority: [...], from `majority_vote`.
      shares: [..., K], `mean_probs` of the labels as one-hot rows.
      mean: [..., K], `mean_probs` of the probabilities; `shares` where there are none.
    """

    majority: Int[Array, "*words"]
    shares: Float[Array, "*words K"]
    mean: Float[Array, "*words K"]


@kernel(static=("num_labels",))
def summarise_votes(
    labels: Int[Array, "*words U"], probs: Float[Array, "*words U K"] | None, num_labels: int
) -> VoteSummary:
    """Returns majority, vote shares and mean in one program.

    Args:
      labels: [..., U], label ids; -1 where a source abstains.
      probs: [..., U, K] or None, the sources' probabilities.
      num_labels: K.

    Returns:
      All three; words without votes have uniform rows.

    Examples:
      >>> majority, shares, mean = summarise_votes(jnp.array([[1, 1, 0, -1]]), None, num_labels=2)
      >>> majority, shares
      (Array([1], dtype=int32), Array([[0.33, 0.67]], dtype=float32))
    """
    shares = vote_shares(labels, num_labels, float if probs is None else probs.dtype)
    mean = shares if probs is None else mean_probs(probs)
    return VoteSummary(majority_vote(labels, probs, num_labels), shares, mean)
