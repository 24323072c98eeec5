"""Confusion matrices: start, mixture, expected counts, and the closed-form M step.

Every matrix is indexed [source, predicted label, true label]; each column, one true label, is a
distribution over predictions. So every normalisation here runs over axis -2. Sources give V labels,
which are the target's K unless they cannot name all of those apart: V = K, or V rows and K columns.
"""

import math

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from zsl_jax.kernels.posterior import at_least_float32, soft_source_log_likelihoods

# Largest difference of two log-probabilities whose exponential float32 can hold.
_LARGEST_LOG_RATIO = 85.0

# Sums by the labels of several sources at once have at most so many rows, which the caches hold.
_MOST_COMBINATIONS = 4096


def diagonal_from_temperature(temperature: float, num_labels: int) -> float:
    """Probability that a source is right, when its logits are the temperature times identity.

    μ = e^τ / (e^τ + K − 1).

    Args:
      temperature: τ, may be infinite.
      num_labels: K.

    Returns:
      μ, the diagonal of the confusion matrix.

    >>> round(diagonal_from_temperature(2.0, 11), 2), round(diagonal_from_temperature(2.0, 37), 2)
    (0.42, 0.17)
    """
    if temperature >= 0:
        return 1 / (1 + (num_labels - 1) * math.exp(-temperature))
    odds = math.exp(temperature)
    return odds / (odds + num_labels - 1)


def temperature_from_diagonal(diagonal: float, num_labels: int) -> float:
    """Temperature whose identity logits give this diagonal; inverse of the function above.

    τ = log(μ (K − 1) / (1 − μ)).

    Args:
      diagonal: μ, between chance 1/K and 1, both excluded.
      num_labels: K.

    Returns:
      τ, above 0.

    Raises:
      ValueError: The diagonal is not above chance or not below 1.
    """
    if not 1 / num_labels < diagonal < 1:
        raise ValueError(
            f"the diagonal of a confusion matrix over {num_labels} labels must lie between chance, "
            f"{1 / num_labels:.4g}, and 1, but is {diagonal:.4g}"
        )
    return math.log(diagonal * (num_labels - 1)) - math.log1p(-diagonal)


def identity_logits(
    temperature: Float[Array, ""] | float, num_sources: int, num_labels: int
) -> Float[Array, "U K K"]:
    """Logits of sources that are more often right than wrong, and wrong evenly: τ·I.

    Args:
      temperature: τ. If infinite, the logits are those of the identity matrix: 0 and −inf.
      num_sources: U.
      num_labels: K.

    Returns:
      [U, K, K], the same matrix for every source.
    """
    identity = jnp.eye(num_labels, dtype=bool)
    return jnp.tile(logits_of_meaning(temperature, identity), (num_sources, 1, 1))


def logits_of_meaning(
    temperature: Float[Array, ""] | float, compatible: Bool[Array, "*sources V K"]
) -> Float[Array, "*sources V K"]:
    """Logits of sources whose labels are not the target's one for one: τ where they may agree.

    Column y is a softmax over the labels that the source has: e^τ for those that may mean y, 1 for
    the others. A column that no label may mean is uniform over them: whatever the source says is no
    evidence for or against that true label.

    Args:
      temperature: τ. If infinite, labels that may not mean the true one have −inf.
      compatible: [..., V, K], whether a source's label may mean the true label; a row that is False
        throughout is a label that the source does not have.

    Returns:
      [..., V, K], −inf in the rows of labels that the source does not have (unless it has none);
      `identity_logits` for the identity.
    """
    infinite = jnp.isinf(temperature)
    has_label = jnp.any(compatible, axis=-1, keepdims=True)
    has_label |= ~jnp.any(has_label, axis=-2, keepdims=True)
    said = jnp.any(compatible, axis=-2, keepdims=True)
    other = jnp.where(infinite & said, -jnp.inf, 0.0)
    logits = jnp.where(compatible, jnp.where(infinite, 0.0, temperature), other)
    logits = jnp.where(has_label, logits, -jnp.inf)
    return jnp.asarray(logits, jnp.result_type(temperature, float))


def log_confusion_from_logits(logits: Float[Array, "U V K"]) -> Float[Array, "U V K"]:
    """Log-probabilities of a confusion matrix kept as logits: log-softmax over predictions.

    Args:
      logits: [U, V, K], no column all −inf.

    Returns:
      [U, V, K], each column's exponentials sum to 1.
    """
    return jax.nn.log_softmax(logits, axis=-2)


