"""Likelihood of what a source predicts, for every possible true label.

Written for one word and one source, and mapped over both in `source_log_likelihoods`. Probabilities
below `exp(LOG_FLOOR)`, about 1.6e-28, count as that much. An identity confusion matrix is thereby
the limit of an ever steeper one: contradictions between sources are settled by their number and the
prior, nothing is NaN, and every gradient is finite.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from zsl_jax.kernels.arguments import (
    are_labels,
    flat_words,
    kernel,
    labels_in_range,
)

LOG_FLOOR = -64.0


@kernel
def hard_log_likelihood(
    label: Int[Array, ""], log_confusion: Float[Array, "V K"]
) -> Float[Array, " K"]:
    """Returns the log-likelihood of one source's label for one word.

    The row of the confusion matrix that belongs to the predicted label: log φ(ŷ|y).

    Args:
      label: [], the label that the source predicts; -1 where it abstains.
      log_confusion: [V, K], log-probabilities [predicted, true].

    Returns:
      [K], one value per true label, at least `LOG_FLOOR`; zeros where the source abstains.

    Examples:
      >>> confusion = jnp.array([[0.9, 0.5], [0.1, 0.5]])  # columns sum to 1
      >>> jnp.exp(hard_log_likelihood(0, jnp.log(confusion)))
      Array([0.9, 0.5], dtype=float32)
    """
    label = labels_in_range(label, len(log_confusion))
    row = jnp.maximum(log_confusion[jnp.maximum(label, 0)], LOG_FLOOR)
    return jnp.where(label >= 0, row, 0)


@kernel
def soft_log_likelihood(
    probs: Float[Array, " V"], log_confusion: Float[Array, "V K"]
) -> Float[Array, " K"]:
    """Returns the log-likelihood of one source's probabilities for one word.

    The log of the expected confusion, not the expected log: log Σ_ŷ P_u(ŷ|x) φ(ŷ|y).

    Args:
      probs: [V], the source's probabilities; all zero where it abstains.
      log_confusion: [V, K], log-probabilities [predicted, true].

    Returns:
      [K], one value per true label, at least `LOG_FLOOR`; zeros where the source abstains. Equal to
      `hard_log_likelihood` for a one-hot row.

    Examples:
      >>> confusion = jnp.array([[0.9, 0.5], [0.1, 0.5]])
      >>> jnp.exp(soft_log_likelihood(jnp.array([0.25, 0.75]), jnp.log(confusion)))
      Array([0.3, 0.5], dtype=float32)
    """
    floor = jnp.exp(LOG_FLOOR)
    confusion = jnp.maximum(jnp.exp(log_confusion), floor)
    expected = jnp.matmul(confusion.T, probs)
    return jnp.where(jnp.any(probs > 0), jnp.log(jnp.maximum(expected, floor)), 0)


@kernel
def source_log_likelihoods(
    votes: Int[Array, "*words U"] | Float[Array, "*words U V"],
    log_confusion: Float[Array, "U V K"],
) -> Float[Array, "*words U K"]:
    """Returns the log-likelihood of every source's prediction for every word, per source.

    `hard_log_likelihood` of labels, which is a gather, or `soft_log_likelihood` of probabilities,
    which is a batched matrix product. `log_joint` adds the sources up without this array.

    Args:
      votes: [..., U], labels, -1 where a source abstains; or [..., U, V], probabilities, an
        all-zero row where one abstains.
      log_confusion: [U, V, K], log-probabilities [source, predicted, true].

    Returns:
      [..., U, K], log ℓ_u(y).

    Examples:
      >>> confusion = jnp.array([[[0.9, 0.5], [0.1, 0.5]], [[0.8, 0.2], [0.2, 0.8]]])
      >>> jnp.exp(source_log_likelihoods(jnp.array([[0, -1]]), jnp.log(confusion)))
      Array([[[0.9, 0.5],
              [1. , 1. ]]], dtype=float32)
    """
    hard = are_labels(votes)
    one_source = hard_log_likelihood if hard else soft_log_likelihood
    words = flat_words(votes, 1 if hard else 2)
    of_words = jax.vmap(jax.vmap(one_source), in_axes=(0, None))(words, log_confusion)
    return of_words.reshape(*votes.shape[: None if hard else -1], log_confusion.shape[-1])
