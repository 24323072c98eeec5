"""From source predictions to the posterior of the true label (the E step).

The likelihoods are written for one word and one source, and mapped in one place:
`source_log_likelihoods` and `soft_source_log_likelihoods` keep the result of every source,
`log_joint_of_votes` adds them up source by source, which is faster and needs no array [N, U, K].

Probabilities below `exp(LOG_FLOOR)`, about 1.6e-28, count as that much. An identity confusion
matrix is thereby the limit of an ever steeper one: sources that contradict each other are settled
by their number and the prior, nothing is NaN, and every gradient is finite.
"""

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

LOG_FLOOR = -64.0


def at_least_float32(values: Array) -> Array:
    """Half-precision values as float32; float32 and float64 as they are."""
    return values.astype(jnp.promote_types(values.dtype, jnp.float32))


def hard_log_likelihood(
    label: Int[Array, ""], log_confusion: Float[Array, "V K"]
) -> Float[Array, " K"]:
    """Log-likelihood of one source's label for one word, for every possible true label.

    The row of the confusion matrix that belongs to the predicted label: log φ(ŷ|y).

    Args:
      label: [], the label that the source predicts; -1 where it abstains.
      log_confusion: [V, K], log-probabilities [predicted, true].

    Returns:
      [K], one value per true label, at least `LOG_FLOOR`; zeros where the source abstains.
    """
    row = jnp.maximum(log_confusion[jnp.maximum(label, 0)], LOG_FLOOR)
    return jnp.where(label >= 0, row, 0)


def soft_log_likelihood(
    probs: Float[Array, " V"], log_confusion: Float[Array, "V K"]
) -> Float[Array, " K"]:
    """Log-likelihood of one source's probabilities for one word, for every possible true label.

    The log of the expected confusion, not the expected log: log Σ_ŷ P_s(ŷ|x) φ(ŷ|y).

    Args:
      probs: [V], the source's probabilities; all zero where it abstains.
      log_confusion: [V, K], log-probabilities [predicted, true].

    Returns:
      [K], one value per true label, at least `LOG_FLOOR`; zeros where the source abstains. Equal to
      `hard_log_likelihood` for a one-hot row.
    """
    floor = jnp.exp(LOG_FLOOR)
    confusion = jnp.maximum(jnp.exp(log_confusion), floor)  # so that only abstention gives 0 below
    expected = jnp.matmul(confusion.T, at_least_float32(probs), precision=lax.Precision.HIGHEST)
    return jnp.where(expected > 0, jnp.log(jnp.maximum(expected, floor)), 0)


def source_log_likelihoods(
    labels: Int[Array, "N U"], log_confusion: Float[Array, "U V K"]
) -> Float[Array, "N U K"]:
    """`hard_log_likelihood` of every source for every word: a gather.

    Args:
      labels: [N, U], the sources' labels; -1 where one abstains.
      log_confusion: [U, V, K], log-probabilities [source, predicted, true].

    Returns:
      [N, U, K], log ℓ_u(y).
    """
    return jax.vmap(jax.vmap(hard_log_likelihood), in_axes=(0, None))(labels, log_confusion)


def soft_source_log_likelihoods(
    probs: Float[Array, "N U V"], log_confusion: Float[Array, "U V K"]
) -> Float[Array, "N U K"]:
    """`soft_log_likelihood` of every source for every word: one batched matrix product.

    Args:
      probs: [N, U, V], the sources' probabilities; an all-zero row where one abstains.
      log_confusion: [U, V, K], log-probabilities [source, predicted, true].

    Returns:
      [N, U, K], log ℓ_u(y).
    """
    return jax.vmap(jax.vmap(soft_log_likelihood), in_axes=(0, None))(probs, log_confusion)


def _weighted(weight: Array, log_values: Array) -> Array:
    """Product of weight and log-value, in which weight 0 removes even log 0."""
    return jnp.where(weight == 0, 0, weight * jnp.where(weight == 0, 0, log_values))


def log_joint(
    log_prior: Float[Array, "*words K"],
    log_likelihood: Float[Array, "*words U K"],
    source_weight: Float[Array, " U"],
    prior_weight: Float[Array, ""] | float,
) -> Float[Array, "*words K"]:
    """Log-probability of the sources' predictions together with each true label (Eq. 3).

    log p(y, ŷ|x) = α log P_θ(y|x) + Σ_u β_u log ℓ_u(y).

    Args:
      log_prior: [..., K], the target tagger's log-probabilities.
      log_likelihood: [..., U, K], one row per source.
      source_weight: [U], β: below 1 tempers sources that copy each other, 0 removes one.
      prior_weight: [], α: 1 in the paper, the number of sources in its authors' code.

    Returns:
      [..., K], α times `log_prior` when every source abstains.
    """
    evidence = jnp.sum(_weighted(source_weight[:, None], log_likelihood), axis=-2)
    return _weighted(jnp.asarray(prior_weight, log_prior.dtype), log_prior) + evidence