def mix_log_confusion(
    log_fixed: Float[Array, "U V K"],
    log_trainable: Float[Array, "U V K"],
    mix: Float[Array, ""] | float,
) -> Float[Array, "U V K"]:
    """Mixture of the fixed and the trainable confusion matrix.

    log φ = log(λψ + (1 − λ)σ).

    Args:
      log_fixed: [U, V, K], log ψ.
      log_trainable: [U, V, K], log σ.
      mix: [], λ: 1 is minimum risk training, below 1 the latent variable model.

    Returns:
      [U, V, K], log φ, with finite gradients for every λ from 0 to 1; `log_fixed` at λ = 1 and
      `log_trainable` at λ = 0.
    """
    largest = jnp.maximum(jnp.log(mix) + log_fixed, jnp.log1p(-mix) + log_trainable)
    shift = lax.stop_gradient(jnp.where(jnp.isfinite(largest), largest, 0))
    fixed = jnp.exp(jnp.minimum(log_fixed - shift, _LARGEST_LOG_RATIO))
    trainable = jnp.exp(jnp.minimum(log_trainable - shift, _LARGEST_LOG_RATIO))
    mixed = mix * fixed + (1 - mix) * trainable
    possible = mixed > 0
    return jnp.where(possible, jnp.log(jnp.where(possible, mixed, 1)) + shift, -jnp.inf)


def expected_counts(
    posterior: Float[Array, "N K"],
    evidence: Float[Array, "N U V"],
    mask: Bool[Array, " N"],
) -> Float[Array, "U V K"]:
    """How often each source predicts each label where the posterior says each true label.

    C_u(ŷ, y) = Σ_n Q_n(y) e_n,u(ŷ).

    Args:
      posterior: [N, K], Q.
      evidence: [N, U, V], one-hot labels or probabilities; an all-zero row where a source abstains.
      mask: [N], False for words that do not count.

    Returns:
      [U, V, K], counts [source, predicted, true]; each source's sum is its number of predictions.
    """
    num_words, num_sources, num_source_labels = evidence.shape
    posterior = jnp.where(mask[:, None], at_least_float32(posterior), 0)
    evidence = jnp.where(mask[:, None, None], at_least_float32(evidence), 0)
    table = evidence.reshape(num_words, num_sources * num_source_labels)
    counts = jnp.matmul(table.T, posterior, precision=lax.Precision.HIGHEST)
    return counts.reshape(num_sources, num_source_labels, posterior.shape[-1])


def expected_counts_from_labels(
    posterior: Float[Array, "N K"],
    labels: Int[Array, "N U"],
    mask: Bool[Array, " N"],
    num_source_labels: int | None = None,
) -> Float[Array, "U V K"]:
    """`expected_counts` of hard labels, summed by label without one-hot vectors.

    C_u(ŷ, y) = Σ_n Q_n(y) [source u predicts ŷ for word n].

    Args:
      posterior: [N, K], Q.
      labels: [N, U], the sources' labels; -1 where one abstains.
      mask: [N], False for words that do not count.
      num_source_labels: V, the labels that sources give; K by default.

    Returns:
      [U, V, K], counts [source, predicted, true].
    """
    num_source_labels = num_source_labels or posterior.shape[-1]
    posterior = jnp.where(mask[:, None], at_least_float32(posterior), 0)
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
    table = jax.ops.segment_sum(posterior, combination, math.prod(shape))
    table = table.reshape(*shape, posterior.shape[-1])
    axes = range(num_sources)
    of_each = [jnp.sum(table, [axis for axis in axes if axis != own])[1:] for own in axes]
    return jnp.stack(of_each)


