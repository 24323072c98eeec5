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


def as_target_labels(votes: SourceVotes, num_labels: int) -> SourceVotes:
    """The votes in the target's K labels: a set of them counts for the first one in it."""
    if votes.first_targets is None or len(votes.first_targets) == num_labels:
        return votes._replace(can_mean=None, first_targets=None)
    labels = np.append(votes.first_targets, np.int32(-1))[votes.labels]
    probs = votes.probs
    if probs is not None:
        sets, probs = probs[..., num_labels:], probs[..., :num_labels].copy()
        for place, target in enumerate(votes.first_targets[num_labels:]):
            probs[..., target] += sets[..., place]
    return SourceVotes(labels, probs, known=votes.known)


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
    if method == "dawid_skene":
        labels = jnp.asarray(votes.labels)
        table = _dawid_skene(labels, num_labels, votes if fitted_on is None else fitted_on)
        return _aggregated(votes, np.asarray(table).argmax(-1), table)
    votes = as_target_labels(votes, num_labels)
    labels = jnp.asarray(votes.labels)
    soft = None if votes.probs is None else jnp.asarray(votes.probs)
    hard = kernels.vote_probs(labels, num_labels)
    if method == "majority":
        ids = kernels.majority_vote(labels, soft, num_labels)
        return _aggregated(votes, ids, kernels.mean_probs(hard))
    table = kernels.mean_probs(hard if soft is None else soft)
    return _aggregated(votes, np.asarray(table).argmax(-1), table)


def _aggregated(votes: SourceVotes, ids, table) -> Aggregated:
    """Labels and distributions, none where every source abstains."""
    has_vote = np.any(votes.labels >= 0, axis=1)
    return Aggregated(
        np.where(has_vote, np.asarray(ids), -1),
        np.where(has_vote[:, None], np.asarray(table, np.float32), np.float32(0)),
    )


def _dawid_skene(labels: jax.Array, num_labels: int, fitted_on: SourceVotes) -> jax.Array:
    votes, targets = jax.tree.map(jnp.asarray, (fitted_on.labels, fitted_on.first_targets))
    fitted = kernels.dawid_skene(votes, num_labels, targets)
    return kernels.label_model_posterior(labels, fitted.log_prior, fitted.log_confusion)
