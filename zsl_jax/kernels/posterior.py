"""The E step: the log joint of sources and true label, and its posterior.

`log_joint` adds the sources up one after the other, which is faster than summing
`likelihood.source_log_likelihoods` and needs no array [N, U, K].
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int, Real

from zsl_jax.kernels.arguments import (
    Scalar,
    are_labels,
    flat_words,
    kernel,
    labels_in_range,
    sum_over_devices,
    varying_like,
    widest_float,
)
from zsl_jax.kernels.likelihood import hard_log_likelihood, soft_log_likelihood

_LOWEST = -1e30  # stands for log 0: its exponential is 0, and 0 times it is 0


@kernel
def log_joint(
    log_prior: Float[Array, "*words K"],
    votes: Int[Array, "*words U"] | Float[Array, "*words U V"],
    log_confusion: Float[Array, "U V K"],
    source_weight: Scalar | Real[Array, " U"] = 1.0,
    prior_weight: Scalar = 1.0,
) -> Float[Array, "*words K"]:
    """Returns the log-probability of the sources' predictions together with each true label.

    log p(y, ŷ|x) = α log P_θ(y|x) + Σ_u β_u log ℓ_u(y), where ℓ_u(y) is φ_u(ŷ_u|y) for a label and
    Σ_ŷ P_u(ŷ|x) φ_u(ŷ|y) for probabilities: Eq. 3 of Hu et al. (2021), [Risk Minimization for
    Zero-shot Sequence Labeling](https://aclanthology.org/2021.acl-long.380).

    Args:
      log_prior: [..., K], the target tagger's log-probabilities.
      votes: [..., U], the sources' labels, -1 where one abstains; or [..., U, V], their
        probabilities, an all-zero row where one abstains.
      log_confusion: [U, V, K], log-probabilities [source, predicted, true].
      source_weight: [U], β, or one number for all: below 1 tempers sources that copy each other,
        0 removes one.
      prior_weight: [], α: 1 in the paper, the number of sources in its authors' code.

    Returns:
      [..., K], at least float32; α times `log_prior` where every source abstains.

    Examples:
      >>> log_prior = jnp.log(jnp.array([[0.6, 0.3, 0.1], [0.1, 0.6, 0.3]]))
      >>> confusion = jnp.full((1, 3, 3), 0.3) + 0.1 * jnp.eye(3)  # right with probability 0.4
      >>> labels = jnp.array([[0], [2]])
      >>> jnp.exp(log_joint(log_prior, labels, jnp.log(confusion)))  # Table 1 of the paper
      Array([[0.24, 0.09, 0.03],
             [0.03, 0.18, 0.12]], dtype=float32)
    """
    hard = are_labels(votes)
    numbers = (log_prior, log_confusion, source_weight, prior_weight)
    dtype = widest_float(*numbers, *(() if hard else (votes,)))
    log_prior, log_confusion, weight, alpha = (jnp.asarray(each, dtype) for each in numbers)
    weight = jnp.broadcast_to(weight, log_confusion.shape[:1])
    start = varying_like(_weighted(alpha, log_prior), votes, log_confusion, weight)
    if hard:
        return _add_labels(start, votes, log_confusion, weight)
    words = flat_words(start, 1), flat_words(votes, 2)
    return _add_probs(*words, log_confusion, weight).reshape(start.shape)


def _weighted(weight: Array, log_values: Array) -> Array:
    """Product of weight and log-value, in which weight 0 removes even log 0.

    Where the product is log 0, its gradient by the weight is 0.
    """
    impossible = (weight != 0) & (log_values == -jnp.inf)
    product = weight * jnp.where(impossible | (weight == 0), 0, log_values)
    return jnp.where(impossible, lax.stop_gradient(weight) * log_values, product)


def _add_labels(
    total: Array, labels: Array, log_confusion: Array, source_weight: Array
) -> Float[Array, "*words K"]:
    """A log joint [..., K] with what labels [..., U] add to it.

    Labels are looked up in a table of `hard_log_likelihood` at all V + 1 of them, so that only sums
    are left to do per word. As a branch, so that the sums are in memory: inside of what follows (a
    softmax reads them twice) XLA would look everything up again.
    """
    num_source_labels = log_confusion.shape[-2]
    possible = jnp.arange(-1, num_source_labels)
    of_labels = jax.vmap(hard_log_likelihood, in_axes=(0, None))
    tables = jax.vmap(of_labels, in_axes=(None, 0))(possible, log_confusion)
    tables = _weighted(source_weight[:, None, None], tables)

    def add() -> Array:
        joint = total
        for source, table in enumerate(tables):
            row = labels_in_range(labels[..., source], num_source_labels) + 1
            joint = joint + table.at[row].get(mode="promise_in_bounds")
        return joint

    return lax.cond(jnp.any(labels >= 0), add, lambda: total)


def _add_probs(
    total: Array, probs: Array, log_confusion: Array, source_weight: Array
) -> Float[Array, "N K"]:
    """A log joint [N, K] with what probabilities [N, U, V] add to it.

    A loop on purpose: its running sum is in memory once per source, and XLA cannot recompute the
    likelihoods inside what follows (a softmax would do so for each label). Inside, words are the
    last axis, which suits matrix products and logarithms.
    """
    every_word = jax.vmap(soft_log_likelihood, in_axes=(-1, None), out_axes=-1)

    def add(total: Array, source: tuple[Array, Array, Array]) -> tuple[Array, None]:
        source_probs, matrix, weight = source
        likelihood = every_word(source_probs, matrix).astype(total.dtype)
        return total + _weighted(weight, likelihood), None

    sources = (jnp.moveaxis(probs, 0, -1), log_confusion, source_weight)
    return lax.scan(add, total.T, sources)[0].T


@kernel
def clamp_log_joint(
    log_joint: Float[Array, "*words K"], gold: Int[Array, "*words"]
) -> Float[Array, "*words K"]:
    """Returns the log joint of words of which some have a gold label.

    The gold label acts as an infallible source: unchanged where y is the gold label, −inf for every
    other y.

    Args:
      log_joint: [..., K], from `log_joint`.
      gold: [...], the gold label of each word; -1 where there is none.

    Returns:
      [..., K]; the posterior of a word with a gold label is one-hot.

    Examples:
      >>> clamp_log_joint(jnp.log(jnp.array([[0.5, 0.5], [0.5, 0.5]])), jnp.array([1, -1]))
      Array([[ -inf, -0.69],
             [-0.69, -0.69]], dtype=float32)
    """
    num_labels = log_joint.shape[-1]
    gold = labels_in_range(gold, num_labels)[..., None]
    possible = (gold < 0) | (gold == jnp.arange(num_labels))
    return jnp.where(possible, log_joint, -jnp.inf)


@kernel
def hard_posterior(log_joint: Float[Array, "*words K"]) -> Float[Array, "*words K"]:
    """Returns the posterior of hard EM: all mass on the most probable label.

    Args:
      log_joint: [..., K], from `log_joint`.

    Returns:
      [..., K], one-hot rows; ties go to the lowest id.

    Examples:
      >>> hard_posterior(jnp.log(jnp.array([0.2, 0.5, 0.3])))
      Array([0., 1., 0.], dtype=float32)
    """
    num_labels = log_joint.shape[-1]
    return jax.nn.one_hot(jnp.argmax(log_joint, axis=-1), num_labels, dtype=log_joint.dtype)


class PosteriorAndObjective(NamedTuple):
    """The posterior of some words, at which the bound is tight.

    Attributes:
      posterior: [..., K], Q; uniform for a word that no label can explain.
      objective: [], J, summed over the words that count; infinite if one of them cannot be
        explained.
      entropy: [], of Q, in nats, summed over the words that count.
    """

    posterior: Float[Array, "*words K"]
    objective: Float[Array, ""]
    entropy: Float[Array, ""]


@kernel(static=("axis_name",))
def posterior_and_objective(
    log_joint: Float[Array, "*words K"],
    mask: Bool[Array, "*words"],
    axis_name: str | None = None,
) -> PosteriorAndObjective:
    """Returns Q of every word, the objective J and the entropy of Q: the E step in one pass.

    With s(y) = exp(log p(y, ŷ|x) − m), m the largest of log p and Z = Σ_y s(y):

    Q(y) = s(y) / Z,  J = −Σ_n (m + log Z),  H = Σ_n (log Z − Σ_y Q(y) log s(y)).

    It takes one exponential per label and one logarithm per word.

    Args:
      log_joint: [..., K], from `log_joint`.
      mask: [...], False for words that do not count; they have a posterior all the same.
      axis_name: Device axis over which J and the entropy are summed; None for one device.

    Returns:
      The posterior and the sums.

    Examples:
      >>> posterior, objective, entropy = posterior_and_objective(
      ...     jnp.log(jnp.array([[0.3, 0.1], [0.2, 0.2]])), jnp.array([True, True])
      ... )
      >>> posterior
      Array([[0.75, 0.25],
             [0.5 , 0.5 ]], dtype=float32)
      >>> objective, entropy  # -2 log 0.4, and the entropies of the two rows
      (Array(1.83, dtype=float32), Array(1.26, dtype=float32))
    """
    finite = jnp.maximum(log_joint, _LOWEST)  # so that 0 never meets -inf
    largest = jnp.max(finite, axis=-1)
    shifted = finite - largest[..., None]
    share = jnp.exp(shifted)
    total = jnp.sum(share, axis=-1)
    log_total = jnp.log(total)
    entropy = log_total - jnp.sum(share * shifted, axis=-1) / total
    log_marginal = jnp.where(largest > _LOWEST, largest + log_total, -jnp.inf)
    sums = (
        -jnp.sum(jnp.where(mask, log_marginal, 0)),
        jnp.sum(jnp.where(mask, entropy, 0)),
    )
    return PosteriorAndObjective(share / total[..., None], *sum_over_devices(sums, axis_name))