def likelihood_weighted_counts(
    posterior: Float[Array, "N K"],
    probs: Float[Array, "N U V"],
    log_confusion: Float[Array, "U V K"],
    mask: Bool[Array, " N"],
) -> Float[Array, "U V K"]:
    """Expected counts under the soft likelihood, which leaves the predicted label open as well.

    C_u(ŷ, y) = Σ_n Q_n(y) P_s(ŷ) φ_u(ŷ|y) / ℓ_n,u(y): the counts of exact EM on soft evidence.

    Args:
      posterior: [N, K], Q.
      probs: [N, U, V], the sources' probabilities; an all-zero row where one abstains.
      log_confusion: [U, V, K], log φ of the round before.
      mask: [N], False for words that do not count.

    Returns:
      [U, V, K], counts [source, predicted, true]; `expected_counts` if all rows are one-hot and
      no confusion is rarer than `posterior.LOG_FLOOR`.
    """
    probs = jnp.where(mask[:, None, None], at_least_float32(probs), 0)
    posterior = jnp.where(mask[:, None], at_least_float32(posterior), 0)
    log_likelihood = soft_source_log_likelihoods(probs, log_confusion)
    share = posterior[:, None, :] * jnp.exp(-log_likelihood)
    weighted = jnp.einsum("nuj,nuk->ujk", probs, share, precision=lax.Precision.HIGHEST)
    return weighted * jnp.exp(log_confusion)


def closed_form_log_confusion(
    counts: Float[Array, "U V K"],
    log_initial: Float[Array, "U V K"],
    pseudo_count: Float[Array, ""] | float,
) -> Float[Array, "U V K"]:
    """The M step for confusion matrices, with the initial matrix as a Dirichlet prior.

    σ(ŷ|y) ∝ c K σ₀(ŷ|y) + C(ŷ, y), normalised over ŷ.

    Args:
      counts: [U, V, K], expected counts [source, predicted, true].
      log_initial: [U, V, K], log σ₀.
      pseudo_count: [], c: 0 is maximum likelihood.

    Returns:
      [U, V, K], log σ; `log_initial` in columns without counts.
    """
    initial = jnp.exp(log_initial)
    smoothed = pseudo_count * counts.shape[-1] * initial + counts
    total = jnp.sum(smoothed, axis=-2, keepdims=True)
    share = jnp.where(total > 0, smoothed / jnp.where(total > 0, total, 1), initial)
    return jnp.where(share > 0, jnp.log(jnp.where(share > 0, share, 1)), -jnp.inf)


@jax.jit
def confusion_with_identity(
    counts: Float[Array, "U V K"],
    compatible: Bool[Array, "U V K"],
    identity_share: Float[Array, ""] | float = 0.1,
    pseudo_count: Float[Array, ""] | float = 0.1,
) -> Float[Array, "U V K"]:
    """Confusion matrices from counts, held near the identity by mixing it in.

    σ(ŷ|y) = (1 − s) (C(ŷ, y) + c / K) / Σ_ŷ' (C(ŷ', y) + c / K) + s [ŷ may mean y]. A few rounds of
    Dawid–Skene with it do not let rare labels merge, as rounds without it do.

    Args:
      counts: [U, V, K], expected counts [source, predicted, true].
      compatible: [U, V, K], whether a source's label may mean the true label. The identity's share
        of a true label is spread evenly over those that may mean it, or over all that the source
        has where none may.
      identity_share: [], s.
      pseudo_count: [], c, for each true label, over K.

    Returns:
      [U, V, K], log σ, each column's exponentials sum to 1; −inf for labels the source lacks.
    """
    log_identity = log_confusion_from_logits(logits_of_meaning(jnp.inf, compatible))
    has_label = jnp.any(compatible | (counts > 0), axis=-1, keepdims=True)
    has_label |= ~jnp.any(has_label, axis=-2, keepdims=True)
    smoothed = jnp.where(has_label, counts + pseudo_count / counts.shape[-1], 0)
    total = jnp.sum(smoothed, axis=-2, keepdims=True)
    counted = jnp.where(total > 0, smoothed / jnp.where(total > 0, total, 1), 0)
    return jnp.log((1 - identity_share) * counted + identity_share * jnp.exp(log_identity))


def total_variation(
    log_first: Float[Array, "U V K"], log_second: Float[Array, "U V K"]
) -> Float[Array, " U"]:
    """Distance of two sets of confusion matrices, between 0 (equal) and 1.

    Half the L1 distance of two columns, averaged over the columns.

    Args:
      log_first: [U, V, K], log-probabilities.
      log_second: [U, V, K], log-probabilities.

    Returns:
      [U], one distance per source.
    """
    difference = jnp.abs(jnp.exp(log_first) - jnp.exp(log_second))
    return jnp.mean(jnp.sum(difference, axis=-2), axis=-1) / 2
