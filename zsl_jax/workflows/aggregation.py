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
        found = kernels.summarise_votes(block.arrays[0], probs, num_labels)
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
    fitted = kernels.dawid_skene(fitted_on.labels, num_labels)
    table = np.empty((len(labels), num_labels), np.float32)
    for block in blocks(labels):
        found = kernels.label_model_posterior(*block.arrays, fitted.log_prior, fitted.log_confusion)
        table[block.rows] = np.asarray(found)[block.mask]
    return table
