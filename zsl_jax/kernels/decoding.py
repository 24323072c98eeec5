"""The best label sequence of every sentence under a tagging scheme's transitions (Viterbi)."""

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from zsl_jax.kernels.posterior import LOG_FLOOR, at_least_float32

# Far below the floor of a thousand words: what is forbidden happens only where nothing is allowed.
LOG_FORBIDDEN = -1e6


@jax.jit
def viterbi(
    log_probs: Float[Array, "N K"],
    starts: Bool[Array, " N"],
    may_start: Bool[Array, " K"],
    may_follow: Bool[Array, "K K"],
    may_end: Bool[Array, " K"],
) -> Int[Array, " N"]:
    """The label sequence of highest probability among those that the transitions allow.

    argmax over y of Σ_n log P(y_n), for every sentence by itself. All sentences are one chain of
    words: across a boundary, the transition asks only whether a sentence may end and start so. The
    scores are kept relative to the best one, so a long text costs no precision, and where the
    labels of highest probability are allowed they are the result, bit for bit.

    Args:
      log_probs: [N, K], log P or log Q, not necessarily normalised; no label counts as more than
        `LOG_FLOOR` below the word's best.
      starts: [N], True for the first word of a sentence; a text can be padded by sentences of one
        word.
      may_start: [K], labels that a sentence may start with.
      may_follow: [K, K], indexed [before, after].
      may_end: [K], labels that a sentence may end with.

    Returns:
      [N] int32, label ids. A sentence for which nothing is allowed gets a sequence that breaks as
      few rules as it can.
    """

    def cost(allowed: Array) -> Array:
        return jnp.where(allowed, 0, LOG_FORBIDDEN).astype(jnp.float32)

    return best_sequences(log_probs, starts, cost(may_start), cost(may_follow), cost(may_end))


@jax.jit
def best_sequences(
    log_potentials: Float[Array, "N K"],
    starts: Bool[Array, " N"],
    log_start: Float[Array, " K"],
    log_steps: Float[Array, "K K"],
    log_end: Float[Array, " K"],
) -> Int[Array, " N"]:
    """The label sequence of highest score of every sentence (Viterbi, 1967).

    argmax over y of s(y_1) + Σ_n X_n(y_n) + Σ_n A(y_{n−1}, y_n) + e(y_N).

    Args:
      log_potentials: [N, K], X, not necessarily normalised; no label counts as more than
        `LOG_FLOOR` below the word's best.
      starts: [N], True for the first word of a sentence; a text can be padded by sentences of one
        word.
      log_start: [K], s; `LOG_FORBIDDEN` for what happens only where nothing is allowed.
      log_steps: [K, K], A, indexed [before, after].
      log_end: [K], e.

    Returns:
      [N] int32, label ids.
    """
    log_potentials = at_least_float32(log_potentials)
    best = jnp.max(log_potentials, axis=1, keepdims=True)
    log_potentials = jnp.maximum(log_potentials - best, LOG_FLOOR)
    inside, last = (log.astype(log_potentials.dtype) for log in (log_steps, log_end))
    boundary = last[:, None] + log_start

    def forward(score: Array, word: tuple[Array, Array]) -> tuple[Array, Array]:
        log_potential, is_start = word
        paths = score[:, None] + jnp.where(is_start, boundary, inside)
        best = jnp.max(paths, axis=0) + log_potential
        return best - jnp.max(best), jnp.argmax(paths, axis=0).astype(jnp.int32)

    def backward(label: Array, before: Array) -> tuple[Array, Array]:
        return before[label], label

    first = jnp.zeros(log_potentials.shape[1], log_potentials.dtype)
    score, before = lax.scan(forward, first, (log_potentials, starts))
    label = jnp.argmax(score + last).astype(jnp.int32)
    return lax.scan(backward, label, before, reverse=True)[1]
