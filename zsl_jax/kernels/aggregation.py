"""Aggregation without text: votes in, labels or probabilities out."""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from zsl_jax.kernels.confusion import closed_form_log_confusion, expected_counts_from_labels
from zsl_jax.kernels.e_step import posterior_and_objective
from zsl_jax.kernels.posterior import at_least_float32, log_joint_of_votes


class DawidSkene(NamedTuple):
    """What the Dawid–Skene model finds in the votes.

    Attributes:
      posterior: [N, K], probabilities of the true label; `log_prior`'s where all sources abstain.
      log_prior: [K], log-frequency of each true label.
      log_confusion: [U, V, K], log-probabilities [source, predicted, true].
      iterations: [], rounds of EM done.
    """

    posterior: Float[Array, "N K"]
    log_prior: Float[Array, " K"]
    log_confusion: Float[Array, "U V K"]
    iterations: Int[Array, ""]


@functools.partial(jax.jit, static_argnames="num_labels")
def vote_probs(labels: Int[Array, "N U"], num_labels: int) -> Float[Array, "N U K"]:
    """Hard labels as one-hot probabilities; all-zero rows where a source abstains (-1).

    Args:
      labels: [N, U], label ids; -1 where a source abstains.
      num_labels: K.

    Returns:
      [N, U, K].
    """
    return jax.nn.one_hot(labels, num_labels)


@jax.jit
def mean_probs(probs: Float[Array, "N U K"]) -> Float[Array, "N K"]:
    """Mean of the sources' probabilities over the sources that do not abstain.

    Args:
      probs: [N, U, K], probabilities; an all-zero row where a source abstains.

    Returns:
      [N, K], uniform where all sources abstain.
    """
    probs = at_least_float32(probs)
    speaking = jnp.sum(jnp.any(probs > 0, axis=-1), axis=-1, keepdims=True)
    mean = jnp.sum(probs, axis=-2) / jnp.maximum(speaking, 1)
    return jnp.where(speaking > 0, mean, 1 / probs.shape[-1])


@functools.partial(jax.jit, static_argnames="num_labels")
def majority_vote(
    labels: Int[Array, "N U"], probs: Float[Array, "N U K"] | None, num_labels: int
) -> Int[Array, " N"]:
    """The label that most sources vote for.

    Of tied labels, the one with the largest sum of all sources' probabilities wins, where there are
    probabilities; of those still tied, the one that the first source in order votes for.

    Args:
      labels: [N, U], label ids; -1 where a source abstains.
      probs: [N, U, K] or None, the sources' probabilities.
      num_labels: K.

    Returns:
      [N], label ids; -1 where all sources abstain.
    """
    votes = jnp.sum(jax.nn.one_hot(labels, num_labels, dtype=jnp.int32), axis=-2)
    tied = votes == jnp.max(votes, axis=-1, keepdims=True)
    if probs is not None:
        score = jnp.where(tied, jnp.sum(at_least_float32(probs), axis=-2), -jnp.inf)
        tied = score == jnp.max(score, axis=-1, keepdims=True)
    wins = jnp.take_along_axis(tied, jnp.maximum(labels, 0), axis=-1) & (labels >= 0)
    first = jnp.argmax(wins, axis=-1, keepdims=True)
    return jnp.take_along_axis(labels, first, axis=-1)[:, 0]


def _vote_shares(labels: Int[Array, "N U"], num_labels: int) -> Float[Array, "N K"]:
    """`mean_probs` of `vote_probs`, source by source without an array [N, U, K]."""

    def add(votes: Float[Array, "N K"], source_labels: Int[Array, " N"]):
        return votes + jax.nn.one_hot(source_labels, num_labels), None

    votes, _ = lax.scan(add, jnp.zeros((len(labels), num_labels)), labels.T)
    speaking = jnp.sum(votes, axis=-1, keepdims=True)
    return jnp.where(speaking > 0, votes / jnp.maximum(speaking, 1), 1 / num_labels)


class VoteSummary(NamedTuple):
    """Votes counted and averaged.

    Attributes:
      majority: [N], from `majority_vote`.
      shares: [N, K], `mean_probs` of the labels as `vote_probs`.
      mean: [N, K], `mean_probs` of the probabilities; `shares` where there are none.
    """

    majority: Int[Array, " N"]
    shares: Float[Array, "N K"]
    mean: Float[Array, "N K"]


@functools.partial(jax.jit, static_argnames="num_labels")
def summarise_votes(
    labels: Int[Array, "N U"], probs: Float[Array, "N U K"] | None, num_labels: int
) -> VoteSummary:
    """Majority, vote shares and mean in one program.

    Args:
      labels: [N, U], label ids; -1 where a source abstains.
      probs: [N, U, K] or None, the sources' probabilities.
      num_labels: K.

    Returns:
      All three; words without votes have uniform rows.
    """
    shares = _vote_shares(labels, num_labels)
    mean = shares if probs is None else mean_probs(probs)
    return VoteSummary(majority_vote(labels, probs, num_labels), shares, mean)


