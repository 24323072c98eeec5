"""How far sources can be trusted, per source and per label: sums over a text and estimates."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from zsl_jax.kernels.agreement import AgreementSums, agreement_beyond_chance, agreement_sums
from zsl_jax.kernels.arguments import (
    Scalar,
    are_labels,
    flat_words,
    kernel,
    labels_in_range,
    normalised,
)
from zsl_jax.kernels.expected_counts import confusion_with_identity, expected_counts
from zsl_jax.kernels.posterior import log_joint
from zsl_jax.kernels.weighted_mean import as_probs, labels_of_probs, weighted_mean

# Keeps F defined where a source neither finds a label nor gives it.
_TINY = 1e-9
# Added to κ before it is raised to a power, so that no source is without any weight.
_LEAST_KAPPA = 1e-3


class VoteMeanings(NamedTuple):
    """How the sources' V labels relate to the target's K.

    Attributes:
      stands_for: [V, K], how the probability of a source's label is spread over the target's.
      compatible: [U, V, K], whether a source's label may mean a true label.
    """

    stands_for: Float[Array, "V K"]
    compatible: Bool[Array, "U V K"]


class LabelSums(NamedTuple):
    """Sums over words under a distribution q of the true label of each.

    Attributes:
      counts: [U, V, K], Σ q(y) [source u gives v].
      mass: [K], Σ q(y).
    """

    counts: Float[Array, "U V K"]
    mass: Float[Array, " K"]


class ReliabilitySums(NamedTuple):
    """Sums over words under the weighted mean q ∝ r of the sources.

    Attributes:
      labels: Σ q.
      agreement: For κ of each source.
      probs: [U, V], Σ P_u(v).
      mean: [K], Σ r(y).
      spoke: [U], number of words on which each source gives a label.
      voted: [], number of words on which any source does.
    """

    labels: LabelSums
    agreement: AgreementSums
    probs: Float[Array, "U V"]
    mean: Float[Array, " K"]
    spoke: Float[Array, " U"]
    voted: Float[Array, ""]


class SourceEstimates(NamedTuple):
    """Estimates from sums over a text.

    Attributes:
      kappa: [U], from `agreement_beyond_chance`.
      weights: [U, K], from `reliability_weights`.
      log_confusion: [U, V, K], from `confusion_with_identity`.
    """

    kappa: Float[Array, " U"]
    weights: Float[Array, "U K"]
    log_confusion: Float[Array, "U V K"]


@kernel
def reliability_sums(
    votes: Int[Array, "*words U"] | Float[Array, "*words U V"],
    mask: Bool[Array, "*words"],
    weights: Float[Array, "U K"],
    meanings: VoteMeanings,
    copies: Float[Array, "U U"] | None = None,
) -> ReliabilitySums:
    """Returns what a block of words adds to the estimates of the sources' reliability.

    Args:
      votes: [..., U], labels, -1 where a source abstains; or [..., U, V], probabilities, an
        all-zero row where one abstains.
      mask: [...], False for words that do not count.
      weights: [U, K], w; 1/U for the plain mean.
      meanings: How the sources' labels relate to the target's.
      copies: [U, U], from `near_copies`; None if there are none.

    Returns:
      Sums; words on which all sources abstain add to none.

    Examples:
      >>> identity = jnp.eye(2)
      >>> meanings = VoteMeanings(identity, jnp.stack([identity > 0] * 2))
      >>> labels, mask = jnp.array([[0, 0], [1, 0], [1, -1]]), jnp.ones(3, bool)
      >>> sums = reliability_sums(labels, mask, jnp.full((2, 2), 0.5), meanings)
      >>> sums.mean, sums.spoke
      (Array([1.5, 1.5], dtype=float32), Array([3., 2.], dtype=float32))
    """
    probs = flat_words(as_probs(votes, meanings.compatible.shape[1], weights.dtype), 2)
    mask = jnp.ravel(mask)
    probs = jnp.where(mask[:, None, None], probs, 0)
    labels = labels_of_probs(probs)
    mean = weighted_mean(jnp.matmul(probs, meanings.stands_for), weights)
    posterior = normalised(mean)
    counts = expected_counts(posterior, labels, mask, probs.shape[-1])
    return ReliabilitySums(
        labels=LabelSums(counts, jnp.sum(posterior, axis=0)),
        agreement=agreement_sums(probs, weights, *meanings, mask, copies),
        probs=jnp.sum(probs, axis=0),
        mean=jnp.sum(mean, axis=0),
        spoke=jnp.sum(labels >= 0, axis=0).astype(mean.dtype),
        voted=jnp.sum(jnp.any(mean > 0, axis=-1)).astype(mean.dtype),
    )


@kernel
def label_sums(
    log_prior: Float[Array, "*words K"],
    votes: Int[Array, "*words U"] | Float[Array, "*words U V"],
    mask: Bool[Array, "*words"],
    log_confusion: Float[Array, "U V K"],
    trust: Scalar | Float[Array, " U"] = 1.0,
) -> LabelSums:
    """Returns counts under q_n(y) ∝ π_n(y) Π_u σ_u(h_nu|y)^k_u, h_nu the label that source u gives.

    With trust 0, they are counts under the prior itself, which may be any posterior.

    Args:
      log_prior: [..., K], log π of each word.
      votes: [..., U], labels; or [..., U, V], probabilities, of which the largest is the label.
      mask: [...], False for words that do not count.
      log_confusion: [U, V, K], log σ.
      trust: [U], k, or one number for all.

    Returns:
      Sums; words on which all sources abstain add to none.

    Examples:
      >>> log_prior = jnp.log(jnp.array([[0.5, 0.5], [0.5, 0.5]]))
      >>> confusion = jnp.array([[[0.9, 0.1], [0.1, 0.9]]])
      >>> labels, mask = jnp.array([[0], [-1]]), jnp.array([True, True])
      >>> label_sums(log_prior, labels, mask, jnp.log(confusion)).mass
      Array([0.9, 0.1], dtype=float32)
    """
    labels = votes if are_labels(votes) else labels_of_probs(votes)
    labels = labels_in_range(labels, log_confusion.shape[1])
    joint = flat_words(log_joint(log_prior, labels, log_confusion, trust, 1.0), 1)
    labels = flat_words(labels, 1)
    mask = jnp.ravel(mask) & jnp.any(labels >= 0, axis=-1)
    posterior = jnp.where(mask[:, None], jax.nn.softmax(joint, axis=-1), 0)
    counts = expected_counts(posterior, labels, mask, log_confusion.shape[1])
    return LabelSums(counts, jnp.sum(posterior, axis=0))


@kernel
def source_estimates(
    sums: LabelSums,
    agreement: AgreementSums,
    compatible: Bool[Array, "U V K"],
    pseudo_counts: tuple[Scalar, Scalar] = (0.1, 0.1),
    power: Scalar = 4.0,
    identity_share: Scalar = 0.1,
    copies: Float[Array, "U U"] | None = None,
) -> SourceEstimates:
    """Returns reliability and confusion matrices of the sources from sums over a text.

    Args:
      sums: Under the weighted mean of the sources, or a posterior.
      agreement: From `agreement_sums`.
      compatible: [U, V, K], whether a source's label may mean a true label.
      pseudo_counts: Added to the counts of confusions, over K, and to those of true labels.
      power: [], of κ in the weights.
      identity_share: [], of the identity in the confusion matrices; F1 is computed without it.
      copies: [U, U], as for `reliability_weights`.

    Returns:
      κ, w and log σ.

    Examples:
      >>> identity = jnp.eye(2)
      >>> meanings = VoteMeanings(identity, jnp.stack([identity > 0] * 3))
      >>> labels = jnp.array([[0, 0, 1], [1, 1, 1], [0, 0, 0], [1, 1, 0]])
      >>> sums = reliability_sums(labels, jnp.ones(4, bool), jnp.full((3, 2), 1 / 3), meanings)
      >>> estimates = source_estimates(sums.labels, sums.agreement, meanings.compatible)
      >>> estimates.kappa, estimates.weights
      (Array([0.5, 0.5, 0. ], dtype=float32), Array([[0.5, 0.5],
             [0.5, 0.5],
             [0. , 0. ]], dtype=float32))
    """
    confusion_count, prior_count = pseudo_counts
    plain = confusion_with_identity(sums.counts, compatible, 0.0, confusion_count)
    prior = normalised(sums.mass + prior_count)
    kappa = agreement_beyond_chance(agreement, compatible)
    f_scores = class_f_scores(jnp.exp(plain), prior, compatible)
    log_confusion = confusion_with_identity(
        sums.counts, compatible, identity_share, confusion_count
    )
    weights = reliability_weights(f_scores, kappa, power, copies)
    return SourceEstimates(kappa, weights, log_confusion)


@kernel
def class_f_scores(
    confusion: Float[Array, "U V K"], prior: Float[Array, " K"], compatible: Bool[Array, "U V K"]
) -> Float[Array, "U K"]:
    """Returns F1 of each source for each true label: harmonic mean of recall and precision.

    recall = φ(y|y), precision = φ(y|y) π(y) / Σ_y' φ(y|y') π(y'); with several labels that may mean
    y, all of them count.

    Args:
      confusion: [U, V, K], φ, probabilities indexed [source, predicted, true].
      prior: [K], π, the frequencies of the true labels.
      compatible: [U, V, K], whether a source's label may mean the true label.

    Returns:
      [U, K], between 0 and 1.

    Examples:
      >>> confusion = jnp.array([[[1.0, 0.5], [0.0, 0.5]]])
      >>> class_f_scores(confusion, jnp.array([0.5, 0.5]), jnp.eye(2, dtype=bool)[None])
      Array([[0.8 , 0.67]], dtype=float32)
    """
    given = jnp.einsum("uvk,k->uv", confusion, prior)  # how often the source gives each label
    recall = jnp.sum(jnp.where(compatible, confusion, 0), axis=-2)
    given_as = jnp.sum(jnp.where(compatible, given[..., None], 0), axis=-2)
    precision = recall * prior / jnp.where(given_as > 0, given_as, 1)
    return 2 * recall * precision / (recall + precision + _TINY)


@kernel
def reliability_weights(
    f_scores: Float[Array, "U K"],
    kappa: Float[Array, " U"],
    power: Scalar = 4.0,
    copies: Float[Array, "U U"] | None = None,
) -> Float[Array, "U K"]:
    """Returns the weight of each source for each true label, from its F1 and its agreement.

    w_u(y) ∝ F_u(y)² (κ_u + 0.001)^power / Σ_v s_uv, normalised over the sources: copies share the
    weight of one.

    Args:
      f_scores: [U, K], from `class_f_scores`.
      kappa: [U], from `agreement_beyond_chance`.
      power: 4 keeps random and label-switched sources out; 2 does not.
      copies: [U, U], s, from `near_copies`; None if there are none.

    Returns:
      [U, K], each column sums to 1.

    Examples:
      >>> f_scores = jnp.array([[0.9, 0.5], [0.9, 0.5]])
      >>> reliability_weights(f_scores, jnp.array([0.8, 0.4]))
      Array([[0.94, 0.94],
             [0.06, 0.06]], dtype=float32)
    """
    weights = jnp.square(f_scores) * (kappa[:, None] + _LEAST_KAPPA) ** power
    if copies is not None:
        weights = weights / jnp.sum(copies, axis=-1, keepdims=True)
    total = jnp.sum(weights, axis=0, keepdims=True)
    return jnp.where(total > 0, weights / jnp.where(total > 0, total, 1), 1 / len(weights))
