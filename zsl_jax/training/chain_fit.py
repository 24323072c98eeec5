"""Fitting the reliability-weighted chain to a text, block by block; and Q of that text.

The steps and their order, with the formulas in `zsl_jax.kernels.chain_label_model`:

1. Find sources that are near-copies, which share the weight of one; estimate the reliability of
   sources and labels, alternating with the sources' weighted mean.
2. Count the confusion matrices twice, shrunk towards the identity; from then on they are fixed.
3. Compute the posterior, re-estimating word types and chain from it `ChainConfig.iterations` times.
4. Repeat steps 1 and 3, with the reliability now counted from the posterior.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float, Int

from zsl_jax import kernels
from zsl_jax.kernels import ChainState
from zsl_jax.runtime import processes
from zsl_jax.runtime.blocks import blocks
from zsl_jax.runtime.lookahead import lookahead
from zsl_jax.training.chain_inference import (
    FittedChain,
    best_labels,
    chain_inputs,
    evidence,
    row_blocks,
)
from zsl_jax.training.chain_sources import count_sources, recount_sources
from zsl_jax.training.chain_text import ChainLabels, ChainText, added, total, totals
from zsl_jax.training.config import ChainConfig
from zsl_jax.training.sentence_rows import RowBlock, SentenceRows

PRIOR = 1e-6  # added to the label frequencies of the word types


class ChainPosterior(NamedTuple):
    """Q of a text.

    Attributes:
      posterior: [N, K], Q.
      state: Word types and chain for computing the posterior of another text.
      log_marginal: Log-probability of the sources' predictions, summed over the words of all
        processes, up to factors that do not depend on any label.
    """

    posterior: Float[np.ndarray, "N K"]
    state: ChainState
    log_marginal: float


def fit_chain(
    text: ChainText, labels: ChainLabels, config: ChainConfig
) -> tuple[FittedChain, ChainPosterior]:
    """Fits the label model to a text without a tagger (α = 0); must be called by all processes.

    Args:
      text: This process's shard.
      labels: What is known about the labels; the same in all processes.
      config: Weights and numbers of iterations.

    Returns:
      The label model, and Q of the text.
    """
    counted = count_sources(text, labels, config)
    scores = evidence(text, labels, counted.reliability, config)
    first = _softmax_of_voted(scores, text.votes)
    result = chain_posterior(text, labels, config, scores, first)
    sources, kappa = recount_sources(text, labels, config, counted, result.posterior)
    scores = evidence(text, labels, sources, config, out=scores)
    result = chain_posterior(text, labels, config, scores, result.posterior)
    return FittedChain(sources, kappa, result.state, counted.copies), result


def chain_posterior(
    text: ChainText,
    labels: ChainLabels,
    config: ChainConfig,
    scores: Float[np.ndarray, "N K"],
    first: Float[np.ndarray, "N K"],
    prior_power: float = 1.0,
) -> ChainPosterior:
    """Q of a text, estimating word types and chain from that text.

    Args:
      text: This process's shard.
      labels: What is known about the labels; the same in all processes.
      config: Number of re-estimations of word types and chain.
      scores: [N, K], e + α log P_θ.
      first: [N, K], the posterior that the first estimate is counted from; all-zero rows for words
        that do not count. Overwritten with Q.
      prior_power: 1 + α; 1 without a tagger.
    """
    rows, posterior = SentenceRows(text.lengths), first
    none = _no_sums(text, posterior)
    sums = _text_sums(text, posterior, none)
    steps: Any = None  # before the first pass, those between neighbours as if independent
    for _ in range(config.iterations):
        state = _state(total(sums), steps, labels, posterior.dtype)
        sums, chain = none, None
        parts = (
            (block, kernels.chain_posterior(*chain_inputs(text, scores, block, before, *how)))
            for how in [(jax.device_put(state), prior_power, config)]
            for block, before in row_blocks(rows, posterior)
        )
        for block, result in lookahead(parts):
            posterior[block.words[block.mask]] = np.asarray(result.posterior)[block.mask]
            sums = _added(sums, result.posterior, text, block)
            chain = added(chain, result[1:])
        *steps, log_marginal = total(chain)
    start, transitions = _transitions(steps, labels)
    state = state._replace(start=start, transitions=transitions)
    return ChainPosterior(posterior, state, float(log_marginal))


def best_labels_of_fitted_text(
    text: ChainText,
    labels: ChainLabels,
    config: ChainConfig,
    fitted: FittedChain,
    posterior: Float[np.ndarray, "N K"],
    log_prior: Float[np.ndarray, "N K"] | None = None,
) -> Int[np.ndarray, " N"]:
    """The most probable label sequence of each sentence of the text that a model was fitted to.

    The fitted counts of word types are those of the Q before the last; these are of Q, so that each
    word's own part can be left out and no word is evidence on itself. All processes call it.

    Args:
      text: This process's shard.
      labels: As for `fit_chain`.
      config: Settings; `tagger_weight` is α.
      fitted: The label model.
      posterior: [N, K], Q of the text.
      log_prior: [N, K], log P_θ; None without a tagger.
    """
    counts = total(_text_sums(text, posterior, _no_sums(text, posterior))).type_counts
    counts = tuple(np.asarray(level, posterior.dtype) for level in counts)
    fitted = fitted._replace(state=fitted.state._replace(type_counts=counts))
    return best_labels(text, labels, config, fitted, log_prior, posterior)


def agreement_with_posterior(
    text: ChainText, labels: ChainLabels, posterior: Float[np.ndarray, "N K"]
) -> Float[np.ndarray, " U"]:
    """Agreement of each source with Q beyond chance; must be called by all processes.

    Unlike κ among the sources, it reflects which of them Q finds to be right.

    Args:
      text: This process's shard.
      labels: What is known about the labels; the same in all processes.
      posterior: [N, K], Q.

    Returns:
      [U], Cohen's κ of each source and Q.
    """
    compatible = labels.meanings.compatible
    sums = totals(
        lambda q, votes, mask: kernels.source_agreement(q, votes, compatible, mask),
        posterior,
        text.votes,
    )
    return np.asarray(kernels.agreement_beyond_chance(sums, compatible))


def _softmax_of_voted(scores: np.ndarray, votes: np.ndarray) -> np.ndarray:
    """The softmax of the scores where any source votes; zeros elsewhere."""
    posterior = np.empty_like(scores)
    for block in blocks(scores, votes):
        values, some = block.arrays
        voted = np.any(some >= 0, axis=1) if some.ndim == 2 else np.any(some > 0, axis=(1, 2))
        values = np.exp(values - values.max(axis=1, keepdims=True))
        values *= voted[:, None] / values.sum(axis=1, keepdims=True)
        posterior[block.rows] = values[block.mask]
    return posterior


def _text_sums(
    text: ChainText, posterior: Float[np.ndarray, "N K"], sums: kernels.TextSums
) -> kernels.TextSums:
    """The sums with those of a posterior of this process's words added."""
    for block, counted in row_blocks(SentenceRows(text.lengths), posterior):
        sums = _added(sums, counted, text, block)
    return sums