@jax.jit
def label_model_posterior(
    labels: Int[Array, "N U"],
    log_prior: Float[Array, " K"],
    log_confusion: Float[Array, "U V K"],
) -> Float[Array, "N K"]:
    """Posterior of votes under a Dawid–Skene model that was found in these or other votes.

    Args:
      labels: [N, U], label ids; -1 where a source abstains.
      log_prior: [K], log-frequency of each true label.
      log_confusion: [U, V, K], log-probabilities [source, predicted, true].

    Returns:
      [N, K], probabilities of the true label; the prior where all sources abstain.
    """
    every_word = jnp.broadcast_to(log_prior, (len(labels), len(log_prior)))
    weight = jnp.ones(labels.shape[-1], log_prior.dtype)
    joint = log_joint_of_votes(every_word, labels, log_confusion, weight, 1.0)
    return posterior_and_objective(joint, jnp.ones(len(labels), bool)).posterior


def distinct_votes(
    labels: Int[np.ndarray, "N U"],
) -> tuple[Int[np.ndarray, "M U"], Int[np.ndarray, " M"]]:
    """Every combination of votes that occurs, and how often; on the host.

    Words with the same votes are one word to a model of votes alone: `dawid_skene` of the
    combinations, with their numbers, is that of the words.

    Args:
      labels: [N, U], label ids; -1 where a source abstains.

    Returns:
      The combinations [M, U], and the number of words with each [M].

    >>> distinct_votes(np.array([[1, 0], [0, -1], [1, 0]]))
    (array([[ 0, -1],
           [ 1,  0]]), array([1, 2]))
    """
    width = int(labels.max(initial=-1)) + 2
    code, largest = np.zeros(len(labels), np.int64), 1
    for source_labels in labels.T:
        if largest > 2**62 // width:  # numbers of the combinations so far take less room
            code = np.unique(code, return_inverse=True)[1]
            largest = len(labels)
        code = code * width + (source_labels + 1)
        largest *= width
    _, first, times = np.unique(code, return_index=True, return_counts=True)
    return labels[first], times


class _Round(NamedTuple):
    """State of EM between two rounds; `change` is how far the posterior moved in the last one."""

    model: DawidSkene
    change: Float[Array, ""]


def _dawid_skene_round(
    model: DawidSkene,
    labels: Int[Array, "N U"],
    times: Float[Array, " N"],
    pseudo_count: Float[Array, ""] | float,
) -> _Round:
    """One M step from the posterior, then one E step; row n of the labels is `times[n]` words."""
    num_source_labels = model.log_confusion.shape[-2]
    words = model.posterior * times[:, None]
    frequency = jnp.sum(words, axis=0) + pseudo_count
    total = jnp.sum(frequency)
    log_prior = jnp.log(jnp.where(total > 0, frequency / jnp.where(total > 0, total, 1), 1))
    log_prior = jax.nn.log_softmax(log_prior)
    counts = expected_counts_from_labels(words, labels, times > 0, num_source_labels)
    uniform = jnp.full_like(counts, -jnp.log(num_source_labels))
    log_confusion = closed_form_log_confusion(counts, uniform, pseudo_count)
    posterior = label_model_posterior(labels, log_prior, log_confusion)
    moved = times * jnp.sum(jnp.abs(posterior - model.posterior), axis=-1) / 2
    change = jnp.sum(moved) / jnp.maximum(jnp.sum(times), 1)
    return _Round(DawidSkene(posterior, log_prior, log_confusion, model.iterations + 1), change)


@functools.partial(jax.jit, static_argnames="num_labels")
def dawid_skene(
    labels: Int[Array, "N U"],
    num_labels: int,
    first_targets: Int[Array, " V"] | None = None,
    times: Int[Array, " N"] | None = None,
    *,
    max_iterations: int | Int[Array, ""] = 100,
    tolerance: float | Float[Array, ""] = 1e-6,
    pseudo_count: float | Float[Array, ""] = 0.01,
) -> DawidSkene:
    """EM for the label frequencies and one confusion matrix per source, from the votes alone.

    The latent variable model with one prior for all words and hard evidence (Dawid and Skene,
    1979). It starts from the shares of the votes.

    Args:
      labels: [N, U], label ids; -1 where a source abstains. Words without votes change nothing.
      num_labels: K.
      first_targets: [V], the true label that each of the sources' labels counts for at the start;
        None if V = K and each counts for itself.
      times: [N], how many words have these votes, from `distinct_votes`; None for one each.
      max_iterations: Rounds of EM at most; at least one is done.
      tolerance: EM ends when the posterior moves by less: half its L1 distance, mean over words.
      pseudo_count: c, added to every count of labels; c K / V to every count of confusions.

    Returns:
      The model after the last round.
    """
    targets = jnp.arange(num_labels) if first_targets is None else first_targets
    meant = jnp.where(labels >= 0, targets[labels], -1)
    voted = jnp.any(labels >= 0, axis=-1)
    times = jnp.where(voted, 1 if times is None else times, 0).astype(jnp.zeros(()).dtype)
    start = _dawid_skene_round(
        DawidSkene(
            posterior=_vote_shares(meant, num_labels),
            log_prior=jnp.full(num_labels, -jnp.log(num_labels)),
            log_confusion=jnp.zeros((labels.shape[-1], len(targets), num_labels)),
            iterations=jnp.zeros((), jnp.int32),
        ),
        labels,
        times,
        pseudo_count,
    )

    def unfinished(state: _Round) -> Bool[Array, ""]:
        return (state.change > tolerance) & (state.model.iterations < max_iterations)

    def step(state: _Round) -> _Round:
        return _dawid_skene_round(state.model, labels, times, pseudo_count)

    return lax.while_loop(unfinished, step, start).model
