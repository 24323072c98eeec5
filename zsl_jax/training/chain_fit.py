"""Fitting the reliability-weighted chain to a text, and its posterior; block by block.

The steps and their order, with the formulas in `zsl_jax.kernels.chain_label_model`:

1. Find sources that are near-copies, which share the weight of one; estimate the reliability of
   sources and labels, alternating with the sources' weighted mean.
2. Count the confusion matrices twice, shrunk towards the identity; from then on they are fixed.
3. Compute the posterior, re-estimating word types and chain from it a few times.
4. Repeat steps 1 and 3, with the reliability now counted from the posterior.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float, Int

from zsl_jax import kernels
from zsl_jax.kernels import ChainState, SourceReliability
from zsl_jax.runtime import processes
from zsl_jax.runtime.blocks import blocks
from zsl_jax.runtime.lookahead import lookahead
from zsl_jax.training.chain_sources import count_sources, recount_sources
from zsl_jax.training.chain_text import ChainLabels, ChainText, added, total, totals
from zsl_jax.training.config import ChainConfig
from zsl_jax.training.sentence_rows import RowBlock, SentenceRows

PRIOR = 1e-6  # added to the label frequencies of the word types


class FittedChain(NamedTuple):
    """The label model fitted to one text; it also gives the posterior of other texts.

    Attributes:
      sources: The sources' confusion matrices, trust and weights.
      kappa: [U], Cohen's κ of each source with the others.
      state: Word types and chain.
      copies: [U, U], how far each two sources are copies of each other; None for a label model that
        was read from a folder.
    """

    sources: SourceReliability
    kappa: Float[np.ndarray, " U"]
    state: ChainState
    copies: Float[np.ndarray, "U U"] | None = None


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


def evidence(
    text: ChainText,
    labels: ChainLabels,
    sources: SourceReliability,
    config: ChainConfig,
    out: Float[np.ndarray, "N K"] | None = None,
) -> Float[np.ndarray, "N K"]:
    """e of every word, [N, K]; written to `out` if given."""
    stands_for = labels.meanings.stands_for
    weight, scale = np.float32(config.source_weight), np.float32(config.scale)
    parts = (
        (block, kernels.log_evidence(*block.arrays, sources, stands_for, weight, scale))
        for block in blocks(text.votes)
    )
    for block, part in lookahead(parts):
        values = np.asarray(part)
        if out is None:
            out = np.empty((len(text.votes), values.shape[1]), values.dtype)
        out[block.rows] = values[block.mask]
    return np.empty((0, stands_for.shape[1]), np.float32) if out is None else out


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
    sums = _no_sums(text, posterior)
    for block, (counted, keys) in _row_blocks(rows, text, posterior):
        sums = kernels.added_text_sums(sums, counted, keys, block.starts, block.mask)
    steps: Any = None  # before the first pass, those between neighbours as if independent
    for _ in range(config.iterations):
        state = _state(total(sums), steps, labels, posterior.dtype)
        sums, chain = _no_sums(text, posterior), None
        parts = (
            (
                block,
                keys,
                _block_posterior(text, scores, block, before, keys, state, prior_power, config),
            )
            for block, (before, keys) in _row_blocks(rows, text, posterior)
        )
        for block, keys, result in lookahead(parts):
            posterior[block.words[block.mask]] = np.asarray(result.posterior)[block.mask]
            sums = kernels.added_text_sums(sums, result.posterior, keys, block.starts, block.mask)
            chain = added(chain, result[1:])
        *steps, log_marginal = total(chain)
    start, transitions = _transitions(steps, labels)
    state = state._replace(start=start, transitions=transitions)
    return ChainPosterior(posterior, state, float(log_marginal))


def posterior_of_text(
    text: ChainText,
    labels: ChainLabels,
    config: ChainConfig,
    fitted: FittedChain,
    log_prior: Float[np.ndarray, "N K"] | None = None,
) -> Float[np.ndarray, "N K"]:
    """Q of a text that the label model was not fitted to, in one pass.

    Args:
      text: The new text; its keys have the ids of the text that the model was fitted to.
      labels: As for `fit_chain`.
      config: Settings; `tagger_weight` is α.
      fitted: The label model.
      log_prior: [N, K], log P_θ; None without a tagger.
    """
    scores, prior_power = _scores_of_text(text, labels, config, fitted, log_prior)
    posterior = np.zeros_like(scores)
    for block, (before, keys) in _row_blocks(SentenceRows(text.lengths), text, posterior):
        result = _block_posterior(
            text, scores, block, np.zeros_like(before), keys, fitted.state, prior_power, config
        )
        posterior[block.words[block.mask]] = np.asarray(result.posterior)[block.mask]
    return posterior


def best_labels_of_text(
    text: ChainText,
    labels: ChainLabels,
    config: ChainConfig,
    fitted: FittedChain,
    log_prior: Float[np.ndarray, "N K"] | None = None,
) -> Int[np.ndarray, " N"]:
    """The most probable label sequence of each sentence under the chain of `posterior_of_text`.

    Args:
      text: As for `posterior_of_text`.
      labels: As for `posterior_of_text`.
      config: As for `posterior_of_text`.
      fitted: As for `posterior_of_text`.
      log_prior: As for `posterior_of_text`.
    """
    scores, prior_power = _scores_of_text(text, labels, config, fitted, log_prior)
    best = np.zeros(len(scores), np.int32)
    for block in SentenceRows(text.lengths) if len(scores) else ():
        labels_of_rows = kernels.chain_best_labels(
            scores[block.words],
            text.keys[block.words],
            block.starts,
            block.mask,
            fitted.state,
            np.float32(prior_power),
            np.float32(config.back_off),
        )
        best[block.words[block.mask]] = np.asarray(labels_of_rows)[block.mask]
    return best


def _scores_of_text(
    text: ChainText,
    labels: ChainLabels,
    config: ChainConfig,
    fitted: FittedChain,
    log_prior: Float[np.ndarray, "N K"] | None,
) -> tuple[Float[np.ndarray, "N K"], float]:
    """e + α log P_θ of every word, and the power of π̂ that goes with it."""
    scores = evidence(text, labels, fitted.sources, config)
    if log_prior is None:
        return scores, 1.0
    scores += np.float32(config.tagger_weight) * log_prior
    return scores, 1.0 + config.tagger_weight


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


def _row_blocks(
    rows: SentenceRows, text: ChainText, posterior: np.ndarray
) -> Iterator[tuple[RowBlock, tuple[np.ndarray, np.ndarray]]]:
    """Blocks of rows with the posterior and the keys of their words."""
    for block in rows if len(posterior) else ():
        yield block, (posterior[block.words], text.keys[block.words])


def _block_posterior(
    text: ChainText,
    scores: np.ndarray,
    block: RowBlock,
    before: np.ndarray,
    keys: np.ndarray,
    state: ChainState,
    prior_power: float,
    config: ChainConfig,
) -> kernels.ChainMarginals:
    gold = np.full(block.words.shape, -1, np.int32)
    if text.gold is not None:
        gold = np.where(block.mask, text.gold[block.words], -1).astype(np.int32)
    return kernels.chain_posterior(
        scores[block.words],
        before,
        keys,
        block.starts,
        block.mask,
        gold,
        state,
        np.float32(prior_power),
        np.float32(config.back_off),
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