def clamp_log_joint(log_joint: Float[Array, "N K"], known: Int[Array, " N"]) -> Float[Array, "N K"]:
    """The log joint of words of which some have a known label, as an infallible source gives it.

    log p(y, ŷ, known|x): unchanged where y is the known label, −inf for every other y.

    Args:
      log_joint: [N, K], from `log_joint` or `log_joint_of_votes`.
      known: [N], the known label of each word; -1 where there is none.

    Returns:
      [N, K]; the posterior of a word with a known label is one-hot.
    """
    possible = (known[:, None] < 0) | (known[:, None] == jnp.arange(log_joint.shape[-1]))
    return jnp.where(possible, log_joint, -jnp.inf)


def log_joint_of_votes(
    log_prior: Float[Array, "N K"],
    votes: Int[Array, "N U"] | Float[Array, "N U V"],
    log_confusion: Float[Array, "U V K"],
    source_weight: Float[Array, " U"],
    prior_weight: Float[Array, ""] | float,
) -> Float[Array, "N K"]:
    """`log_joint` of labels or probabilities, summed over the sources one after the other.

    Labels are looked up in a table of `hard_log_likelihood` at all V + 1 of them, so that nothing
    but sums is left to do for a word. Probabilities go through a loop on purpose: its running sum
    is in memory once a source, and XLA cannot recompute the likelihoods inside what follows (a
    softmax would do so for each label).

    Args:
      log_prior: [N, K], the target tagger's log-probabilities.
      votes: [N, U], the sources' labels, -1 where one abstains; or [N, U, V], their probabilities,
        an all-zero row where one abstains.
      log_confusion: [U, V, K], log-probabilities [source, predicted, true].
      source_weight: [U], β.
      prior_weight: [], α.

    Returns:
      [N, K], `log_joint` of `source_log_likelihoods` or `soft_source_log_likelihoods`.
    """
    start = _weighted(jnp.asarray(prior_weight, log_prior.dtype), log_prior)
    log_confusion = jnp.asarray(log_confusion)  # of NumPy, no row could be looked up by a tracer
    if votes.ndim == 2:
        return _add_labels(start, votes, log_confusion, source_weight)
    return _add_probs(start, votes, log_confusion, source_weight)


def _add_labels(
    total: Array, labels: Array, log_confusion: Array, source_weight: Array
) -> Float[Array, "N K"]:
    """A log joint [N, K] with what labels [N, U] add to it.

    As a branch, so that the sums are in memory: inside of what follows (a softmax reads them twice)
    XLA would look everything up again.
    """
    possible = jnp.arange(-1, log_confusion.shape[-2])
    one_source = jax.vmap(hard_log_likelihood, in_axes=(0, None))

    def add() -> Float[Array, "N K"]:
        found = total
        for source in range(labels.shape[-1]):
            table = _weighted(source_weight[source], one_source(possible, log_confusion[source]))
            found = found + table.at[labels[:, source] + 1].get(mode="promise_in_bounds")
        return found

    return lax.cond(jnp.any(labels >= 0), add, lambda: total)


def _add_probs(
    total: Array, probs: Array, log_confusion: Array, source_weight: Array
) -> Float[Array, "N K"]:
    """A log joint [N, K] with what probabilities [N, U, V] add to it.

    Inside, words are the last axis: matrix products and logarithms like it.
    """
    every_word = jax.vmap(soft_log_likelihood, in_axes=(-1, None), out_axes=-1)

    def add(total: Array, source: tuple[Array, Array, Array]) -> tuple[Array, None]:
        source_probs, matrix, weight = source
        return total + _weighted(weight, every_word(source_probs, matrix)), None

    sources = (jnp.moveaxis(probs, 0, -1), log_confusion, source_weight)
    return lax.scan(add, total.T, sources)[0].T


def log_posterior(log_joint: Float[Array, "*words K"]) -> Float[Array, "*words K"]:
    """Normalised log-posterior of the true label (the E step).

    log Q(y) = log p(y, ŷ|x) − log Σ_y' p(y', ŷ|x).

    Args:
      log_joint: [..., K], from `log_joint`.

    Returns:
      [..., K], log-probabilities; uniform for a word that no label can explain (all −inf).
    """
    possible = jnp.any(log_joint > -jnp.inf, axis=-1, keepdims=True)
    return jax.nn.log_softmax(jnp.where(possible, log_joint, 0), axis=-1)


def hard_posterior(log_joint: Float[Array, "*words K"]) -> Float[Array, "*words K"]:
    """Posterior of hard EM: all mass on the likeliest label, ties to the lowest id.

    Args:
      log_joint: [..., K], from `log_joint`.

    Returns:
      [..., K], one-hot rows.
    """
    num_labels = log_joint.shape[-1]
    return jax.nn.one_hot(jnp.argmax(log_joint, axis=-1), num_labels, dtype=log_joint.dtype)