def _added(
    sums: kernels.TextSums, posterior: Any, text: ChainText, block: RowBlock
) -> kernels.TextSums:
    """The sums with those of a block added."""
    return kernels.added_text_sums(
        sums, posterior, text.keys[block.words], block.starts, block.mask
    )


def _no_sums(text: ChainText, posterior: np.ndarray) -> kernels.TextSums:
    """Empty sums; the number of rows is a power of two, so that texts share compiled programs."""
    num_labels, dtype = posterior.shape[1], posterior.dtype
    largest = processes.gather([int(level.max(initial=0)) for level in text.keys.T])
    sizes = [1 << max(level).bit_length() for level in zip(*largest, strict=True)]
    tables: Any = [np.zeros((size, num_labels), dtype) for size in (*sizes, num_labels)]
    none: Any = np.zeros(num_labels, dtype)
    return kernels.TextSums(tuple(tables[:-1]), tables[-1], none, none)


def _transitions(steps: Sequence[Any], labels: ChainLabels) -> tuple[Any, Any]:
    """p₀ and A from numbers of steps, [K, K], and of first labels."""
    return kernels.transition_probs(*steps, labels.may_follow, labels.may_start)


def _state(
    sums: kernels.TextSums, steps: Sequence[Any] | None, labels: ChainLabels, dtype: np.dtype
) -> ChainState:
    """Word types and chain; its steps are counted between neighbours unless they are given."""
    start, transitions = _transitions(steps or (sums.steps, sums.firsts), labels)
    prior = sums.mass / max(float(sums.mass.sum()), 1e-12) + PRIOR
    arrays = sums.type_counts, prior / prior.sum(), start, transitions
    return ChainState(*jax.tree.map(lambda leaf: np.asarray(leaf, dtype), arrays))
