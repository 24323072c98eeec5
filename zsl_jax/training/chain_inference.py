"""Q and the best label sequences of a text under a chain that was fitted, block by block."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from zsl_jax import kernels
from zsl_jax.kernels import ChainState, SourceReliability
from zsl_jax.runtime.blocks import blocks
from zsl_jax.runtime.lookahead import lookahead
from zsl_jax.training.chain_text import ChainLabels, ChainText
from zsl_jax.training.config import ChainConfig
from zsl_jax.training.sentence_rows import RowBlock, SentenceRows


class FittedChain(NamedTuple):
    """The label model fitted to one text; it also gives the posterior of other texts.

    Attributes:
      sources: The sources' confusion matrices, trust and weights.
      kappa: [U], Cohen's κ of each source with the others.
      state: Word types and chain.
      copies: [U, U], how far any two sources are copies of each other; None for a label model that
        was read from a folder.
    """

    sources: SourceReliability
    kappa: Float[np.ndarray, " U"]
    state: ChainState
    copies: Float[np.ndarray, "U U"] | None = None


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
    for block, before in row_blocks(SentenceRows(text.lengths), posterior):
        own = np.zeros_like(before)
        given = chain_inputs(text, scores, block, own, fitted.state, prior_power, config)
        result = kernels.chain_posterior(*given)
        posterior[block.words[block.mask]] = np.asarray(result.posterior)[block.mask]
    return posterior


def best_labels(
    text: ChainText,
    labels: ChainLabels,
    config: ChainConfig,
    fitted: FittedChain,
    log_prior: Float[np.ndarray, "N K"] | None = None,
    own: Float[np.ndarray, "N K"] | None = None,
) -> Int[np.ndarray, " N"]:
    """The most probable label sequence of each sentence under the fitted chain.

    Args:
      text: As for `posterior_of_text`, or the text that the model was fitted to.
      labels: As for `posterior_of_text`.
      config: As for `posterior_of_text`.
      fitted: As for `posterior_of_text`.
      log_prior: As for `posterior_of_text`.
      own: [N, K], what each word has added to the counts of word types; None for another text. See
        `chain_fit.best_labels_of_fitted_text`.
    """
    scores, prior_power = _scores_of_text(text, labels, config, fitted, log_prior)
    own = np.zeros_like(scores) if own is None else own
    best = np.zeros(len(scores), np.int32)
    for block, before in row_blocks(SentenceRows(text.lengths), own):
        given = chain_inputs(text, scores, block, before, fitted.state, prior_power, config)
        found = kernels.chain_best_labels(*given)
        best[block.words[block.mask]] = np.asarray(found)[block.mask]
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


def row_blocks(
    rows: SentenceRows, posterior: Float[np.ndarray, "N K"]
) -> Iterator[tuple[RowBlock, Float[np.ndarray, "R S K"]]]:
    """The blocks of rows of a text's sentences, with the posterior of their words."""
    for block in rows if len(posterior) else ():
        yield block, posterior[block.words]


def chain_inputs(
    text: ChainText,
    scores: Float[np.ndarray, "N K"],
    block: RowBlock,
    own: Float[np.ndarray, "R S K"],
    state: ChainState,
    prior_power: float,
    config: ChainConfig,
) -> tuple[Any, ...]:
    """The arguments of `kernels.chain_posterior` and `kernels.chain_best_labels` for a block."""
    gold = np.full(block.words.shape, -1, np.int32)
    if text.gold is not None:
        gold = np.where(block.mask, text.gold[block.words], -1).astype(np.int32)
    words = scores[block.words], own, text.keys[block.words], block.starts, block.mask, gold
    return *words, state, np.float32(prior_power), np.float32(config.back_off)
