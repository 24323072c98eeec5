"""The best label sequence of every sentence under a tagging scheme's transitions (Viterbi)."""

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from zsl_jax.kernels.arguments import in_widest_float, kernel, varying_like
from zsl_jax.kernels.likelihood import LOG_FLOOR

# Far below the floor of a thousand words: what is forbidden happens only where nothing is allowed.
LOG_FORBIDDEN = -1e6
_RULED_OUT = 1e3 * LOG_FORBIDDEN  # of a label: a forbidden step is taken before it


@kernel
def viterbi(
    log_probs: Float[Array, "*texts N K"],
    starts: Bool[Array, "*texts N"],
    may_start: Bool[Array, " K"],
    may_follow: Bool[Array, "K K"],
    may_end: Bool[Array, " K"],
) -> Int[Array, "*texts N"]:
    """Returns the most probable label sequence among those that the transitions allow.

    argmax over y of Σ_n log P(y_n), for every sentence by itself; Viterbi (1967), [Error Bounds for
    Convolutional Codes and an Asymptotically Optimum Decoding
    Algorithm](https://doi.org/10.1109/TIT.1967.1054010). All sentences of a text are one chain of
    words: across a boundary, the transition only asks whether a sentence may end and start so. The
    scores are kept relative to the best one, so a long text costs no precision, and where the
    labels of highest probability are allowed they are the result, bit for bit.

    Args:
      log_probs: [..., N, K], log P or log Q, not necessarily normalised; no label counts as more
        than `LOG_FLOOR` below the word's best.
      starts: [..., N], True for the first word of a sentence; a text can be padded by sentences of
        one word. The first word of every text counts as one.
      may_start: [K], labels that a sentence may start with.
      may_follow: [K, K], indexed [before, after].
      may_end: [K], labels that a sentence may end with.

    Returns:
      [..., N] int32, label ids. A sentence for which nothing is allowed gets a sequence that breaks
      as few rules as possible.

    Examples:
      >>> log_probs = jnp.log(jnp.array([[0.6, 0.3, 0.1], [0.2, 0.3, 0.5]]))  # O, B, I
      >>> may_start = jnp.array([True, True, False])  # I follows B or I
      >>> may_follow = jnp.array([[True, True, False], [True, True, True], [True, True, True]])
      >>> may_end = jnp.array([True, True, True])
      >>> viterbi(log_probs, jnp.array([True, False]), may_start, may_follow, may_end)
      Array([0, 1], dtype=int32)
    """

    def cost(allowed: Array) -> Array:
        return jnp.where(allowed, 0, LOG_FORBIDDEN).astype(jnp.float32)

    log_probs = jnp.maximum(log_probs, jnp.finfo(log_probs.dtype).min)  # a P of 0 rules nothing out
    return best_sequences(log_probs, starts, cost(may_start), cost(may_follow), cost(may_end))


@kernel
def best_sequences(
    log_potentials: Float[Array, "*texts N K"],
    starts: Bool[Array, "*texts N"],
    log_start: Float[Array, " K"],
    log_steps: Float[Array, "K K"],
    log_end: Float[Array, " K"],
) -> Int[Array, "*texts N"]:
    """Returns the label sequence of highest score of every sentence.

    argmax over y of s(y_1) + Σ_n X_n(y_n) + Σ_n A(y_{n−1}, y_n) + e(y_N); `viterbi` with scores
    for the transitions.

    Args:
      log_potentials: [..., N, K], X, not necessarily normalised; −inf rules a label out, and no
        other label counts as more than `LOG_FLOOR` below the word's best.
      starts: [..., N], True for the first word of a sentence; a text can be padded by sentences of
        one word. The first word of every text counts as one.
      log_start: [K], s; `LOG_FORBIDDEN` for what happens only where nothing is allowed.
      log_steps: [K, K], A, indexed [before, after].
      log_end: [K], e.

    Returns:
      [..., N] int32, label ids.

    Examples:
      >>> log_potentials = jnp.log(jnp.array([[0.6, 0.4], [0.45, 0.55]]))
      >>> log_steps = jnp.log(jnp.array([[0.9, 0.1], [0.1, 0.9]]))  # labels rarely change
      >>> starts = jnp.array([True, False])
      >>> best_sequences(log_potentials, starts, jnp.zeros(2), log_steps, jnp.zeros(2))
      Array([0, 0], dtype=int32)
    """
    if log_potentials.ndim > 2:
        of_texts = jax.vmap(best_sequences, in_axes=(0, 0, None, None, None))
        return of_texts(log_potentials, starts, log_start, log_steps, log_end)
    log_potentials, start, inside, last = in_widest_float(
        log_potentials, log_start, log_steps, log_end
    )
    best = jnp.max(log_potentials, axis=1, keepdims=True)
    floored = jnp.maximum(log_potentials - best, LOG_FLOOR)
    log_potentials = jnp.where(jnp.isneginf(log_potentials), _RULED_OUT, floored)
    boundary = last[:, None] + start

    def forward(score: Array, word: tuple[Array, Array]) -> tuple[Array, Array]:
        log_potential, is_start = word
        paths = score[:, None] + jnp.where(is_start, boundary, inside)
        best = jnp.max(paths, axis=0) + log_potential
        return best - jnp.max(best), jnp.argmax(paths, axis=0).astype(jnp.int32)

    def backward(label: Array, before: Array) -> tuple[Array, Array]:
        return before[label], label

    none = jnp.zeros(log_potentials.shape[1], log_potentials.dtype)
    first = varying_like(none, log_potentials, starts, boundary, inside)
    score, before = lax.scan(forward, first, (log_potentials, starts))
    label = jnp.argmax(score + last).astype(jnp.int32)
    return lax.scan(backward, label, before, reverse=True)[1]
