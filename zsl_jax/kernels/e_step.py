"""The E step of many words in one pass: the posterior, and the sums that go with it.

What `log_posterior`, `negative_log_marginal` and `entropy` give, from one exponential a label and
one logarithm a word.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from zsl_jax.kernels.posterior import at_least_float32

_LOWEST = -1e30  # stands for log 0: its exponential is 0, and 0 times it is 0


class PosteriorAndObjective(NamedTuple):
    """The posterior of some words, at which the bound is tight.

    Attributes:
      posterior: [N, K], Q; uniform for a word that no label can explain.
      objective: [], J, summed over the words that count; infinite if one of them cannot be
        explained.
      entropy: [], of Q, in nats, summed over the words that count.
    """

    posterior: Float[Array, "N K"]
    objective: Float[Array, ""]
    entropy: Float[Array, ""]


def posterior_and_objective(
    log_joint: Float[Array, "N K"], mask: Bool[Array, " N"]
) -> PosteriorAndObjective:
    """Q of every word, J and the entropy of Q.

    With s(y) = exp(log p(y, ŷ|x) − m), m the largest of log p and Z = Σ_y s(y):

    Q(y) = s(y) / Z,  J = −Σ_n (m + log Z),  H = Σ_n (log Z − Σ_y Q(y) log s(y)).

    Args:
      log_joint: [N, K], from `posterior.log_joint`.
      mask: [N], False for words that do not count; they have a posterior all the same.

    Returns:
      The posterior and the sums.
    """
    finite = jnp.maximum(at_least_float32(log_joint), _LOWEST)  # so that 0 never meets -inf
    largest = jnp.max(finite, axis=-1)
    shifted = finite - largest[:, None]
    share = jnp.exp(shifted)
    total = jnp.sum(share, axis=-1)
    log_total = jnp.log(total)
    entropy = log_total - jnp.sum(share * shifted, axis=-1) / total
    log_marginal = jnp.where(largest > _LOWEST, largest + log_total, -jnp.inf)
    return PosteriorAndObjective(
        share / total[:, None],
        -jnp.sum(jnp.where(mask, log_marginal, 0)),
        jnp.sum(jnp.where(mask, entropy, 0)),
    )
