"""The sources' predictions alone: majority, mean and Dawid-Skene, without any text."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from zsl_jax import kernels
from zsl_jax.types import SourceVotes

METHODS = ("majority", "mean", "dawid_skene")


class Aggregated(NamedTuple):
    """One label a word.

    Attributes:
      labels: [N], label ids; -1 where every source abstains.
      probs: [N, K], the distribution they are the arg max of; zeros where every source abstains.
    """

    labels: Int[np.ndarray, " N"]
    probs: Float[np.ndarray, "N K"]


def aggregate(
    votes: SourceVotes, num_labels: int, method: str, fitted_on: SourceVotes | None = None
) -> Aggregated:
    """Labels from the sources' predictions.

    Args:
      votes: The predictions to aggregate. Sources without probabilities count as certain.
      num_labels: K.
      method: "majority", "mean" or "dawid_skene".
      fitted_on: The predictions from which Dawid-Skene estimates the confusion matrices and the
        label prior; `votes` by default.

    Returns:
      Labels and distributions.
    """
    labels = jnp.asarray(votes.labels)
    probs = None if votes.probs is None else jnp.asarray(votes.probs)
    if method == "majority":
        ids = kernels.majority_vote(labels, probs, num_labels)
        table = kernels.mean_probs(kernels.vote_probs(labels, num_labels))
    elif method == "mean":
        table = kernels.mean_probs(
            kernels.vote_probs(labels, num_labels) if probs is None else probs
        )
        ids = np.asarray(table).argmax(-1)
    else:
        table = _dawid_skene(labels, num_labels, votes if fitted_on is None else fitted_on)
        ids = np.asarray(table).argmax(-1)
    has_vote = np.any(votes.labels >= 0, axis=1)
    return Aggregated(
        np.where(has_vote, np.asarray(ids), -1),
        np.where(has_vote[:, None], np.asarray(table, np.float32), np.float32(0)),
    )


def _dawid_skene(labels: jax.Array, num_labels: int, fitted_on: SourceVotes) -> jax.Array:
    fitted = kernels.dawid_skene(jnp.asarray(fitted_on.labels), num_labels)
    return kernels.label_model_posterior(labels, fitted.log_prior, fitted.log_confusion)
