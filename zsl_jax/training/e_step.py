"""The E step: log P_θ of every word of a text, and Q from it and the sources."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float, Int

from zsl_jax.models.encoder_config import EncoderConfig
from zsl_jax.runtime.blocks import BLOCK_WORDS, blocks
from zsl_jax.runtime.lookahead import lookahead, prepared
from zsl_jax.training import steps
from zsl_jax.training.config import JointWeights
from zsl_jax.training.devices import Devices
from zsl_jax.training.setup import Training
from zsl_jax.training.text_batches import Batches
from zsl_jax.types import Batch

# Blocks in flight while the host fetches one result and prepares the next block.
BLOCKS_AT_ONCE = 2


class WordPosteriors(NamedTuple):
    """Q of a text, and sums over its words.

    Attributes:
      posterior: [N, K] float32, Q.
      objective: J.
      bound: Eq. 2, at the Q given or at this one.
      entropy: Entropy of the tight Q, in nats.
    """

    posterior: Float[np.ndarray, "N K"]
    objective: float
    bound: float
    entropy: float


def log_prior_of_text(training: Training, params: dict[str, Any]) -> Float[np.ndarray, "N K"]:
    """Returns log P_θ of every word of this process's text, from parameters on the host."""
    settings, corpus, devices = training.settings, training.corpus, training.devices.local
    return predict_log_prior(
        devices,
        (settings.encoder, settings.num_labels, settings.dtype),
        devices.replicate(params),
        corpus.in_order,
        corpus.num_words,
    )


def predict_log_prior(
    devices: Devices,
    tagger: tuple[EncoderConfig, int, str],
    params: Any,
    batches: Batches,
    num_words: int,
    advance: Callable[[int], Any] = lambda words: None,
) -> Float[np.ndarray, "N K"]:
    """log P_θ of every word of a text, without dropout.

    Args:
      devices: The devices of this process.
      tagger: The encoder's configuration, K, and the dtype of the activations.
      params: The tagger's parameters, from `devices.replicate`.
      batches: The text; the rows of a batch divide evenly among the devices.
      num_words: N.
      advance: Called with the number of words of each batch when it is done.

    Returns:
      [N, K] float32. Every word is written exactly once, which is asserted.
    """
    encoder, num_labels, dtype = tagger
    encoder = dataclasses.replace(encoder, dropout=0.0, attention_dropout=0.0, head_dropout=0.0)
    table = np.zeros((num_words, num_labels), np.float32)
    written = 0

    def run() -> Iterator[tuple[Batch, jax.Array]]:
        for batch in prepared(batches[index] for index in range(len(batches))):
            yield batch, steps.log_prior(devices, encoder, num_labels, dtype, params, batch)

    for batch, values in lookahead(run()):
        here = batch.word_ids >= 0
        table[batch.word_ids[here]] = devices.join(values)[here]
        written += int(here.sum())
        advance(int(here.sum()))
    assert written == num_words, f"{written} of {num_words} words got a prediction"
    return table


def label_posterior(
    weights: JointWeights,
    priors: Float[np.ndarray, "N K"],
    votes: np.ndarray,
    log_confusion,
    hard: bool = False,
    previous: Float[np.ndarray, "N K"] | None = None,
    gold: Int[np.ndarray, " N"] | None = None,
    out: Float[np.ndarray, "N K"] | None = None,
) -> WordPosteriors:
    """Computes Q from log P_θ and the sources' predictions, block by block.

    Args:
      weights: α and β of the log joint.
      priors: [N, K], log P_θ.
      votes: [N, U] labels or [N, U, V] probabilities.
      log_confusion: [U, V, K], log φ.
      hard: One-hot Q.
      previous: [N, K], the Q at which the bound is taken; the new Q by default.
      gold: [N], true labels where the user gives them, -1 elsewhere: Q is one-hot there.
      out: [N, K] float32, where Q is written; may be `priors`, which are then overwritten.

    Returns:
      Q and the sums.
    """
    posterior = np.empty(priors.shape, np.float32) if out is None else out
    sums = np.zeros(3)
    unused = jax.device_put(np.zeros((BLOCK_WORDS, priors.shape[1]), np.float32))

    optional = [array for array in (previous, gold) if array is not None]
    compares = np.bool_(previous is not None)

    def run() -> Iterator[tuple[slice, steps.BlockResult]]:
        for block in blocks(priors, votes, *optional):
            log_prior, evidence, *others = block.arrays
            yield (
                block.rows,
                steps.expectation(
                    weights,
                    log_prior_block=log_prior,
                    votes=evidence,
                    previous=unused if previous is None else others[0],
                    mask=block.mask,
                    log_confusion=log_confusion,
                    compares=compares,
                    hard=hard,
                    gold=None if gold is None else others[-1],
                ),
            )

    for rows, result in lookahead(run(), BLOCKS_AT_ONCE):
        posterior[rows] = np.asarray(result.posterior)[: rows.stop - rows.start]
        sums += [float(result.objective), float(result.bound), float(result.entropy)]
    return WordPosteriors(posterior, *sums.tolist())
