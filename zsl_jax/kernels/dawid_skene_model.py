"""The Dawid–Skene model: label frequencies and confusion matrices from the votes alone, by EM."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.scipy.special import digamma
from jaxtyping import Array, Bool, Float, Int

from zsl_jax.kernels.aggregation import vote_shares
from zsl_jax.kernels.arguments import (
    Scalar,
    flat_words,
    kernel,
    labels_in_range,
    on_host,
    sum_over_devices,
    varying_like,
)
from zsl_jax.kernels.expected_counts import closed_form_log_confusion, expected_counts
from zsl_jax.kernels.posterior import log_joint, posterior_and_objective


@kernel
def label_model_posterior(
    labels: Int[Array, "*words U"],
    log_prior: Float[Array, " K"],
    log_confusion: Float[Array, "U V K"],
) -> Float[Array, "*words K"]:
    """Returns the posterior of votes under a Dawid–Skene model, fitted to these or other votes.

    Q(y) ∝ π(y) Π_u φ_u(ŷ_u|y), over the sources that do not abstain.

    Args:
      labels: [..., U], label ids; -1 where a source abstains.
      log_prior: [K], log-frequency of each true label.
      log_confusion: [U, V, K], log-probabilities [source, predicted, true].

    Returns:
      [..., K], probabilities of the true label; the prior where all sources abstain.

    Examples:
      >>> confusion = jnp.array([[[0.9, 0.2], [0.1, 0.8]]])
      >>> log_prior = jnp.log(jnp.array([0.5, 0.5]))
      >>> label_model_posterior(jnp.array([[1], [-1]]), log_prior, jnp.log(confusion))
      Array([[0.11, 0.89],
             [0.5 , 0.5 ]], dtype=float32)
    """
    words = labels.shape[:-1]
    every_word = jnp.broadcast_to(log_prior, (*words, len(log_prior)))
    weight = jnp.ones(labels.shape[-1], log_prior.dtype)
    joint = log_joint(every_word, labels, log_confusion, weight, 1.0)
    return posterior_and_objective(joint, jnp.ones(words, bool)).posterior


@on_host
def distinct_votes(
    labels: Int[np.ndarray | Array, "N U"],
) -> tuple[Int[np.ndarray, "M U"], Int[np.ndarray, " M"]]:
    """Returns every combination of votes that occurs and how often, on the host.

    A model of votes alone cannot distinguish words with the same votes: `dawid_skene` of the
    combinations and their numbers equals that of the words.

    Args:
      labels: [N, U], label ids; negative where a source abstains.

    Returns:
      The combinations [M, U], and the number of words with each [M].

    Examples:
      >>> distinct_votes(np.array([[1, 0], [0, -1], [1, 0]]))
      (array([[ 0, -1],
             [ 1,  0]]), array([1, 2]))
    """
    votes = np.maximum(np.asarray(labels), -1)
    width = int(votes.max(initial=-1)) + 2
    code, largest = np.zeros(len(votes), np.int64), 1
    for source_labels in votes.T:
        if largest > 2**62 // width:  # numbers of the combinations so far take less room
            code = np.unique(code, return_inverse=True)[1]
            largest = len(votes)
        code = code * width + np.add(source_labels, 1, dtype=np.int64)
        largest *= width
    _, first, times = np.unique(code, return_index=True, return_counts=True)
    return votes[first], times


class DawidSkene(NamedTuple):
    """A Dawid–Skene model and the posterior of the votes that it was fitted to.

    Attributes:
      posterior: [..., K], probabilities of the true label; `log_prior`'s where all sources abstain.
      log_prior: [K], log-frequency of each true label.
      log_confusion: [U, V, K], log-probabilities [source, predicted, true].
      iterations: [], rounds of EM done.
    """

    posterior: Float[Array, "*words K"]
    log_prior: Float[Array, " K"]
    log_confusion: Float[Array, "U V K"]
    iterations: Int[Array, ""]


class _Votes(NamedTuple):
    """The input of the rounds of EM: row n of the labels stands for `times[n]` words."""

    labels: Int[Array, "N U"]
    times: Float[Array, " N"]
    pseudo_count: Float[Array, ""]


class _Round(NamedTuple):
    """State of EM between two rounds; `change` is how far the last one moved the posterior."""

    model: DawidSkene
    change: Float[Array, ""]


# From expected counts of labels [K] and confusions [U, V, K], and the pseudo-count: log-frequencies
# and log-confusions.
_MStep = Callable[[Array, Array, Array], tuple[Array, Array]]


def _most_probable(mass: Array, counts: Array, pseudo_count: Array) -> tuple[Array, Array]:
    """The M step of maximum likelihood, with pseudo-counts."""
    frequency = mass + pseudo_count
    total = jnp.sum(frequency)
    log_prior = jnp.log(jnp.where(total > 0, frequency / jnp.where(total > 0, total, 1), 1))
    uniform = jnp.full_like(counts, -jnp.log(counts.shape[-2]))
    log_confusion = closed_form_log_confusion(counts, uniform, pseudo_count)
    return jax.nn.log_softmax(log_prior), log_confusion


def _expected_logs(mass: Array, counts: Array, pseudo_count: Array) -> tuple[Array, Array]:
    """The variational M step: expected logarithms under Dirichlet distributions."""
    frequency, confusions = mass + pseudo_count, counts + pseudo_count
    log_prior = digamma(frequency) - digamma(jnp.sum(frequency))
    return log_prior, digamma(confusions) - digamma(jnp.sum(confusions, axis=-2, keepdims=True))


def _round(model: DawidSkene, votes: _Votes, m_step: _MStep, axis_name: str | None) -> _Round:
    """One M step from the posterior, then one E step."""
    labels, times, pseudo_count = votes
    num_source_labels = model.log_confusion.shape[-2]
    words = model.posterior * times[:, None]
    mass, counts, num_words = sum_over_devices(
        (
            jnp.sum(words, axis=0),
            expected_counts(words, labels, times > 0, num_source_labels),
            jnp.sum(times),
        ),
        axis_name,
    )
    log_prior, log_confusion = m_step(mass, counts, pseudo_count)
    posterior = label_model_posterior(labels, log_prior, log_confusion)
    moved = jnp.sum(times * jnp.sum(jnp.abs(posterior - model.posterior), axis=-1) / 2)
    change = sum_over_devices(moved, axis_name) / jnp.maximum(num_words, 1)
    return _Round(DawidSkene(posterior, log_prior, log_confusion, model.iterations + 1), change)


def _fitted(
    votes: _Votes,
    shares: Float[Array, "N K"],
    num_source_labels: int,
    m_step: _MStep,
    max_iterations: Scalar,
    tolerance: Scalar,
    axis_name: str | None,
) -> DawidSkene:
    """Rounds until the posterior hardly moves, from the shares of the votes."""
    num_labels = shares.shape[-1]
    start = _round(
        DawidSkene(
            posterior=shares,
            log_prior=jnp.full(num_labels, -jnp.log(num_labels)),
            log_confusion=jnp.zeros((votes.labels.shape[-1], num_source_labels, num_labels)),
            iterations=jnp.zeros((), jnp.int32),
        ),
        votes, m_step, axis_name,
    )  # fmt: skip
    if axis_name is None:  # otherwise, all but the posterior is the same on all devices
        start = jax.tree.map(lambda value: varying_like(value, votes.labels, votes.times), start)

    def unfinished(state: _Round) -> Bool[Array, ""]:
        return (state.change > tolerance) & (state.model.iterations < max_iterations)

    def step(state: _Round) -> _Round:
        return _round(state.model, votes, m_step, axis_name)

    return lax.while_loop(unfinished, step, start).model


def _votes_of(
    labels: Int[Array, "*words U"], num_source_labels: int, times: Int[Array, "*words"] | None,
    pseudo_count: Scalar,
) -> _Votes:  # fmt: skip
    labels = labels_in_range(flat_words(labels, 1), num_source_labels)
    voted = jnp.any(labels >= 0, axis=-1)
    times = jnp.where(voted, 1 if times is None else jnp.ravel(times), 0)
    return _Votes(labels, times.astype(jnp.zeros(()).dtype), jnp.asarray(pseudo_count, float))


@kernel(static=("num_labels", "axis_name"))
def dawid_skene(
    labels: Int[Array, "*words U"],
    num_labels: int,
    first_targets: Int[Array, " V"] | None = None,
    times: Int[Array, "*words"] | None = None,
    *,
    max_iterations: Scalar = 100,
    tolerance: Scalar = 1e-6,
    pseudo_count: Scalar = 0.01,
    axis_name: str | None = None,
) -> DawidSkene:
    """Fits label frequencies and one confusion matrix per source to the votes alone, by EM.

    Dawid and Skene (1979), [Maximum Likelihood Estimation of Observer Error-Rates Using the EM
    Algorithm](https://doi.org/10.2307/2346806); here with pseudo-counts. It starts from the shares
    of the votes.

    Args:
      labels: [..., U], label ids; -1 where a source abstains. Words without votes change nothing.
      num_labels: K.
      first_targets: [V], the true label that each of the sources' labels counts for at the start;
        None if V = K and each counts for itself.
      times: [...], how many words have these votes, from `distinct_votes`; None for one each.
      max_iterations: Most rounds of EM; at least one is done.
      tolerance: EM ends when the posterior moves by less: half its L1 distance, mean over words.
      pseudo_count: c, added to every count of labels; c K / V to every count of confusions.
      axis_name: Device axis over which the words are spread: counts are summed over it in every
        round, so that all devices fit one model. None fits the words given.

    Returns:
      The model after the last round.

    Examples:
      >>> labels = jnp.array([[0, 0, 0], [0, 0, 1], [1, 1, 0], [1, 1, 1], [0, 0, 1], [1, 1, 0]])
      >>> model = dawid_skene(labels, num_labels=2)
      >>> model.posterior.argmax(-1)
      Array([0, 0, 1, 1, 0, 1], dtype=int32)
      >>> jnp.exp(model.log_confusion[2])  # the third source is no better than chance
      Array([[0.33, 0.67],
             [0.67, 0.33]], dtype=float32)
    """
    words = labels.shape[:-1]
    targets = jnp.arange(num_labels)
    if first_targets is not None:
        targets = labels_in_range(first_targets, num_labels)
    votes = _votes_of(labels, len(targets), times, pseudo_count)
    meant = jnp.where(votes.labels >= 0, targets[votes.labels], -1)
    how = (max_iterations, tolerance, axis_name)
    shares = vote_shares(meant, num_labels)
    model = _fitted(votes, shares, len(targets), _most_probable, *how)
    return model._replace(posterior=model.posterior.reshape(*words, num_labels))


@kernel(static=("num_labels", "axis_name"))
def bayesian_dawid_skene(
    labels: Int[Array, "*words U"],
    num_labels: int,
    times: Int[Array, "*words"] | None = None,
    *,
    max_iterations: Scalar = 500,
    tolerance: Scalar = 1e-6,
    prior_count: Scalar = 1.0,
    axis_name: str | None = None,
) -> DawidSkene:
    """Fits the Dawid–Skene model with Dirichlet priors by mean-field variational inference.

    Afshin Rahimi, Yuan Li, Trevor Cohn, [Massively Multilingual Transfer for
    NER](https://aclanthology.org/P19-1015), ACL 2019: their BEA, for each word by itself. With
    label counts m and counts of confusions C under Q, rounds repeat

      E log π(y) = ψ(a + m_y) - ψ(Σ_y (a + m_y)), E log φ_u(ŷ|y) likewise over ŷ, and
      Q(y) ∝ exp(E log π(y) + Σ_u E log φ_u(ŷ_u|y)).

    It starts from the shares of the votes.

    Args:
      labels: [..., U], label ids; -1 where a source abstains. Words without votes change nothing.
      num_labels: K.
      times: [...], how many words have these votes, from `distinct_votes`; None for one each.
      max_iterations: Most rounds; at least one is done.
      tolerance: Rounds end when the posterior moves by less, as for `dawid_skene`.
      prior_count: a, the parameter of all Dirichlet priors.
      axis_name: As for `dawid_skene`.

    Returns:
      The model after the last round; `log_prior` and `log_confusion` are expected logarithms, whose
      exponentials sum to less than 1.

    Examples:
      >>> labels = jnp.array([[0, 0, 0], [0, 0, 1], [1, 1, 0], [1, 1, 1], [0, 0, 1], [1, 1, 0]])
      >>> bayesian_dawid_skene(labels, num_labels=2).posterior.argmax(-1)
      Array([0, 0, 1, 1, 0, 1], dtype=int32)
    """
    words = labels.shape[:-1]
    votes = _votes_of(labels, num_labels, times, prior_count)
    how = (max_iterations, tolerance, axis_name)
    shares = vote_shares(votes.labels, num_labels)
    model = _fitted(votes, shares, num_labels, _expected_logs, *how)
    return model._replace(posterior=model.posterior.reshape(*words, num_labels))
