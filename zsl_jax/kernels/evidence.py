"""The evidence of sources whose reliability is known, for each true label of a word."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from zsl_jax.kernels.arguments import Scalar, kernel, normalised
from zsl_jax.kernels.posterior import log_joint
from zsl_jax.kernels.weighted_mean import as_probs, weighted_mean

# Added to r and its mean, so that no label is ruled out by it.
_LEAST_MEAN = 1e-4
# Frequencies count as at least this much.
_LEAST_FREQUENCY = 1e-9


class SourceReliability(NamedTuple):
    """The reliability of the sources, sufficient for the evidence of any word.

    Attributes:
      log_confusion: [U, V, K], log σ, indexed [source, predicted, true].
      trust: [U], k, between 0 and 1.
      frequency: [U, V], m, the mean probability that a source gives each label; less than 1e-9
        counts as that much.
      weights: [U, K], w, of each source for each true label.
      mean: [K], r̄, the mean over the text of the weighted mean r of the sources.
    """

    log_confusion: Float[Array, "U V K"]
    trust: Float[Array, " U"]
    frequency: Float[Array, "U V"]
    weights: Float[Array, "U K"]
    mean: Float[Array, " K"]


@kernel
def log_evidence(
    votes: Int[Array, "*words U"] | Float[Array, "*words U V"],
    sources: SourceReliability,
    stands_for: Float[Array, "V K"],
    source_weight: Scalar = 0.35,
    scale: Scalar = 0.25,
) -> Float[Array, "*words K"]:
    """Returns the evidence of the sources for each true label of each word.

    e_n(y) = β Σ_u k_u log Σ_v [P_nu(v) / m_u(v)^γ] σ_u(v|y) + log r_n(y) − γ log r̄(y).

    A source's probabilities are a posterior, which already contains the frequencies of its labels;
    dividing by them, to the power γ, makes them a likelihood. For one-hot rows this is a factor
    that is the same for all true labels.

    Args:
      votes: [..., U], labels, -1 where a source abstains; or [..., U, V], probabilities, an
        all-zero row where one abstains.
      sources: What the model knows about the sources.
      stands_for: [V, K], as in `VoteMeanings`.
      source_weight: [], β.
      scale: [], γ.

    Returns:
      [..., K]; zeros where all sources abstain.

    Examples:
      >>> confusion = jnp.array([[[0.9, 0.1], [0.1, 0.9]]])
      >>> half = jnp.array([0.5, 0.5])
      >>> sources = SourceReliability(
      ...     jnp.log(confusion), trust=jnp.ones(1), frequency=half[None], weights=jnp.ones((1, 2)),
      ...     mean=half,
      ... )
      >>> log_evidence(jnp.array([[0], [-1]]), sources, jnp.eye(2))
      Array([[ 0.2 , -9.78],
             [ 0.  ,  0.  ]], dtype=float32)
    """
    log_frequency = jnp.log(jnp.maximum(sources.frequency, _LEAST_FREQUENCY))
    log_scaled = sources.log_confusion - scale * log_frequency[..., None]
    probs = as_probs(votes, sources.log_confusion.shape[1], sources.weights.dtype)
    mean = weighted_mean(jnp.matmul(probs, stands_for), sources.weights)
    log_mean = jnp.log(mean + _LEAST_MEAN) - scale * jnp.log(sources.mean + _LEAST_MEAN)
    joint = log_joint(log_mean, votes, log_scaled, source_weight * sources.trust, 1.0)
    return jnp.where(jnp.any(mean > 0, axis=-1, keepdims=True), joint, 0)


@kernel
def mean_by_reliability(
    votes: Int[Array, "*words U"] | Float[Array, "*words U V"],
    weights: Float[Array, "U K"],
    stands_for: Float[Array, "V K"],
) -> Float[Array, "*words K"]:
    """Returns the reliability-weighted mean of the sources as a distribution: q(y) ∝ r(y).

    Args:
      votes: [..., U], labels; or [..., U, V], probabilities, as for `log_evidence`.
      weights: [U, K], w.
      stands_for: [V, K], as in `VoteMeanings`.

    Returns:
      [..., K], rows sum to 1; zeros where all sources abstain.

    Examples:
      >>> weights = jnp.array([[0.8, 0.8], [0.2, 0.2]])
      >>> mean_by_reliability(jnp.array([[0, 1], [-1, 1]]), weights, jnp.eye(2))
      Array([[0.8, 0.2],
             [0. , 1. ]], dtype=float32)
    """
    probs = as_probs(votes, len(stands_for), weights.dtype)
    return normalised(weighted_mean(jnp.matmul(probs, stands_for), weights))
