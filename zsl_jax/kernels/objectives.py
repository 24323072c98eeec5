"""Losses, each as its sum over the words that count and their number.

Sum and number are kept apart so that several devices divide by the global number of words.
"""

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from zsl_jax.kernels.posterior import at_least_float32

SumAndCount = tuple[Float[Array, ""], Int[Array, ""]]


def _sum_and_count(values: Float[Array, " N"], mask: Bool[Array, " N"]) -> SumAndCount:
    """Sum of the values that the mask keeps, and their number."""
    return jnp.sum(jnp.where(mask, values, 0)), jnp.sum(mask)


def _expectation(probs: Float[Array, "N K"], values: Float[Array, "N K"]) -> Float[Array, " N"]:
    """Expected value per word, in which probability 0 removes even an infinite value."""
    positive = probs > 0
    return jnp.sum(jnp.where(positive, probs * jnp.where(positive, values, 0), 0), axis=-1)


def _log(probs: Float[Array, "N K"]) -> Float[Array, "N K"]:
    """Log of probabilities for use inside `_expectation`: 0 where they are 0."""
    return jnp.log(jnp.where(probs > 0, probs, 1))


def _kept(values: Float[Array, "N K"], mask: Bool[Array, " N"]) -> Float[Array, "N K"]:
    """Rows that the mask keeps, zeros elsewhere, so that padding is without effect on gradients."""
    return jnp.where(mask[:, None], at_least_float32(values), 0)


def expected_risk(log_joint: Float[Array, "N K"], mask: Bool[Array, " N"]) -> SumAndCount:
    """Expected risk of each word, its negative probability of what the sources say (Eq. 1).

    −Σ_y P_θ(y|x) Π_u ℓ_u(y).

    Args:
      log_joint: [N, K], from `posterior.log_joint`.
      mask: [N], False for words that do not count.

    Returns:
      Sum over words and number of words.
    """
    return _sum_and_count(-jnp.sum(jnp.exp(_kept(log_joint, mask)), axis=-1), mask)


def negative_log_marginal(log_joint: Float[Array, "N K"], mask: Bool[Array, " N"]) -> SumAndCount:
    """The objective of minimum risk training and of the latent variable model.

    J = −Σ_n log Σ_y P_θ(y|x) Π_u ℓ_u(y).

    Args:
      log_joint: [N, K], from `posterior.log_joint`.
      mask: [N], False for words that do not count.

    Returns:
      Sum over words and number of words; infinite, with gradient 0, where no label can explain a
      word (all −inf).
    """
    log_joint = _kept(log_joint, mask)
    possible = jnp.any(log_joint > -jnp.inf, axis=-1)
    finite = jnp.where(possible[:, None], log_joint, 0)
    log_marginal = jnp.where(possible, jax.nn.logsumexp(finite, axis=-1), -jnp.inf)
    return _sum_and_count(-log_marginal, mask)


def bound(
    posterior: Float[Array, "N K"], log_joint: Float[Array, "N K"], mask: Bool[Array, " N"]
) -> SumAndCount:
    """Upper bound of the objective at any posterior (Eq. 2).

    Σ_n Σ_y Q(y) [log Q(y) − log p(y, ŷ|x)].

    Args:
      posterior: [N, K], Q.
      log_joint: [N, K], from `posterior.log_joint`.
      mask: [N], False for words that do not count.

    Returns:
      Sum over words and number of words; never below `negative_log_marginal`, and equal to it where
      Q is the posterior.
    """
    posterior, log_joint = _kept(posterior, mask), _kept(log_joint, mask)
    return _sum_and_count(_expectation(posterior, _log(posterior) - log_joint), mask)


def m_step_loss(
    posterior: Float[Array, "N K"], log_joint: Float[Array, "N K"], mask: Bool[Array, " N"]
) -> SumAndCount:
    """What the M step descends: the bound without its entropy, the posterior held fixed.

    −Σ_n Σ_y Q(y) [α log P_θ(y|x) + Σ_u β_u log ℓ_u(y)].

    Args:
      posterior: [N, K], Q; no gradient flows through it.
      log_joint: [N, K], from `posterior.log_joint`.
      mask: [N], False for words that do not count.

    Returns:
      Sum over words and number of words. Its gradient at the posterior of the current parameters is
      that of `negative_log_marginal` (Fisher's identity).
    """
    posterior = lax.stop_gradient(_kept(posterior, mask))
    return _sum_and_count(-_expectation(posterior, _kept(log_joint, mask)), mask)


def kl_divergence(
    target: Float[Array, "N K"], log_prior: Float[Array, "N K"], mask: Bool[Array, " N"]
) -> SumAndCount:
    """Knowledge distillation: divergence of the tagger from the sources' mean.

    Σ_n Σ_y T(y) [log T(y) − log P_θ(y|x)].

    Args:
      target: [N, K], probabilities to imitate.
      log_prior: [N, K], the tagger's log-probabilities.
      mask: [N], False for words that do not count.

    Returns:
      Sum over words and number of words; 0 where the two are equal.
    """
    return bound(target, log_prior, mask)


def squared_error(
    target: Float[Array, "N K"], log_prior: Float[Array, "N K"], mask: Bool[Array, " N"]
) -> SumAndCount:
    """Knowledge distillation by squared error of probabilities, summed over labels.

    Σ_n Σ_y (T(y) − P_θ(y|x))².

    Args:
      target: [N, K], probabilities to imitate.
      log_prior: [N, K], the tagger's log-probabilities.
      mask: [N], False for words that do not count.

    Returns:
      Sum over words and number of words.
    """
    difference = _kept(target, mask) - jnp.exp(_kept(log_prior, mask))
    return _sum_and_count(jnp.sum(jnp.square(difference), axis=-1), mask)


def cross_entropy(
    target_labels: Int[Array, " N"], log_prior: Float[Array, "N K"], mask: Bool[Array, " N"]
) -> SumAndCount:
    """Cross-entropy with one label per word.

    −Σ_n log P_θ(t_n|x).

    Args:
      target_labels: [N], label ids; words with -1 do not count.
      log_prior: [N, K], the tagger's log-probabilities.
      mask: [N], False for words that do not count.

    Returns:
      Sum over words and number of words.
    """
    mask = mask & (target_labels >= 0)
    columns = jnp.maximum(target_labels, 0)[:, None]
    picked = jnp.take_along_axis(_kept(log_prior, mask), columns, axis=-1)[:, 0]
    return _sum_and_count(-picked, mask)


def entropy(posterior: Float[Array, "N K"], mask: Bool[Array, " N"]) -> SumAndCount:
    """Entropy of the posterior in nats.

    −Σ_n Σ_y Q(y) log Q(y), with 0 log 0 = 0.

    Args:
      posterior: [N, K], Q.
      mask: [N], False for words that do not count.

    Returns:
      Sum over words and number of words.
    """
    posterior = _kept(posterior, mask)
    return _sum_and_count(-_expectation(posterior, _log(posterior)), mask)
