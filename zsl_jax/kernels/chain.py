"""Labels of a sentence as a Markov chain: forward-backward, and where its transitions come from.

Words are one flat axis, as everywhere; `starts` marks the first word of each sentence, at which the
chain begins anew. Several texts go through `jax.vmap`.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from zsl_jax.kernels.decoding import LOG_FORBIDDEN, best_sequences
from zsl_jax.kernels.posterior import at_least_float32
from zsl_jax.kernels.reliability import normalised

# What is forbidden happens only where nothing else is possible.
_FORBIDDEN = 1e-20


class ChainMarginals(NamedTuple):
    """Posterior of a chain, and the sums that go with it.

    Attributes:
      posterior: [N, K], Q of each word given its whole sentence.
      transitions: [K, K], expected number of steps from one label to the next inside sentences.
      firsts: [K], expected number of sentences that begin with each label.
      log_marginal: [], log of the sum over all label sequences, summed over sentences.
    """

    posterior: Float[Array, "N K"]
    transitions: Float[Array, "K K"]
    firsts: Float[Array, " K"]
    log_marginal: Float[Array, ""]


def chain_marginals(
    log_potentials: Float[Array, "N K"],
    starts: Bool[Array, " N"],
    mask: Bool[Array, " N"],
    start: Float[Array, " K"],
    transitions: Float[Array, "K K"],
) -> ChainMarginals:
    """Forward-backward over sentences (Rabiner, 1989).

    Q_t(y) ∝ Σ over the other words' labels of p₀(y_1) Π_t A(y_{t−1}, y_t) exp X_t(y_t).

    The messages are normalised at every word, so that no length and no potential underflows.

    Args:
      log_potentials: [N, K], X, not necessarily normalised; −inf rules a label out.
      starts: [N], True for the first word of each sentence; the first word of all counts as one.
      mask: [N], False for padding, which must stand behind the words of its sentence or have starts
        of its own; it has a posterior, but is in no sum.
      start: [K], p₀.
      transitions: [K, K], A, indexed [before, after]; 0 for steps that happen only where nothing
        else is possible.

    Returns:
      The marginals and the sums over the words that count.
    """
    log_potentials = at_least_float32(log_potentials)
    transitions = jnp.maximum(transitions, _FORBIDDEN).astype(log_potentials.dtype)
    start = jnp.maximum(start, _FORBIDDEN).astype(log_potentials.dtype)
    starts = starts.at[0].set(True) | ~mask  # padding says nothing about the words before it

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
        posterior = jax.nn.softmax(jnp.log(filtered) + message)
        behind = jnp.log(transitions @ reached)
        message = jnp.where(is_start, 0, behind - jnp.max(behind))
        return message, (posterior, reached)

    none = jnp.zeros(log_potentials.shape[-1], log_potentials.dtype)
    _, (filtered, log_totals) = lax.scan(forward, none, (log_potentials, starts))
    words = (log_potentials, filtered, starts)
    _, (posterior, reached) = lax.scan(backward, none, words, reverse=True)
    inside = (mask & ~starts)[1:, None]
    before, after = filtered[:-1], jnp.where(inside, reached[1:], 0)
    total = jnp.sum((before @ transitions) * after, axis=-1, keepdims=True)
    before = jnp.where(inside, before / jnp.where(inside, total, 1), 0)
    return ChainMarginals(
        posterior,
        transitions * jnp.matmul(before.T, after, precision=lax.Precision.HIGHEST),
        jnp.sum(jnp.where((mask & starts)[:, None], posterior, 0), axis=0),
        jnp.sum(jnp.where(mask, log_totals, 0)),
    )


def chain_viterbi(
    log_potentials: Float[Array, "N K"],
    starts: Bool[Array, " N"],
    mask: Bool[Array, " N"],
    start: Float[Array, " K"],
    transitions: Float[Array, "K K"],
) -> Int[Array, " N"]:
    """The most probable label sequence of each sentence under the chain of `chain_marginals`.

    Args:
      log_potentials: [N, K], X; no label counts as more than `LOG_FLOOR` below the word's best.
      starts: [N], True for the first word of each sentence; the first word of all counts as one.
      mask: [N], False for padding.
      start: [K], p₀.
      transitions: [K, K], A, indexed [before, after]; a step of 0 is taken only where there is no
        other.

    Returns:
      [N] int32, label ids.
    """

    def log(probs: Array) -> Array:
        return jnp.where(probs > 0, jnp.log(jnp.maximum(probs, _FORBIDDEN)), LOG_FORBIDDEN)

    starts = starts.at[0].set(True) | ~mask
    anywhere = jnp.zeros_like(start)
    return best_sequences(log_potentials, starts, log(start), log(transitions), anywhere)


def neighbour_counts(
    posterior: Float[Array, "N K"], starts: Bool[Array, " N"], mask: Bool[Array, " N"]
) -> tuple[Float[Array, "K K"], Float[Array, " K"]]:
    """Transitions and first labels as if neighbours were independent: Σ Q_{t−1}(i) Q_t(j).

    Args:
      posterior: [N, K], Q.
      starts: [N], True for the first word of each sentence.
      mask: [N], False for words that do not count.

    Returns:
      [K, K], indexed [before, after], inside sentences; and [K], of first words.
    """
    posterior = jnp.where(mask[:, None], posterior, 0)
    starts = starts.at[0].set(True)
    after = jnp.where(starts[1:, None], 0, posterior[1:])
    steps = jnp.matmul(posterior[:-1].T, after, precision=lax.Precision.HIGHEST)
    return steps, jnp.sum(jnp.where(starts[:, None], posterior, 0), axis=0)


@jax.jit
def transition_probs(
    steps: Float[Array, "K K"],
    firsts: Float[Array, " K"],
    allowed: Bool[Array, "K K"],
    may_start: Bool[Array, " K"],
    pseudo_count: Float[Array, ""] | float = 1.0,
) -> tuple[Float[Array, " K"], Float[Array, "K K"]]:
    """Probabilities from counts of steps and first labels, among those that are allowed.

    p₀(y) ∝ firsts(y) + c,  A(i, j) ∝ steps(i, j) + c.

    Args:
      steps: [K, K], indexed [before, after].
      firsts: [K].
      allowed: [K, K], False for steps that the tagging scheme forbids.
      may_start: [K], False for labels that no sentence may start with.
      pseudo_count: c.

    Returns:
      p₀ [K] and A [K, K]; p₀ and the rows of A sum to 1 (to 0 where nothing is allowed).
    """
    firsts = jnp.where(may_start, firsts + pseudo_count, 0)
    steps = jnp.where(allowed, steps + pseudo_count, 0)
    return normalised(firsts), normalised(steps)
