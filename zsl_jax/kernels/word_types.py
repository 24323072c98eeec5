"""What the other occurrences of a word say about it: a prior with back-off over word types.

Each word has a key at several levels, from coarse (such as its shape) to fine (its form). Keys are
numbers that the host gives out; -1 is a key that was never counted.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

_RAREST = 1e-9


def word_type_counts(
    posterior: Float[Array, "N K"], keys: Int[Array, " N"], num_keys: int
) -> Float[Array, "T K"]:
    """Sums of the posterior over the words of each key: S(key) = Σ_n [key_n = key] Q_n.

    Args:
      posterior: [N, K], Q; all-zero rows for words that do not count.
      keys: [N], from 0 to T − 1; words with -1 are left out.
      num_keys: T.

    Returns:
      [T, K].
    """
    places = jnp.where(keys < 0, num_keys, keys)  # out of range: dropped
    return jax.ops.segment_sum(posterior, places, num_keys)


def back_off(
    counts: Float[Array, "*words L K"],
    own: Float[Array, "*words K"],
    prior: Float[Array, " K"],
    strength: Float[Array, ""] | float = 10.0,
) -> Float[Array, "*words K"]:
    """Log-probabilities of a word's label by its type, level by level, without the word itself.

    a = prior; at each level, from the coarsest: a ∝ max(S(key) − own, 0) + strength · a.

    Args:
      counts: [..., L, K], S of the word's key at each level, zeros for keys never counted.
      own: [..., K], what the word itself added to the counts; zeros for words of a new text.
      prior: [K], label frequencies.
      strength: κ₀, the weight of the level above, in words.

    Returns:
      [..., K], log a.
    """
    log_prior = jnp.broadcast_to(prior, own.shape)
    probs = log_prior
    for level in range(counts.shape[-2]):
        probs = jnp.maximum(counts[..., level, :] - own, 0) + strength * probs
        probs = probs / jnp.sum(probs, axis=-1, keepdims=True)
    return jnp.log(probs + _RAREST)
