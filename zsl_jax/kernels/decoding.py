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
    log_probs = at_least_float32(log_probs)
    log_probs = jnp.maximum(log_probs - jnp.max(log_probs, axis=1, keepdims=True), LOG_FLOOR)

    def cost(allowed: Array) -> Array:
        return jnp.where(allowed, 0, LOG_FORBIDDEN).astype(log_probs.dtype)

    inside, last = cost(may_follow), cost(may_end)
    boundary = last[:, None] + cost(may_start)

    def forward(score: Array, word: tuple[Array, Array]) -> tuple[Array, Array]:
        log_prob, is_start = word
        paths = score[:, None] + jnp.where(is_start, boundary, inside)
        best = jnp.max(paths, axis=0) + log_prob
        return best - jnp.max(best), jnp.argmax(paths, axis=0).astype(jnp.int32)

    def backward(label: Array, before: Array) -> tuple[Array, Array]:
        return before[label], label

    first = jnp.zeros(log_probs.shape[1], log_probs.dtype)
    score, before = lax.scan(forward, first, (log_probs, starts))
    label = jnp.argmax(score + last).astype(jnp.int32)
    return lax.scan(backward, label, before, reverse=True)[1]
