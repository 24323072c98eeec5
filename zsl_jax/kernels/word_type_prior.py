"""What the other occurrences of a word imply for it: a prior with back-off over word types.

Each word has a key at several levels, from coarse (such as its shape) to fine (its form). Keys are
numbers that the host assigns; ids outside the table, such as -1, are keys that were never counted.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from zsl_jax.kernels.arguments import Scalar, flat_words, kernel
from zsl_jax.kernels.segments import segment_sum

# Smallest probability of a label.
RAREST = 1e-9


@kernel(static=("num_keys",))
def word_type_counts(
    posterior: Float[Array, "*words K"], keys: Int[Array, "*words"], num_keys: int
) -> Float[Array, "T K"]:
    """Returns the sum of the posterior over the words of each key: S(key) = Σ_n [key_n = key] Q_n.

    Args:
      posterior: [..., K], Q; all-zero rows for words that do not count.
      keys: [...], from 0 to T − 1; words with other keys are left out.
      num_keys: T.

    Returns:
      [T, K].

    Examples:
      >>> posterior = jnp.array([[0.5, 0.5], [1.0, 0.0], [0.0, 1.0]])
      >>> word_type_counts(posterior, jnp.array([0, 0, -1]), num_keys=2)
      Array([[1.5, 0.5],
             [0. , 0. ]], dtype=float32)
    """
    return segment_sum(flat_words(posterior, 1), jnp.ravel(keys), num_keys)


@kernel
def back_off(
    counts: Float[Array, "*words L K"],
    own: Float[Array, "*words K"],
    prior: Float[Array, " K"],
    strength: Scalar = 10.0,
) -> Float[Array, "*words K"]:
    """Returns log-probabilities of a word's label by its type, without the word itself.

    a = prior; at each level, from the coarsest: a ∝ max(S(key) − own, 0) + b · a. This is the
    smoothing of MacKay and Peto (1995), [A Hierarchical Dirichlet Language
    Model](https://doi.org/10.1017/S1351324900000218), over word types.

    Args:
      counts: [..., L, K], S of the word's key at each level, zeros for keys never counted.
      own: [..., K], what the word itself added to the counts; zeros for words of a new text.
      prior: [K], label frequencies.
      strength: b, the weight of the coarser level, in words.

    Returns:
      [..., K], log a.

    Examples:
      >>> counts = jnp.array([[5.0, 1.0]])  # one level: five words of the type have label 0
      >>> jnp.exp(back_off(counts, jnp.array([0.0, 1.0]), jnp.array([0.5, 0.5]), 5.0))
      Array([0.75, 0.25], dtype=float32)
    """
    probs = jnp.broadcast_to(prior, own.shape)
    for level in range(counts.shape[-2]):
        probs = jnp.maximum(counts[..., level, :] - own, 0) + strength * probs
        probs = probs / jnp.sum(probs, axis=-1, keepdims=True)
    return jnp.log(probs + RAREST)
