"""The E step: log P of every word of a text, and Q from it and the sources."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from zsl_jax.models.config import EncoderConfig
from zsl_jax.training import steps
from zsl_jax.training.config import JointWeights, Strategy
from zsl_jax.training.records import Batches, Corpus, Expectation
from zsl_jax.training.state import TrainState

BLOCK_WORDS = 16_384


def predict_log_prior(
    encoder: EncoderConfig,
    num_labels: int,
    params: dict[str, Any],
    batches: Batches,
    num_words: int,
    advance: Callable[[int], Any] = lambda words: None,
) -> Float[np.ndarray, "N K"]:
    """log P_θ of every word of a text, without dropout.

    Args:
      encoder: The encoder's configuration.
      num_labels: K.
      params: The tagger's parameters.
      batches: The text.
      num_words: N.
      advance: Told the number of words of each batch when it is done.

    Returns:
      [N, K] float32. Every word is written exactly once, which is asserted.
    """
    encoder = dataclasses.replace(encoder, dropout=0.0, attention_dropout=0.0)
    params = jax.device_put(params)
    table = np.zeros((num_words, num_labels), np.float32)
    written = 0
    for batch in batches:
        values = np.asarray(steps.log_prior(encoder, num_labels, params, batch))
        here = batch.word_ids >= 0
        table[batch.word_ids[here]] = values[here]
        written += int(here.sum())
        advance(int(here.sum()))
    assert written == num_words, f"{written} of {num_words} words got a prediction"
    return table


def expect(
    state: TrainState,
    settings: steps.StepSettings,
    corpus: Corpus,
    votes: np.ndarray,
    log_confusion: jax.Array,
    strategy: Strategy,
    previous: Expectation | None,
) -> Expectation:
    """E step: Q of the whole corpus at the parameters of `state` (Eq. 3)."""
    priors = predict_log_prior(
        settings.encoder, settings.num_labels, state.params, corpus.in_order, corpus.num_words
    )
    hard = strategy is Strategy.HARD_EM
    return label_posterior(settings.weights, priors, votes, log_confusion, hard, previous)


def label_posterior(
    weights: JointWeights,
    priors: Float[np.ndarray, "N K"],
    votes: np.ndarray,
    log_confusion,
    hard: bool = False,
    previous: Expectation | None = None,
) -> Expectation:
    """Q from log P_θ and the sources' predictions, block by block.

    Args:
      weights: α and β of the log joint.
      priors: [N, K], log P_θ.
      votes: [N, U] labels or [N, U, K] probabilities.
      log_confusion: [U, K, K], log φ.
      hard: One-hot Q.
      previous: The E step of the round before; the bound is taken at its Q.

    Returns:
      An `Expectation`; J, bound and entropy are means a word.
    """
    num_words = len(priors)
    size = min(BLOCK_WORDS, max(num_words, 1))
    posterior = np.empty_like(priors)
    sums = np.zeros(3)
    for start in range(0, num_words, size):
        stop = min(start + size, num_words)
        mask = np.arange(size) < stop - start
        block = [_padded(array[start:stop], size) for array in (priors, votes)]
        before = None if previous is None else _padded(previous.posterior[start:stop], size)
        result = steps.expectation(weights, *block, log_confusion, before, mask, hard)
        posterior[start:stop] = np.asarray(result.posterior)[: stop - start]
        sums += [float(result.objective), float(result.bound), float(result.entropy)]
    objective, bound, entropy = (float(value) for value in sums / max(num_words, 1))
    return Expectation(posterior, np.asarray(log_confusion), objective, bound, entropy)


def _padded(array: np.ndarray, size: int) -> np.ndarray:
    """`array` with zero rows at its end, so that all blocks have one shape."""
    return np.pad(array, [(0, size - len(array))] + [(0, 0)] * (array.ndim - 1))
