"""The sources' confusion matrices on the host: where they start, and their closed form."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from zsl_jax import kernels
from zsl_jax.training import hosts, steps
from zsl_jax.training.blocks import blocks
from zsl_jax.training.config import LabelModelConfig
from zsl_jax.types import SourceVotes

# Votes from which Dawid-Skene finds where σ starts, all processes together.
DAWID_SKENE_WORDS = 1 << 20


class Sources(NamedTuple):
    """What training knows about the sources.

    Attributes:
      votes: [N, U] labels or [N, U, K] probabilities, of this process's words.
      log_fixed: [U, K, K], log ψ.
      first_logits: [U, K, K], logits of σ before training.
    """

    votes: np.ndarray
    log_fixed: Float[np.ndarray, "U K K"]
    first_logits: Float[np.ndarray, "U K K"]


def starting_confusion(
    config: LabelModelConfig, votes: SourceVotes, num_labels: int
) -> tuple[np.ndarray, np.ndarray]:
    """log ψ and the logits of σ before training, both [U, K, K].

    ψ and, by default, σ are scaled identities. The column of a label that a source does not have is
    uniform: whatever the source predicts says nothing for or against such a label.
    """
    num_sources = votes.labels.shape[1]
    informed = np.float32(1) if votes.sayable is None else votes.sayable[:, None, :]

    def scaled_identity(temperature: float) -> np.ndarray:
        identity = np.tile(np.eye(num_labels, dtype=np.float32), (num_sources, 1, 1))
        return temperature * identity * informed

    log_fixed = _log_softmax(scaled_identity(config.fixed_temperature))
    logits = scaled_identity(config.trainable_temperature)
    if config.confusion_init == "dawid_skene":
        logits = kernels.dawid_skene(_votes_of_all(votes.labels), num_labels).log_confusion
    return np.asarray(log_fixed, np.float32), np.asarray(logits, np.float32)


def closed_form_logits(
    posterior: Float[np.ndarray, "N K"],
    log_confusion: Float[np.ndarray, "U K K"],
    sources: Sources,
    config: LabelModelConfig,
) -> Float[np.ndarray, "U K K"]:
    """σ ∝ c·K·σ₀ + expected counts under Q over the words of all processes.

    Args:
      posterior: [N, K], Q.
      log_confusion: [U, K, K], log φ that Q was computed with.
      sources: The votes and σ₀.
      config: Evidence and pseudo-count.

    Returns:
      [U, K, K], log σ, which are the new logits.
    """
    soft = config.confusion_evidence == "soft" and sources.votes.ndim == 3
    own = np.zeros(log_confusion.shape)
    for block in blocks(posterior, sources.votes):
        counted = steps.confusion_counts(*block.arrays, block.mask, log_confusion, soft)
        own += np.asarray(counted)
    counts = hosts.total(own).astype(np.float32)
    return np.asarray(
        steps.closed_form(counts, sources.first_logits, np.float32(config.pseudo_count))
    )


def _log_softmax(logits: Float[np.ndarray, "U K K"]) -> Float[np.ndarray, "U K K"]:
    """Over predictions, on the host: nothing has to be compiled for it."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def _votes_of_all(labels: np.ndarray) -> np.ndarray:
    """The first votes of every process's words, at most `DAWID_SKENE_WORDS` together."""
    share = DAWID_SKENE_WORDS // hosts.count()
    return hosts.concatenate(labels[:share].astype(np.int32))
