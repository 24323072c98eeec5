"""The E step: log P of every word of a text, and Q from it and the sources."""

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float

from zsl_jax.models.config import EncoderConfig
from zsl_jax.training import steps
from zsl_jax.training.config import JointWeights
from zsl_jax.training.devices import Devices
from zsl_jax.training.records import Batches
from zsl_jax.types import TokenBatch

BLOCK_WORDS = 16_384


class WordPosteriors(NamedTuple):
    """Q of a text, and sums over its words.

    Attributes:
      posterior: [N, K] float32, Q.
      objective: J.
      bound: Eq. 2, at the Q given or at this one.
      entropy: Of the tight Q, in nats.
    """

    posterior: Float[np.ndarray, "N K"]
    objective: float
    bound: float
    entropy: float


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
      devices: Of this process.
      tagger: The encoder's configuration, K, and the dtype of the activations.
      params: The tagger's parameters, from `devices.replicate`.
      batches: The text, in rows that the devices can share.
      num_words: N.
      advance: Told the number of words of each batch when it is done.

    Returns:
      [N, K] float32. Every word is written exactly once, which is asserted.
    """
    encoder, num_labels, dtype = tagger
    encoder = dataclasses.replace(encoder, dropout=0.0, attention_dropout=0.0)
    table = np.zeros((num_words, num_labels), np.float32)
    written = 0

    def collect(batch: TokenBatch, values: jax.Array) -> int:
        here = batch.word_ids >= 0
        table[batch.word_ids[here]] = devices.join(values)[here]
        advance(int(here.sum()))
        return int(here.sum())

    running: tuple[TokenBatch, jax.Array] | None = None  # while the next batch is made ready
    for index in range(len(batches)):
        batch = batches[index]
        values = steps.log_prior(devices, encoder, num_labels, dtype, params, batch)
        if running is not None:
            written += collect(*running)
        running = (batch, values)
    if running is not None:
        written += collect(*running)
    assert written == num_words, f"{written} of {num_words} words got a prediction"
    return table


def label_posterior(
    weights: JointWeights,
    priors: Float[np.ndarray, "N K"],
    votes: np.ndarray,
    log_confusion,
    hard: bool = False,
    previous: Float[np.ndarray, "N K"] | None = None,
) -> WordPosteriors:
    """Q from log P_θ and the sources' predictions, block by block.

    Args:
      weights: α and β of the log joint.
      priors: [N, K], log P_θ.
      votes: [N, U] labels or [N, U, K] probabilities.
      log_confusion: [U, K, K], log φ.
      hard: One-hot Q.
      previous: [N, K], the Q at which the bound is taken; its own by default.

    Returns:
      Q and the sums.
    """
    num_words = len(priors)
    size = min(BLOCK_WORDS, max(num_words, 1))
    posterior = np.empty_like(priors)
    sums = np.zeros(3)

    def collect(start: int, result: steps.BlockResult) -> None:
        posterior[start : start + size] = np.asarray(result.posterior)[: num_words - start]
        sums[:] += [float(result.objective), float(result.bound), float(result.entropy)]

    running: tuple[int, steps.BlockResult] | None = None  # while the next block is made ready
    for start in range(0, num_words, size):
        stop = min(start + size, num_words)
        mask = np.arange(size) < stop - start
        block = [_padded(array[start:stop], size) for array in (priors, votes)]
        before = None if previous is None else _padded(previous[start:stop], size)
        result = steps.expectation(weights, *block, log_confusion, before, mask, hard)
        if running is not None:
            collect(*running)
        running = (start, result)
    if running is not None:
        collect(*running)
    return WordPosteriors(posterior, *sums.tolist())


def _padded(array: np.ndarray, size: int) -> np.ndarray:
    """`array` with zero rows at its end, so that all blocks have one shape."""
    if len(array) == size:
        return array
    return np.pad(array, [(0, size - len(array))] + [(0, 0)] * (array.ndim - 1))
