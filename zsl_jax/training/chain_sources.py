"""The reliability of the sources of a text: steps 1, 2 and 4 of `chain_fit`."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from zsl_jax import kernels
from zsl_jax.kernels import AgreementSums, LabelSums, SourceReliability
from zsl_jax.training.chain_text import ChainLabels, ChainText, totals
from zsl_jax.training.config import ChainConfig

MEAN_COUNT = 0.01  # added to counts under the weighted mean of the sources
POSTERIOR_COUNT = 0.1  # the same afterwards, over K for confusions
FREQUENCY = 1e-3  # added to the relative frequency of each label of a source
NUM_PASSES = 3  # iterations of step 1
TINY = 1e-30  # lower bound on a probability before its logarithm is taken


class CountedSources(NamedTuple):
    """The sources before anything is known of word types and chain.

    Attributes:
      reliability: Their confusion matrices, trust and weights.
      agreement: Of each with the others.
      copies: [U, U], how far they are copies of each other.
    """

    reliability: SourceReliability
    agreement: AgreementSums
    copies: Float[np.ndarray, "U U"]


def count_sources(text: ChainText, labels: ChainLabels, config: ChainConfig) -> CountedSources:
    """Steps 1 and 2: reliability, then confusion matrices from its weighted mean."""
    num_labels = labels.meanings.stands_for.shape[1]
    copies = find_copies(text, labels, config)
    weights: Any = np.repeat(1 / copies.sum(axis=1, keepdims=True), num_labels, axis=1)
    for _ in range(NUM_PASSES):
        sums = _reliability(text, labels, weights, copies)
        counts = (MEAN_COUNT * num_labels, MEAN_COUNT)
        estimates = _estimates(sums.labels, sums.agreement, labels, config, copies, counts)
        weights = estimates.weights
    sums = _reliability(text, labels, weights, copies)
    estimates = _estimates(sums.labels, sums.agreement, labels, config, copies)
    trust = _trust(estimates.kappa, copies, config)
    prior = sums.labels.mass + POSTERIOR_COUNT
    log_prior = np.log(prior / prior.sum()).astype(np.result_type(text.votes, np.float32))
    counted = totals(
        lambda votes, mask: kernels.label_sums(
            np.broadcast_to(log_prior, (len(votes), num_labels)),
            votes, mask, estimates.log_confusion, trust,
        ),
        text.votes,
    )  # fmt: skip
    log_confusion = _estimates(counted, sums.agreement, labels, config, copies).log_confusion
    frequency = sums.probs / np.maximum(sums.spoke, 1)[:, None] + FREQUENCY
    mean: Any = sums.mean / max(float(sums.voted), 1)
    reliability = SourceReliability(log_confusion, trust, frequency, weights, mean)
    return CountedSources(reliability, sums.agreement, copies)


def recount_sources(
    text: ChainText,
    labels: ChainLabels,
    config: ChainConfig,
    before: CountedSources,
    posterior: Float[np.ndarray, "N K"],
) -> tuple[SourceReliability, Float[np.ndarray, " U"]]:
    """Step 4: weights, trust and κ counted from the posterior; the confusion matrices stay."""
    sources, copies = before.reliability, before.copies
    weights = estimates_from_posterior(text, labels, config, before, posterior).weights
    sums = _reliability(text, labels, weights, copies)
    kappa = _estimates(sums.labels, sums.agreement, labels, config, copies).kappa
    mean: Any = sums.mean / max(float(sums.voted), 1)
    trust = _trust(kappa, copies, config)
    return sources._replace(trust=trust, weights=weights, mean=mean), np.asarray(kappa)


def estimates_from_posterior(
    text: ChainText,
    labels: ChainLabels,
    config: ChainConfig,
    before: CountedSources,
    posterior: Float[np.ndarray, "N K"],
) -> kernels.SourceEstimates:
    """Weights and confusion matrices counted from the posterior of the text."""
    sources, agreement, copies = before
    counted = totals(
        lambda q, votes, mask: kernels.label_sums(
            np.log(np.maximum(q, TINY)), votes, mask, sources.log_confusion, 0 * sources.trust
        ),
        posterior,
        text.votes,
    )
    return _estimates(counted, agreement, labels, config, copies)


def find_copies(
    text: ChainText, labels: ChainLabels, config: ChainConfig
) -> Float[np.ndarray, "U U"]:
    """How far any two sources are copies of each other; must be called by all processes."""
    num_source_labels = len(labels.meanings.stands_for)
    pairs = totals(
        lambda votes, mask: kernels.pair_sums(votes, mask, num_source_labels), text.votes
    )
    copies = kernels.near_copies(kernels.pairwise_agreement(pairs), np.float32(config.power))
    return np.asarray(copies)


def _reliability(
    text: ChainText, labels: ChainLabels, weights: Any, copies: Any
) -> kernels.ReliabilitySums:
    return totals(
        lambda votes, mask: kernels.reliability_sums(votes, mask, weights, labels.meanings, copies),
        text.votes,
    )


def _estimates(
    sums: LabelSums,
    agreement: AgreementSums,
    labels: ChainLabels,
    config: ChainConfig,
    copies: Any,
    pseudo_counts: tuple[float, float] = (POSTERIOR_COUNT, POSTERIOR_COUNT),
) -> kernels.SourceEstimates:
    counts: Any = tuple(map(np.float32, pseudo_counts))
    return kernels.source_estimates(
        sums,
        agreement,
        labels.meanings.compatible,
        counts,
        np.float32(config.power),
        np.float32(config.identity_share),
        copies,
    )


def _trust(kappa: Any, copies: Any, config: ChainConfig) -> Any:
    """k: powers of κ, scaled to 1 for the source that agrees most; copies share that of one."""
    trust = np.asarray(kappa, np.float64) ** config.power
    trust = trust / trust.max() if trust.max() > 0 else np.ones_like(trust)
    return trust / copies.sum(axis=1)
