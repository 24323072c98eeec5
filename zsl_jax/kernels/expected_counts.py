"""Expected counts of a source's labels under a posterior, and confusion matrices from counts."""

import math

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from zsl_jax.kernels.arguments import Scalar, flat_words, kernel, labels_in_range
from zsl_jax.kernels.confusion import log_confusion_from_logits, logits_of_meaning
from zsl_jax.kernels.likelihood import source_log_likelihoods
from zsl_jax.kernels.segments import segment_sum

# Most rows of a table that counts the labels of several sources at once; the caches hold them.
_MOST_COMBINATIONS = 4096


@kernel(static=("num_source_labels",))
def expected_counts(
    posterior: Float[Array, "*words K"],
    labels: Int[Array, "*words U"],
    mask: Bool[Array, "*words"],
    num_source_labels: int | None = None,
) -> Float[Array, "U V K"]:
    """Returns how often each source is expected to predict each label given each true label.

    C_u(ŷ, y) = Σ_n Q_n(y) [source u predicts ŷ for word n].

    Args:
      posterior: [..., K], Q.
      labels: [..., U], the sources' labels; -1 where one abstains.
      mask: [...], False for words that do not count.
      num_source_labels: V, the number of labels of the sources; K by default.

    Returns:
      [U, V, K], counts [source, predicted, true]; each source's sum is its number of predictions.

    Examples:
      >>> posterior = jnp.array([[0.9, 0.1], [0.2, 0.8]])
      >>> expected_counts(posterior, jnp.array([[0, -1], [1, 1]]), jnp.array([True, True]))
      Array([[[0.9, 0.1],
              [0.2, 0.8]],
      <BLANKLINE>
             [[0. , 0. ],
              [0.2, 0.8]]], dtype=float32)
    """
    num_source_labels = num_source_labels or posterior.shape[-1]
    posterior = jnp.where(mask[..., None], posterior, 0)
    posterior, labels = flat_words(posterior, 1), flat_words(labels, 1)
    labels = labels_in_range(labels, num_source_labels)
    together = max(1, int(math.log(_MOST_COMBINATIONS, num_source_labels + 1)))
    # Group by group: as one batched scatter it is several times slower.
    groups = range(0, labels.shape[-1], together)
    counts = [
        _joint_counts(posterior, labels[:, at : at + together], num_source_labels) for at in groups
    ]
    return jnp.concatenate(counts)


def _joint_counts(
    posterior: Float[Array, "N K"], labels: Int[Array, "N G"], num_source_labels: int
) -> Float[Array, "G V K"]:
    """Counts of a few sources from one sum: by all their labels at once, then by those of each."""
    num_sources = labels.shape[-1]
    shape = (num_source_labels + 1,) * num_sources  # index 0 is abstention
    combination = jnp.ravel_multi_index(tuple(labels.T + 1), shape, mode="clip")
    table = segment_sum(posterior, combination, math.prod(shape))
    table = table.reshape(*shape, posterior.shape[-1])
    axes = range(num_sources)
    of_each = [jnp.sum(table, [axis for axis in axes if axis != own])[1:] for own in axes]
    return jnp.stack(of_each)


@kernel
def likelihood_weighted_counts(
    posterior: Float[Array, "*words K"],
    probs: Float[Array, "*words U V"],
    log_confusion: Float[Array, "U V K"],
    mask: Bool[Array, "*words"],
) -> Float[Array, "U V K"]:
    """Returns the expected counts of exact EM on probabilities.

    C_u(ŷ, y) = Σ_n Q_n(y) P_u(ŷ) φ_u(ŷ|y) / ℓ_n,u(y): under the soft likelihood, the predicted
    label is unknown as well.

    Args:
      posterior: [..., K], Q.
      probs: [..., U, V], the sources' probabilities; an all-zero row where one abstains.
      log_confusion: [U, V, K], log φ of the round before.
      mask: [...], False for words that do not count.

    Returns:
      [U, V, K], counts [source, predicted, true]; `expected_counts` if all rows are one-hot and
      no confusion is rarer than `LOG_FLOOR`.

    Examples:
      >>> confusion = jnp.array([[[0.9, 0.5], [0.1, 0.5]]])
      >>> posterior, probs = jnp.array([[0.5, 0.5]]), jnp.array([[[0.5, 0.5]]])
      >>> likelihood_weighted_counts(posterior, probs, jnp.log(confusion), jnp.array([True]))
      Array([[[0.45, 0.25],
              [0.05, 0.25]]], dtype=float32)
    """
    probs = flat_words(jnp.where(mask[..., None, None], probs, 0), 2)
    posterior = flat_words(jnp.where(mask[..., None], posterior, 0), 1)
    log_likelihood = source_log_likelihoods(probs, log_confusion)
    share = posterior[:, None, :] * jnp.exp(-log_likelihood)
    weighted = jnp.einsum("nuj,nuk->ujk", probs, share)
    return weighted * jnp.exp(log_confusion)


