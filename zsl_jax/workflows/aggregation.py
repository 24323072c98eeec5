"""The sources' predictions alone: majority, mean and Dawid-Skene, without any text."""

from typing import NamedTuple

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
    has_vote = (votes.labels >= 0).any(axis=1)
    if method == "majority":
        labels = np.asarray(kernels.majority_vote(votes.labels, votes.probs, num_labels))
        shares = np.asarray(kernels.mean_probs(kernels.vote_probs(votes.labels, num_labels)))
        return Aggregated(labels, np.where(has_vote[:, None], shares, 0.0))
    if method == "mean":
        probs = votes.probs
        if probs is None:
            probs = kernels.vote_probs(votes.labels, num_labels)
        table = np.asarray(kernels.mean_probs(probs), np.float32)
    else:
        table = _dawid_skene(votes, num_labels, votes if fitted_on is None else fitted_on)
    return Aggregated(
        np.where(has_vote, table.argmax(-1), -1), np.where(has_vote[:, None], table, 0.0)
    )


def _dawid_skene(votes: SourceVotes, num_labels: int, fitted_on: SourceVotes) -> np.ndarray:
    fitted = kernels.dawid_skene(fitted_on.labels, num_labels)
    likelihood = kernels.source_log_likelihoods(votes.labels, fitted.log_confusion)
    weights = np.ones(votes.labels.shape[1], np.float32)
    joint = kernels.log_joint(fitted.log_prior, likelihood, weights, 1.0)
    return np.exp(np.asarray(kernels.log_posterior(joint)))
