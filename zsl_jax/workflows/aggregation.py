"""The sources' predictions alone: majority, mean and Dawid-Skene, without any text."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from zsl_jax import kernels
from zsl_jax.training.blocks import blocks
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
        table = _dawid_skene(votes.labels, num_labels, votes if fitted_on is None else fitted_on)
        ids = table.argmax(-1)
    else:
        ids, table = _summarised(votes, num_labels, method)
    has_vote = np.any(votes.labels >= 0, axis=1)
    table[~has_vote] = 0
    return Aggregated(np.where(has_vote, ids, -1), table)


def _summarised(votes: SourceVotes, num_labels: int, method: str) -> tuple[np.ndarray, np.ndarray]:
    """Labels and distributions by "majority" or "mean"."""
    num_words = len(votes.labels)
    ids = np.empty(num_words, np.int32)
    table = np.empty((num_words, num_labels), np.float32)
    evidence = () if votes.probs is None else (votes.probs,)
    for block in blocks(votes.labels, *evidence):
        probs = block.arrays[1] if evidence else None
        own = as_target_labels(votes._replace(labels=block.arrays[0], probs=probs), num_labels)
        found = kernels.summarise_votes(own.labels, own.probs, num_labels)
        rows, mask = block.rows, block.mask
        if method == "majority":
            table[rows] = np.asarray(found.shares)[mask]
            ids[rows] = np.asarray(found.majority)[mask]
        else:
            table[rows] = np.asarray(found.mean)[mask]
            ids[rows] = table[rows].argmax(-1)
    return ids, table


def _dawid_skene(
    labels: Int[np.ndarray, "N U"], num_labels: int, fitted_on: SourceVotes
) -> Float[np.ndarray, "N K"]:
    distinct, times = kernels.distinct_votes(fitted_on.labels)
    fitted = kernels.dawid_skene(distinct, num_labels, fitted_on.first_targets, times)
    table = np.empty((len(labels), num_labels), np.float32)
    for block in blocks(labels):
        found = kernels.label_model_posterior(*block.arrays, fitted.log_prior, fitted.log_confusion)
        table[block.rows] = np.asarray(found)[block.mask]
    return table
