"""Means of the sources' probabilities, weighted per source and label."""

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import Array, Float, Int

from zsl_jax.kernels.arguments import are_labels, kernel, labels_in_range

# Added to every weight: sources count evenly where none of those that speak has any weight.
_LEAST_WEIGHT = 1e-15
# A source speaks on a word if its probabilities of the target's labels sum to more than this;
# otherwise, it is silent: its label stands for one of the target's with little weight.
SPEAKS = 0.5


@kernel(static=("num_source_labels",))
def probs_of_votes(
    votes: Int[Array, "*words U"] | Float[Array, "*words U V"], num_source_labels: int
) -> Float[Array, "*words U V"]:
    """Returns votes as probabilities: one-hot rows for labels, all-zero rows for abstentions.

    Args:
      votes: [..., U], label ids, -1 where a source abstains; or [..., U, V], probabilities.
      num_source_labels: V.

    Returns:
      [..., U, V], at least float32.

    Examples:
      >>> probs_of_votes(jnp.array([[1, -1]]), num_source_labels=2)
      Array([[[0., 1.],
              [0., 0.]]], dtype=float32)
    """
    return as_probs(votes, num_source_labels, float)


def as_probs(votes: Array, num_source_labels: int, dtype: DTypeLike) -> Array:
    """`probs_of_votes` with a type for the one-hot rows of labels."""
    if not are_labels(votes):
        return votes
    labels = labels_in_range(votes, num_source_labels)
    return jax.nn.one_hot(labels, num_source_labels, dtype=dtype)


@kernel
def labels_of_probs(probs: Float[Array, "*words V"]) -> Int[Array, "*words"]:
    """Returns the most probable label; ties go to the lowest id.

    Args:
      probs: [..., V], probabilities; an all-zero row where a source abstains.

    Returns:
      [...], label ids; -1 for all-zero rows.

    Examples:
      >>> labels_of_probs(jnp.array([[0.2, 0.8], [0.5, 0.5], [0.0, 0.0]]))
      Array([ 1,  0, -1], dtype=int32)
    """
    # Two plain reductions take half as long on a CPU as an argmax.
    most = jnp.max(probs, axis=-1, keepdims=True)
    ids = jnp.arange(probs.shape[-1], dtype=jnp.int32)
    first = jnp.min(jnp.where(probs == most, ids, probs.shape[-1]), axis=-1)
    return jnp.where(most[..., 0] > 0, first, -1)


@kernel
def weighted_mean(
    probs: Float[Array, "*words U K"], weights: Float[Array, "U K"]
) -> Float[Array, "*words K"]:
    """Returns the mean of the sources' probabilities, weighted per source and label.

    r(y) = Σ_u w_u(y) P_u(y) / Σ_u w_u(y), over the sources that do not abstain.

    Args:
      probs: [..., U, K], probabilities of the target's labels; all-zero rows abstain. A row that
        sums to less than a half weighs as much as its sum: such a source is silent, and counts
        where no other speaks.
      weights: [U, K], w, not negative. Where those of all speaking sources are 0, these sources
        count evenly.

    Returns:
      [..., K]; rows do not sum to 1 unless the weights are the same for all labels. Zeros where all
      sources abstain.

    Examples:
      >>> probs = jnp.array([[1.0, 0.0], [0.0, 1.0]])
      >>> weighted_mean(probs, jnp.array([[0.8, 0.5], [0.2, 0.5]]))
      Array([0.8, 0.5], dtype=float32)
    """
    return _mean(probs, _spoken(probs), weights + _LEAST_WEIGHT)


@kernel
def leave_one_out_means(
    probs: Float[Array, "*words U K"],
    weights: Float[Array, "U K"],
    copies: Float[Array, "U U"] | None = None,
) -> Float[Array, "U *words K"]:
    """Returns the `weighted_mean` of the other sources, for every source.

    Args:
      probs: [..., U, K], probabilities of the target's labels; all-zero rows abstain.
      weights: [U, K], w.
      copies: [U, U], from `near_copies`: copies of a source do not count among the others. By
        default there are none.

    Returns:
      [U, ..., K]; zeros where all others abstain.

    Examples:
      >>> probs = jnp.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
      >>> leave_one_out_means(probs, jnp.full((3, 2), 1 / 3))
      Array([[0.25, 0.75],
             [0.5 , 0.5 ],
             [0.75, 0.25]], dtype=float32)
    """
    copies = jnp.eye(len(weights)) if copies is None else copies
    spoken, weights = _spoken(probs), weights + _LEAST_WEIGHT
    others = (1 - copies).astype(weights.dtype)
    return jax.vmap(_mean, (None, None, 0))(probs, spoken, others[:, :, None] * weights)


def _spoken(probs: Array) -> Array:
    """How much each source counts: 1 where it speaks, the sum of its probabilities elsewhere."""
    total = jnp.sum(probs, axis=-1)
    return jnp.where(total > SPEAKS, 1, total)


def _mean(probs: Array, spoken: Array, weights: Array) -> Array:
    """The weighted mean; 0 where no source with any weight gives a label."""
    # Source by source: on a CPU, a sum over the axis in the middle takes twice as long.
    weighted = sum(weight * probs[..., source, :] for source, weight in enumerate(weights))
    weight = jnp.matmul(spoken, weights)
    return weighted / jnp.where(weight > 0, weight, 1)
