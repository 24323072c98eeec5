"""Labels of a sentence as a Markov chain: forward-backward, and the estimates of its transitions.

The sentences of a text are one axis of words; `starts` marks the first word of each sentence, where
the chain begins anew. Leading axes hold separate texts, such as rows of whole sentences.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from zsl_jax.kernels.arguments import (
    Scalar,
    in_widest_float,
    kernel,
    normalised,
    sum_over_devices,
    varying_like,
)
from zsl_jax.kernels.decoding import LOG_FORBIDDEN, best_sequences

# What is forbidden happens only where nothing else is possible.
_FORBIDDEN = 1e-20


class ChainMarginals(NamedTuple):
    """Posterior of a chain, and the sums that go with it.

    Attributes:
      posterior: [..., N, K], Q of each word given its whole sentence.
      transitions: [K, K], expected number of steps from one label to the next inside sentences.
      firsts: [K], expected number of sentences that begin with each label.
      log_marginal: [], log of the sum over all label sequences, summed over sentences; −inf if all
        labels of a word are ruled out.
    """

    posterior: Float[Array, "*texts N K"]
    transitions: Float[Array, "K K"]
    firsts: Float[Array, " K"]
    log_marginal: Float[Array, ""]


@kernel(static=("axis_name",))
def chain_marginals(
    log_potentials: Float[Array, "*texts N K"],
    starts: Bool[Array, "*texts N"],
    mask: Bool[Array, "*texts N"],
    start: Float[Array, " K"],
    transitions: Float[Array, "K K"],
    axis_name: str | None = None,
) -> ChainMarginals:
    """Returns the posterior of every word given its sentence, by forward-backward.

    Q_t(y) ∝ Σ over the other words' labels of p₀(y_1) Π_t A(y_{t−1}, y_t) exp X_t(y_t); Rabiner
    (1989), [A Tutorial on Hidden Markov Models and Selected Applications in Speech
    Recognition](https://doi.org/10.1109/5.18626). The messages are normalised at every word, so
    that no length and no potential underflows.

    Args:
      log_potentials: [..., N, K], X, not necessarily normalised; −inf rules a label out. A word
        for which all labels are ruled out has the posterior that its neighbours imply.
      starts: [..., N], True for the first word of each sentence; the first word of a text counts as
        one.
      mask: [..., N], False for padding, which must stand behind the words of its sentence or have
        starts of its own; it has a posterior, but is in no sum.
      start: [K], p₀.
      transitions: [K, K], A, indexed [before, after]; 0 for steps that happen only where nothing
        else is possible.
      axis_name: Device axis over which the sums are added up; None for one device. Each device must
        have whole sentences.

    Returns:
      The marginals, and the sums over the words of all texts that count.

    Examples:
      >>> log_potentials = jnp.log(jnp.array([[0.9, 0.1], [0.5, 0.5]]))
      >>> transitions = jnp.array([[0.8, 0.2], [0.2, 0.8]])
      >>> starts, mask = jnp.array([True, False]), jnp.array([True, True])
      >>> chain_marginals(log_potentials, starts, mask, jnp.full(2, 0.5), transitions).posterior
      Array([[0.9 , 0.1 ],
             [0.74, 0.26]], dtype=float32)
    """
    if log_potentials.ndim > 2:
        of_texts = jax.vmap(chain_marginals, in_axes=(0, 0, 0, None, None))
        posterior, *sums = of_texts(log_potentials, starts, mask, start, transitions)
        sums = [jnp.sum(each, axis=0) for each in sums]
        return ChainMarginals(posterior, *sum_over_devices(sums, axis_name))
    log_potentials, start, transitions = in_widest_float(log_potentials, start, transitions)
    possible = jnp.any(log_potentials != -jnp.inf, axis=-1)
    log_potentials = jnp.where(possible[:, None], log_potentials, 0)
    transitions = jnp.maximum(transitions, _FORBIDDEN)
    start = jnp.maximum(start, _FORBIDDEN)
    starts = starts.at[:1].set(True) | ~mask  # padding is not evidence on the words before it

    def forward(before: Array, word: tuple[Array, Array]):
        log_potential, is_start = word
        predicted = jnp.where(is_start, start, before @ transitions)
        scores = jnp.log(predicted) + log_potential
        log_total = jax.nn.logsumexp(scores)
        filtered = jnp.exp(scores - log_total)
        return filtered, (filtered, log_total)

    def backward(message: Array, word: tuple[Array, Array, Array]):
        log_potential, filtered, is_start = word
        scores = log_potential + message  # of this word and all behind it
        reached = jnp.exp(scores - jnp.max(scores))
        some = filtered >= least  # otherwise, log has no finite gradient
        log_filtered = jnp.where(some, jnp.log(jnp.where(some, filtered, 1)), -jnp.inf)
        posterior = jax.nn.softmax(log_filtered + message)
        behind = jnp.log(transitions @ reached)
        message = jnp.where(is_start, 0, behind - jnp.max(behind))
        return message, (posterior, reached)

    least = jnp.finfo(log_potentials.dtype).tiny
    none = jnp.zeros(log_potentials.shape[-1], log_potentials.dtype)
    none = varying_like(none, log_potentials, starts, start, transitions)
    _, (filtered, log_totals) = lax.scan(forward, none, (log_potentials, starts))
    words = (log_potentials, filtered, starts)
    _, (posterior, reached) = lax.scan(backward, none, words, reverse=True)
    inside = (mask & ~starts)[1:, None]
    before, after = filtered[:-1], jnp.where(inside, reached[1:], 0)
    total = jnp.sum((before @ transitions) * after, axis=-1, keepdims=True)
    total = jnp.where(inside, total, 1)
    scale = lax.stop_gradient(total)  # the gradient of a division by it would square 1e-20
    before = jnp.where(inside, before / scale / (total / scale), 0)
    sums = (
        transitions * jnp.matmul(before.T, after),
        jnp.sum(jnp.where((mask & starts)[:, None], posterior, 0), axis=0),
        jnp.sum(jnp.where(mask, jnp.where(possible, log_totals, -jnp.inf), 0)),
    )
    return ChainMarginals(posterior, *sum_over_devices(sums, axis_name))


@kernel
def chain_viterbi(
    log_potentials: Float[Array, "*texts N K"],
    starts: Bool[Array, "*texts N"],
    mask: Bool[Array, "*texts N"],
    start: Float[Array, " K"],
    transitions: Float[Array, "K K"],
) -> Int[Array, "*texts N"]:
    """Returns the most probable label sequence of each sentence under a Markov chain.

    argmax over y of p₀(y_1) Π_t A(y_{t−1}, y_t) exp X_t(y_t), the chain of `chain_marginals`.

    Args:
      log_potentials: [..., N, K], X; −inf rules a label out, and no other label counts as more than
        `LOG_FLOOR` below the word's best.
      starts: [..., N], True for the first word of each sentence; the first word of a text counts as
        one.
      mask: [..., N], False for padding.
      start: [K], p₀.
      transitions: [K, K], A, indexed [before, after]; a step of 0 is taken only where there is no
        other.

    Returns:
      [..., N] int32, label ids.

    Examples:
      >>> log_potentials = jnp.log(jnp.array([[0.9, 0.1], [0.4, 0.6]]))
      >>> transitions = jnp.array([[0.8, 0.2], [0.2, 0.8]])
      >>> starts, mask = jnp.array([True, False]), jnp.array([True, True])
      >>> chain_viterbi(log_potentials, starts, mask, jnp.full(2, 0.5), transitions)
      Array([0, 0], dtype=int32)
    """

    def log(probs: Array) -> Array:
        return jnp.where(probs > 0, jnp.log(jnp.maximum(probs, _FORBIDDEN)), LOG_FORBIDDEN)

    starts = starts.at[..., :1].set(True) | ~mask
    anywhere = jnp.zeros_like(start)
    return best_sequences(log_potentials, starts, log(start), log(transitions), anywhere)


@kernel
def neighbour_counts(
    posterior: Float[Array, "*texts N K"],
    starts: Bool[Array, "*texts N"],
    mask: Bool[Array, "*texts N"],
) -> tuple[Float[Array, "K K"], Float[Array, " K"]]:
    """Returns counts of transitions and first labels as if neighbours were independent.

    Σ Q_{t−1}(i) Q_t(j) inside sentences, and Σ Q(y) over first words.

    Args:
      posterior: [..., N, K], Q.
      starts: [..., N], True for the first word of each sentence.
      mask: [..., N], False for words that do not count.

    Returns:
      [K, K], indexed [before, after]; and [K].

    Examples:
      >>> starts, mask = jnp.array([True, False]), jnp.array([True, True])
      >>> neighbour_counts(jnp.array([[1.0, 0.0], [0.5, 0.5]]), starts, mask)
      (Array([[0.5, 0.5],
             [0. , 0. ]], dtype=float32), Array([1., 0.], dtype=float32))
    """
    if posterior.ndim > 2:
        of_texts = jax.vmap(neighbour_counts)(posterior, starts, mask)
        steps, firsts = (jnp.sum(each, axis=0) for each in of_texts)
        return steps, firsts
    posterior = jnp.where(mask[:, None], posterior, 0)
    starts = starts.at[:1].set(True)
    after = jnp.where(starts[1:, None], 0, posterior[1:])
    steps = jnp.matmul(posterior[:-1].T, after)
    return steps, jnp.sum(jnp.where(starts[:, None], posterior, 0), axis=0)


@kernel
def transition_probs(
    steps: Float[Array, "K K"],
    firsts: Float[Array, " K"],
    allowed: Bool[Array, "K K"],
    may_start: Bool[Array, " K"],
    pseudo_count: Scalar = 0.1,
) -> tuple[Float[Array, " K"], Float[Array, "K K"]]:
    """Returns transition probabilities from counts of steps and first labels, where allowed.

    p₀(y) ∝ firsts(y) + c,  A(i, j) ∝ steps(i, j) + c.

    Args:
      steps: [K, K], indexed [before, after].
      firsts: [K].
      allowed: [K, K], False for steps that the tagging scheme forbids.
      may_start: [K], False for labels that no sentence may start with.
      pseudo_count: c; a large one blurs the steps inside entities, which are rare.

    Returns:
      p₀ [K] and A [K, K]; p₀ and the rows of A sum to 1 (to 0 where nothing is allowed).

    Examples:
      >>> steps, firsts = jnp.array([[7.0, 1.0], [0.0, 5.0]]), jnp.array([2.0, 0.0])
      >>> allowed, may_start = jnp.array([[True, True], [False, True]]), jnp.array([True, False])
      >>> transition_probs(steps, firsts, allowed, may_start, 1.0)
      (Array([1., 0.], dtype=float32), Array([[0.8, 0.2],
             [0. , 1. ]], dtype=float32))
    """
    firsts = jnp.where(may_start, firsts + pseudo_count, 0)
    steps = jnp.where(allowed, steps + pseudo_count, 0)
    return normalised(firsts), normalised(steps)
