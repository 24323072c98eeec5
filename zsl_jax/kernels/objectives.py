"""Losses, each as its sum over the words that count and their number.

Sum and number are kept apart so that several devices can divide by the global number of words: add
the pair up with `jax.lax.psum`, then divide.
"""

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from zsl_jax.kernels.arguments import kernel

SumAndCount = tuple[Float[Array, ""], Int[Array, ""]]


def _sum_and_count(values: Float[Array, "*words"], mask: Bool[Array, "*words"]) -> SumAndCount:
    """Sum of the values that the mask keeps, and their number."""
    return jnp.sum(jnp.where(mask, values, 0)), jnp.sum(mask)


def _expectation(
    probs: Float[Array, "*words K"], values: Float[Array, "*words K"]
) -> Float[Array, "*words"]:
    """Expected value per word, in which probability 0 removes even an infinite value."""
    positive = probs > 0
    return jnp.sum(jnp.where(positive, probs * jnp.where(positive, values, 0), 0), axis=-1)


def _log(probs: Float[Array, "*words K"]) -> Float[Array, "*words K"]:
    """Log of probabilities for use inside `_expectation`: 0 where they are 0."""
    return jnp.log(jnp.where(probs > 0, probs, 1))


def _kept(
    values: Float[Array, "*words K"], mask: Bool[Array, "*words"]
) -> Float[Array, "*words K"]:
    """Rows that the mask keeps, zeros elsewhere, so that padding has no effect on gradients."""
    return jnp.where(mask[..., None], values, 0)


@kernel
def negative_log_marginal(
    log_joint: Float[Array, "*words K"], mask: Bool[Array, "*words"]
) -> SumAndCount:
    """Returns the objective of minimum risk training and of the latent variable model.

    J = −Σ_n log Σ_y P_θ(y|x) Π_u ℓ_u(y), Hu et al. (2021), [Risk Minimization for Zero-shot
    Sequence Labeling](https://aclanthology.org/2021.acl-long.380). The inner sum is the negative
    expected risk of a word (Eq. 1).

    Args:
      log_joint: [..., K], from `log_joint`.
      mask: [...], False for words that do not count.

    Returns:
      Sum over words and number of words; infinite, with gradient 0, where no label can explain a
      word (all −inf).

    Examples:
      >>> log_joint = jnp.log(jnp.array([[0.3, 0.1], [0.2, 0.2]]))
      >>> total, count = negative_log_marginal(log_joint, jnp.array([True, False]))
      >>> total, count  # -log 0.4
      (Array(0.92, dtype=float32), Array(1, dtype=int32))
    """
    log_joint = _kept(log_joint, mask)
    possible = jnp.any(log_joint > -jnp.inf, axis=-1)
    finite = jnp.where(possible[..., None], log_joint, 0)
    log_marginal = jnp.where(possible, jax.nn.logsumexp(finite, axis=-1), -jnp.inf)
    return _sum_and_count(-log_marginal, mask)


@kernel
def bound(
    posterior: Float[Array, "*words K"],
    log_joint: Float[Array, "*words K"],
    mask: Bool[Array, "*words"],
) -> SumAndCount:
    """Returns an upper bound of the objective at any posterior.

    Σ_n Σ_y Q(y) [log Q(y) − log p(y, ŷ|x)]: Eq. 2 of Hu et al. (2021), [Risk Minimization for
    Zero-shot Sequence Labeling](https://aclanthology.org/2021.acl-long.380).

    Args:
      posterior: [..., K], Q.
      log_joint: [..., K], from `log_joint`.
      mask: [...], False for words that do not count.

    Returns:
      Sum over words and number of words; never below `negative_log_marginal`, and equal to it where
      Q is the posterior.

    Examples:
      >>> log_joint, mask = jnp.log(jnp.array([[0.3, 0.1]])), jnp.array([True])
      >>> tight, _ = bound(jnp.array([[0.75, 0.25]]), log_joint, mask)
      >>> loose, _ = bound(jnp.array([[0.5, 0.5]]), log_joint, mask)
      >>> tight, loose
      (Array(0.92, dtype=float32), Array(1.06, dtype=float32))
    """
    posterior, log_joint = _kept(posterior, mask), _kept(log_joint, mask)
    return _sum_and_count(_expectation(posterior, _log(posterior) - log_joint), mask)


@kernel
def m_step_loss(
    posterior: Float[Array, "*words K"],
    log_joint: Float[Array, "*words K"],
    mask: Bool[Array, "*words"],
) -> SumAndCount:
    """Returns the loss that the M step descends: the bound without its entropy, Q held fixed.

    −Σ_n Σ_y Q(y) [α log P_θ(y|x) + Σ_u β_u log ℓ_u(y)].

    Args:
      posterior: [..., K], Q; no gradient flows through it.
      log_joint: [..., K], from `log_joint`.
      mask: [...], False for words that do not count.

    Returns:
      Sum over words and number of words. Its gradient at the posterior of the current parameters is
      that of `negative_log_marginal` (Fisher's identity).

    Examples:
      >>> log_joint = jnp.log(jnp.array([[0.3, 0.1]]))
      >>> total, _ = m_step_loss(jnp.array([[0.75, 0.25]]), log_joint, jnp.array([True]))
      >>> total
      Array(1.48, dtype=float32)
    """
    posterior = lax.stop_gradient(_kept(posterior, mask))
    return _sum_and_count(-_expectation(posterior, _kept(log_joint, mask)), mask)


@kernel
def kl_divergence(
    target: Float[Array, "*words K"],
    log_prior: Float[Array, "*words K"],
    mask: Bool[Array, "*words"],
) -> SumAndCount:
    """Returns the divergence of the tagger from target probabilities (knowledge distillation).

    Σ_n Σ_y T(y) [log T(y) − log P_θ(y|x)]; Hinton et al. (2015), [Distilling the Knowledge in a
    Neural Network](https://arxiv.org/abs/1503.02531).

    Args:
      target: [..., K], probabilities to imitate.
      log_prior: [..., K], the tagger's log-probabilities.
      mask: [...], False for words that do not count.

    Returns:
      Sum over words and number of words; 0 where the two are equal.

    Examples:
      >>> target, log_prior = jnp.array([[1.0, 0.0]]), jnp.log(jnp.array([[0.5, 0.5]]))
      >>> kl_divergence(target, log_prior, jnp.array([True]))[0]
      Array(0.69, dtype=float32)
    """
    return bound(target, log_prior, mask)


@kernel
def squared_error(
    target: Float[Array, "*words K"],
    log_prior: Float[Array, "*words K"],
    mask: Bool[Array, "*words"],
) -> SumAndCount:
    """Returns the squared error of the tagger's probabilities, summed over labels.

    Σ_n Σ_y (T(y) − P_θ(y|x))².

    Args:
      target: [..., K], probabilities to imitate.
      log_prior: [..., K], the tagger's log-probabilities.
      mask: [...], False for words that do not count.

    Returns:
      Sum over words and number of words.

    Examples:
      >>> target, log_prior = jnp.array([[1.0, 0.0]]), jnp.log(jnp.array([[0.5, 0.5]]))
      >>> squared_error(target, log_prior, jnp.array([True]))[0]
      Array(0.5, dtype=float32)
    """
    difference = _kept(target, mask) - jnp.exp(_kept(log_prior, mask))
    return _sum_and_count(jnp.sum(jnp.square(difference), axis=-1), mask)
