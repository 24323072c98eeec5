"""Planted votes and texts, and Dawid–Skene: ours, plain NumPy in float64, and crowd-kit's."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

PSEUDO_COUNT = 0.01
BLOCK = 100_000  # words that are drawn at a time
KEYS = 8, 100, 800, 5_000, 20_000  # shapes, and shapes with suffixes of one to four letters


class Planted(NamedTuple):
    """Votes whose truth is known.

    Attributes:
      truth: [N], label ids.
      labels: [N, U] int32, the sources' labels.
      log_confusion: [U, K, K] float32, the matrices that the labels were drawn from.
    """

    truth: Int[np.ndarray, " N"]
    labels: Int[np.ndarray, "N U"]
    log_confusion: Float[np.ndarray, "U K K"]


def planted(num_words: int, num_sources: int, num_labels: int, seed: int) -> Planted:
    """Draws uneven label frequencies, and sources that are correct 50 to 80 % of the time.

    The wrong labels of a source depend on the true label.
    """
    rng = np.random.default_rng(seed)
    truth = rng.choice(num_labels, num_words, p=rng.dirichlet(np.full(num_labels, 2.0)))
    confusion = rng.dirichlet(np.full(num_labels, 0.5), (num_sources, num_labels)).swapaxes(1, 2)
    accuracy = np.linspace(0.5, 0.8, num_sources)[:, None, None]
    confusion = accuracy * np.eye(num_labels) + (1 - accuracy) * confusion
    labels = np.empty((num_words, num_sources), np.int32)
    for source, matrix in enumerate(confusion):
        thresholds = np.cumsum(matrix, axis=0)[:-1]  # of the prediction, for every true label
        chance = rng.random(num_words)
        labels[:, source] = sum(chance > row[truth] for row in thresholds)
    return Planted(truth, labels, np.log(confusion).astype(np.float32))


def softened(
    labels: Int[np.ndarray, "N U"], num_labels: int, rng: np.random.Generator
) -> Float[np.ndarray, "N U K"]:
    """Probabilities whose arg max is mostly the label: 60 % on the label, the rest at random."""
    share = rng.standard_gamma(0.5, (*labels.shape, num_labels), dtype=np.float32)
    share *= 0.4 / np.maximum(share.sum(axis=-1, keepdims=True), 1e-6)
    np.put_along_axis(
        share, labels[..., None], 0.6 + np.take_along_axis(share, labels[..., None], -1), -1
    )
    return share / share.sum(axis=-1, keepdims=True)


def tagger_log_prior(
    truth: Int[np.ndarray, " N"], num_labels: int, rng: np.random.Generator
) -> Float[np.ndarray, "N K"]:
    """log P of a tagger that is correct more often than not."""
    logits = rng.standard_normal((len(truth), num_labels), dtype=np.float32)
    logits[np.arange(len(truth)), truth] += 2
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def planted_text(
    num_words: int,
    num_sources: int,
    num_labels: int,
    sentence_words: int,
    vocabulary: int,
    seed: int,
):
    """A text for the chain, what is known about its labels, and a tagger's log-probabilities."""
    from zsl_jax.kernels import VoteMeanings
    from zsl_jax.training.chain_text import ChainLabels, ChainText

    num_words -= num_words % sentence_words
    rng = np.random.default_rng(seed)
    votes = planted(num_words, num_sources, num_labels, seed)
    starts = range(0, num_words, BLOCK)
    probs = np.concatenate(
        [softened(votes.labels[i : i + BLOCK], num_labels, rng).astype(np.float16) for i in starts]
    )
    form = np.minimum(rng.zipf(1.3, num_words) - 1, vocabulary - 1).astype(np.int32)
    keys = np.stack([*(form % size for size in KEYS), form], axis=1)
    lengths = np.full(num_words // sentence_words, sentence_words)
    stands_for: Any = np.eye(num_labels, dtype=np.float32)
    compatible: Any = np.tile(np.eye(num_labels) > 0, (num_sources, 1, 1))
    meanings = VoteMeanings(stands_for, compatible)
    labels = ChainLabels(
        meanings, np.ones(num_labels, bool), np.ones((num_labels, num_labels), bool)
    )
    return ChainText(probs, lengths, keys), labels, tagger_log_prior(votes.truth, num_labels, rng)


def our_posterior(
    log_prior: Float[np.ndarray, "N K"], votes: np.ndarray, log_confusion
) -> Callable[[], Float[np.ndarray, "N K"]]:
    """Returns `numpy_posterior` by our kernels, in the E step's blocks, with arrays on the device.

    Every call of the returned function writes to the same array.
    """
    import jax
    import jax.numpy as jnp

    from zsl_jax import kernels
    from zsl_jax.runtime.blocks import BLOCK_WORDS

    @jax.jit
    def posterior_of(log_prior, votes):
        weight = jnp.ones(votes.shape[1])
        joint = kernels.log_joint(log_prior, votes, log_confusion, weight, 1.0)
        return kernels.posterior_and_objective(joint, jnp.ones(len(votes), bool)).posterior

    rows = [slice(start, start + BLOCK_WORDS) for start in range(0, len(votes), BLOCK_WORDS)]
    placed = [jax.device_put((log_prior[block], votes[block])) for block in rows]
    posterior = np.zeros_like(log_prior)

    def run() -> Float[np.ndarray, "N K"]:
        for block, arrays in zip(rows, placed, strict=True):
            posterior[block] = posterior_of(*arrays)
        return posterior

    return run


def numpy_posterior(
    log_prior: Float[np.ndarray, "N K"],
    votes: np.ndarray,
    log_confusion: Float[np.ndarray, "U K K"],
) -> Float[np.ndarray, "N K"]:
    """Q from labels [N, U] or probabilities [N, U, K], on whole arrays."""
    joint = np.array(np.broadcast_to(log_prior, (len(votes), log_prior.shape[-1])), np.float64)
    for source, matrix in enumerate(log_confusion):
        if votes.ndim == 2:
            joint += matrix[votes[:, source]]
        else:
            joint += np.log(votes[:, source] @ np.exp(matrix))
    joint -= joint.max(axis=1, keepdims=True)
    np.exp(joint, out=joint)
    return joint / joint.sum(axis=1, keepdims=True)


def numpy_dawid_skene(
    labels: Int[np.ndarray, "N U"], num_labels: int, iterations: int
) -> Float[np.ndarray, "N K"]:
    """The posterior after some EM rounds from the shares of the votes; no source abstains."""
    num_sources = labels.shape[1]
    posterior = (labels[:, :, None] == np.arange(num_labels)).mean(axis=1)
    counts = np.empty((num_sources, num_labels, num_labels))
    for _ in range(iterations):
        for source, label in np.ndindex(num_sources, num_labels):
            counts[source, label] = posterior[labels[:, source] == label].sum(axis=0)
        smoothed = counts + PSEUDO_COUNT
        log_confusion = np.log(smoothed / smoothed.sum(axis=1, keepdims=True))
        frequency = posterior.sum(axis=0) + PSEUDO_COUNT
        posterior = numpy_posterior(np.log(frequency / frequency.sum()), labels, log_confusion)
    return posterior


def our_dawid_skene(
    labels: Int[np.ndarray, "N U"], num_labels: int, iterations: int
) -> Float[np.ndarray, "N K"]:
    """The same by our kernels, as the programs call them: EM over the distinct votes."""
    import jax.numpy as jnp

    from zsl_jax import kernels

    distinct, times = kernels.distinct_votes(labels)
    model = kernels.dawid_skene(
        distinct,
        num_labels,
        times=times,
        max_iterations=iterations,
        tolerance=-1.0,
        pseudo_count=PSEUDO_COUNT,
    )
    return np.asarray(
        kernels.label_model_posterior(jnp.asarray(labels), model.log_prior, model.log_confusion)
    )


def vote_table(labels: Int[np.ndarray, "N U"]):
    """The votes in crowd-kit's format: one row per vote."""
    import pandas as pd

    num_words, num_sources = labels.shape
    return pd.DataFrame(
        {
            "task": np.repeat(np.arange(num_words), num_sources),
            "worker": np.tile(np.arange(num_sources), num_words),
            "label": labels.reshape(-1),
        }
    )


def crowd_kit_dawid_skene(votes, iterations: int) -> Float[np.ndarray, "N K"]:
    """The posterior of crowd-kit after that many E steps."""
    from crowdkit.aggregation import DawidSkene

    model = DawidSkene(n_iter=iterations, tol=-np.inf).fit(votes)
    assert model.probas_ is not None
    return model.probas_.sort_index(axis=0).sort_index(axis=1).to_numpy()
