"""The votes of a text's sources put together, without a tagger.

Majority, mean and Dawid-Skene see the votes of each word by itself; the reliability-weighted mean
and the chain are in `chain_model`.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from zsl_jax import kernels
from zsl_jax.runtime import processes
from zsl_jax.runtime.blocks import blocks
from zsl_jax.types import SourceVotes

METHODS = ("majority", "mean", "dawid_skene")  # of votes alone, and in every table
OF_VOTES = (*METHODS, "bea")
FITTED = ("dawid_skene", "bea")  # of votes alone, with a model that is fitted to them
TEXT_METHODS = ("weighted_mean", "chain")  # which read the words, too
AGGREGATIONS = (*OF_VOTES, *TEXT_METHODS)


class DawidSkeneSettings(NamedTuple):
    """How long Dawid-Skene runs, and what keeps its counts from 0.

    Attributes:
      rounds: Rounds of EM at most; few of them do not let rare labels merge.
      pseudo_count: Added to every count.
    """

    rounds: int = 100
    pseudo_count: float = 0.01


TO_CONVERGENCE = DawidSkeneSettings()


class Aggregated(NamedTuple):
    """One label per word.

    Attributes:
      labels: [N], label ids; -1 where every source abstains.
      probs: [N, K], the distribution of each word; zeros where every source abstains.
      log_confusion: [U, V, K], log-probabilities [source, predicted, true] that were found; None
        where the method has none.
      copies: [U, U], how far any two sources are copies of each other; None where the method does
        not ask.
    """

    labels: Int[np.ndarray, " N"]
    probs: Float[np.ndarray, "N K"]
    log_confusion: Float[np.ndarray, "U V K"] | None = None
    copies: Float[np.ndarray, "U U"] | None = None


def as_target_labels(votes: SourceVotes, num_labels: int) -> SourceVotes:
    """The votes in the target's K labels: a set of them counts for the first one in it.

    Args:
      votes: Labels, which may be sets of the target's labels.
      num_labels: K.

    Returns:
      Votes with V = K; a label's `compatible` labels are also those of the sets that it stands for.
    """
    if votes.first_targets is None or len(votes.first_targets) == num_labels:
        return votes._replace(first_targets=None)
    labels = np.append(votes.first_targets, np.int32(-1))[votes.labels]
    probs, abstains = votes.probs, np.zeros(labels.shape, bool)
    if votes.silent is not None:  # where others speak, silence is not a vote
        silent = votes.labels == votes.silent
        abstains = silent & ((votes.labels >= 0) & ~silent).any(axis=1, keepdims=True)
        labels = np.where(abstains, np.int32(-1), labels)
    if probs is not None:
        sets, probs = probs[..., num_labels:], probs[..., :num_labels].copy()
        for place, target in enumerate(votes.first_targets[num_labels:]):
            probs[..., target] += sets[..., place]
        probs[abstains] = 0
    meanings = votes.meanings(num_labels)
    compatible = meanings[:, :num_labels].copy()
    for label, target in enumerate(votes.first_targets[num_labels:], start=num_labels):
        compatible[:, target] |= meanings[:, label]
    return SourceVotes(labels, probs, compatible, gold=votes.gold)


def aggregate_votes(
    votes: SourceVotes,
    num_labels: int,
    method: str,
    fitted: kernels.DawidSkene | None = None,
    settings: DawidSkeneSettings = TO_CONVERGENCE,
) -> Aggregated:
    """Labels from the sources' predictions.

    Args:
      votes: The predictions to aggregate. Sources without probabilities count as certain.
      num_labels: K.
      method: One of `OF_VOTES`; "bea" is `kernels.bayesian_dawid_skene`.
      fitted: The model of Dawid-Skene or BEA, from `fit_to_votes`; by default it is fitted to
        `votes`, and all processes call this.
      settings: Of Dawid-Skene.

    Returns:
      Labels and distributions.
    """
    if method in FITTED:
        fitted = fitted or fit_to_votes(votes, num_labels, method, settings)
        labels = _labels_for(method, votes, num_labels)
        table = _dawid_skene_posterior(labels, fitted)
        # Those of BEA are expected logarithms, whose exponentials sum to less than 1.
        log_confusion = np.asarray(fitted.log_confusion)
        totals = np.logaddexp.reduce(log_confusion, axis=-2, keepdims=True)
        return as_aggregated(votes, table, log_confusion - totals)
    ids, table = _summarised(votes, num_labels, method)
    has_vote = np.any(votes.labels >= 0, axis=1)
    table[~has_vote] = 0
    return Aggregated(np.where(has_vote, ids, -1), table)


def as_aggregated(
    votes: SourceVotes,
    table: Float[np.ndarray, "N K"],
    log_confusion: Float[np.ndarray, "U V K"] | None = None,
    ids: Int[np.ndarray, " N"] | None = None,
) -> Aggregated:
    """Distributions with labels, their arg max by default; neither where every source abstains."""
    has_vote = np.any(votes.labels >= 0, axis=1)
    ids = table.argmax(-1) if ids is None else ids
    table[~has_vote] = 0
    return Aggregated(np.where(has_vote, ids, -1), table, log_confusion)


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


def fit_to_votes(
    votes: SourceVotes,
    num_labels: int,
    method: str,
    settings: DawidSkeneSettings = TO_CONVERGENCE,
) -> kernels.DawidSkene:
    """Fits a model to the votes of all processes, which all call it.

    Args:
      votes: This process's.
      num_labels: K.
      method: One of `FITTED`.
      settings: Of Dawid-Skene.

    Returns:
      The model; its posterior is of no particular order of words.
    """
    distinct = kernels.distinct_votes(_labels_for(method, votes, num_labels))
    labels, times = map(processes.concatenate, distinct)
    if method == "bea":
        return kernels.bayesian_dawid_skene(labels, num_labels, times)
    return kernels.dawid_skene(
        labels, num_labels, votes.first_targets, times,
        max_iterations=settings.rounds, pseudo_count=np.float32(settings.pseudo_count),
    )  # fmt: skip


def _labels_for(method: str, votes: SourceVotes, num_labels: int) -> Int[np.ndarray, "N U"]:
    """The labels that a model sees: those of the target for BEA, and all of the sources' else."""
    if method == "bea":
        return as_target_labels(votes._replace(probs=None), num_labels).labels
    return votes.labels


def _dawid_skene_posterior(
    labels: Int[np.ndarray, "N U"], fitted: kernels.DawidSkene
) -> Float[np.ndarray, "N K"]:
    table = np.empty((len(labels), len(fitted.log_prior)), np.float32)
    for block in blocks(labels):
        found = kernels.label_model_posterior(*block.arrays, fitted.log_prior, fitted.log_confusion)
        table[block.rows] = np.asarray(found)[block.mask]
    return table
