"""The sources' confusion matrices on the host: initialisation and closed form."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from zsl_jax import kernels
from zsl_jax.errors import InputError
from zsl_jax.runtime import processes
from zsl_jax.runtime.blocks import blocks
from zsl_jax.training import steps
from zsl_jax.training.config import LabelModelConfig
from zsl_jax.training.config_choices import ConfusionInit, Predictions
from zsl_jax.types import SourceVotes

# Words whose votes initialise σ by Dawid-Skene, over all processes.
DAWID_SKENE_WORDS = 1 << 20


class Sources(NamedTuple):
    """The sources as training sees them.

    Attributes:
      votes: [N, U] labels or [N, U, V] probabilities, of this process's words.
      log_fixed: [U, V, K], log ψ.
      first_logits: [U, V, K], logits of σ before training.
      gold: [N], true labels where the user gives them, -1 elsewhere; None if there are none.
    """

    votes: np.ndarray
    log_fixed: Float[np.ndarray, "U V K"]
    first_logits: Float[np.ndarray, "U V K"]
    gold: Int[np.ndarray, " N"] | None = None


def temperatures(config: LabelModelConfig, num_labels: int) -> tuple[float, float]:
    """τ of the fixed and of the initial trainable matrices.

    Raises:
      InputError: τ and μ are both given, or μ is not between 1/K and 1.
    """
    return (
        _temperature("fixed", 10.0, config.tau_fixed, config.mu_fixed, num_labels),
        _temperature("trainable", 2.0, config.tau_trainable, config.mu_trainable, num_labels),
    )


def _temperature(
    which: str, default: float, tau: float | None, mu: float | None, num_labels: int
) -> float:
    if tau is not None and mu is not None:
        raise InputError(f"`tau_{which}` and `mu_{which}` mean the same; give one of them")
    if mu is None:
        return default if tau is None else tau
    if not 1 / num_labels < mu < 1:
        raise InputError(
            f"`mu_{which}`={mu} must lie between 1/K = {1 / num_labels:.3f} (K = {num_labels} "
            "labels) and 1: a source is assumed to be better than chance"
        )
    return float(kernels.temperature_from_diagonal(mu, num_labels))


def starting_confusion(
    config: LabelModelConfig, votes: SourceVotes, num_labels: int
) -> tuple[np.ndarray, np.ndarray]:
    """log ψ and the logits of σ before training, both [U, V, K].

    The logits of ψ and, by default, of σ are τ where a source's label may mean the true one. Rows
    of labels that a source does not have are 0 (logits −inf). See `kernels.logits_of_meaning`.
    """
    compatible = votes.meanings(num_labels)
    fixed, trainable = temperatures(config, num_labels)
    log_fixed, logits = steps.first_confusion(np.float32(fixed), np.float32(trainable), compatible)
    if config.confusion_init is ConfusionInit.DAWID_SKENE:
        distinct, times = kernels.distinct_votes(_votes_of_all(votes.labels))
        estimate = kernels.dawid_skene(distinct, num_labels, votes.first_targets, times)
        lacks_label = np.isneginf(logits).all(axis=-1, keepdims=True)
        logits = np.where(lacks_label, -np.inf, estimate.log_confusion)
    return np.asarray(log_fixed, np.float32), np.asarray(logits, np.float32)


def closed_form_logits(
    posterior: Float[np.ndarray, "N K"],
    log_confusion: Float[np.ndarray, "U V K"],
    sources: Sources,
    config: LabelModelConfig,
) -> Float[np.ndarray, "U V K"]:
    """σ ∝ c·K·σ₀ + expected counts under Q over the words of all processes.

    Args:
      posterior: [N, K], Q.
      log_confusion: [U, V, K], log φ that Q was computed with.
      sources: The votes and σ₀.
      config: Evidence and pseudo-count.

    Returns:
      [U, V, K], log σ, which are the new logits.
    """
    soft = config.confusion_evidence is Predictions.SOFT and sources.votes.ndim == 3
    local = np.zeros(log_confusion.shape)
    for block in blocks(posterior, sources.votes):
        counted = steps.confusion_counts(*block.arrays, block.mask, log_confusion, soft)
        local += np.asarray(counted)
    counts = processes.total(local).astype(np.float32)
    return np.asarray(
        steps.closed_form(counts, sources.first_logits, np.float32(config.pseudo_count))
    )


def _votes_of_all(labels: np.ndarray) -> np.ndarray:
    """The votes of each process's first words, at most `DAWID_SKENE_WORDS` words in total."""
    share = DAWID_SKENE_WORDS // processes.count()
    return processes.concatenate(labels[:share].astype(np.int32))