@kernel
def closed_form_log_confusion(
    counts: Float[Array, "*sources V K"],
    log_initial: Float[Array, "*sources V K"],
    pseudo_count: Scalar,
) -> Float[Array, "*sources V K"]:
    """Returns the M step for confusion matrices, with the initial matrix as a Dirichlet prior.

    σ(ŷ|y) ∝ c K σ₀(ŷ|y) + C(ŷ, y), normalised over ŷ.

    Args:
      counts: [..., V, K], expected counts [source, predicted, true].
      log_initial: [..., V, K], log σ₀.
      pseudo_count: [], c: 0 is maximum likelihood.

    Returns:
      [..., V, K], log σ; `log_initial` in columns without counts.

    Examples:
      >>> counts, initial = jnp.array([[8.0, 0.0], [2.0, 0.0]]), jnp.full((2, 2), 0.5)
      >>> jnp.exp(closed_form_log_confusion(counts, jnp.log(initial), 0.0))
      Array([[0.8, 0.5],
             [0.2, 0.5]], dtype=float32)
    """
    initial = jnp.exp(log_initial)
    smoothed = pseudo_count * counts.shape[-1] * initial + counts
    total = jnp.sum(smoothed, axis=-2, keepdims=True)
    share = jnp.where(total > 0, smoothed / jnp.where(total > 0, total, 1), initial)
    return _log(share)


@kernel
def confusion_with_identity(
    counts: Float[Array, "*sources V K"],
    compatible: Bool[Array, "*sources V K"],
    identity_share: Scalar = 0.1,
    pseudo_count: Scalar = 0.1,
) -> Float[Array, "*sources V K"]:
    """Returns confusion matrices from counts, held near the identity by mixing it in.

    σ(ŷ|y) = (1 − η) (C(ŷ, y) + c / K) / Σ_ŷ' (C(ŷ', y) + c / K) + η [ŷ may mean y]. Without the
    identity, rounds of Dawid–Skene let rare labels merge.

    Args:
      counts: [..., V, K], expected counts [source, predicted, true].
      compatible: [..., V, K], whether a source's label may mean the true label. The identity's
        share of a true label is spread evenly over those that may mean it, or over all that the
        source has where none may.
      identity_share: [], η.
      pseudo_count: [], c, for each true label, over K.

    Returns:
      [..., V, K], log σ, each column's exponentials sum to 1; −inf for labels the source lacks.

    Examples:
      >>> counts = jnp.array([[4.0, 6.0], [0.0, 0.0]])
      >>> jnp.exp(confusion_with_identity(counts, jnp.eye(2, dtype=bool), 0.5, 0.0))
      Array([[1. , 0.5],
             [0. , 0.5]], dtype=float32)
    """
    log_identity = log_confusion_from_logits(
        logits_of_meaning(jnp.asarray(jnp.inf, counts.dtype), compatible)
    )
    has_label = jnp.any(compatible | (counts > 0), axis=-1, keepdims=True)
    has_label |= ~jnp.any(has_label, axis=-2, keepdims=True)
    smoothed = jnp.where(has_label, counts + pseudo_count / counts.shape[-1], 0)
    total = jnp.sum(smoothed, axis=-2, keepdims=True)
    counted = jnp.where(total > 0, smoothed / jnp.where(total > 0, total, 1), 0)
    mixed = (1 - identity_share) * counted + identity_share * jnp.exp(log_identity)
    return _log(jnp.asarray(mixed))


def _log(probs: Array) -> Array:
    """Log of probabilities: −inf where they are 0, with a gradient of 0."""
    return jnp.where(probs > 0, jnp.log(jnp.where(probs > 0, probs, 1)), -jnp.inf)
