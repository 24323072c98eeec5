"""The label model that weights sources by reliability and learns from neighbouring and equal words.

Besides the confusion matrices of the paper's model, it has a reliability of each source and label,
a prior of each word type and a Markov chain over each sentence:

e_n(y) = β Σ_u k_u log Σ_v [P_nu(v) / m_u(v)^γ] σ_u(v|y) + log r_n(y) − γ log r̄(y)
X_n(y) = e_n(y) + log a_n(y) − log π̂(y) + α [log P_θ(y|x) − log π̂(y)]
Q      = marginals of the chain (p₀, A) with potentials X.

With γ = 0, β = k = 1, r left out, a = π̂ and a chain without memory (p₀ and every row of A are π̂), Q
is the posterior of `log_joint`. This module has the sums over a block of words that estimation
needs, and the potentials; the pieces are in `reliability`, `word_type_prior` and `chain`. Results
that are sums and nothing else add up over blocks, and over devices with `jax.lax.psum`.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from zsl_jax.kernels.arguments import Scalar, at_least_int32, kernel, sum_over_devices
from zsl_jax.kernels.chain import ChainMarginals, chain_marginals, chain_viterbi, neighbour_counts
from zsl_jax.kernels.posterior import clamp_log_joint
from zsl_jax.kernels.word_type_prior import RAREST, back_off, word_type_counts


class ChainState(NamedTuple):
    """What the words of a text imply for each other.

    Attributes:
      type_counts: For each level, [T, K], sums of Q over the words of each key.
      prior: [K], π̂, the mean of that Q.
      start: [K], p₀ of the chain.
      transitions: [K, K], A of the chain, indexed [before, after].
    """

    type_counts: tuple[Float[Array, "T K"], ...]
    prior: Float[Array, " K"]
    start: Float[Array, " K"]
    transitions: Float[Array, "K K"]


class TextSums(NamedTuple):
    """Sums of a posterior over a text, from which the next `ChainState` follows.

    Attributes:
      type_counts: For each level, [T, K], sums of Q over the words of each key.
      steps: [K, K], Σ Q_{t−1}(i) Q_t(j) inside sentences.
      firsts: [K], Σ Q over first words.
      mass: [K], Σ Q.
    """

    type_counts: tuple[Float[Array, "T K"], ...]
    steps: Float[Array, "K K"]
    firsts: Float[Array, " K"]
    mass: Float[Array, " K"]


@kernel
def log_potentials(
    scores: Float[Array, "*words K"],
    own: Float[Array, "*words K"],
    keys: Int[Array, "*words L"],
    state: ChainState,
    prior_power: Scalar,
    strength: Scalar = 10.0,
) -> Float[Array, "*words K"]:
    """Returns the potentials of each word.

    X_n(y) = e_n(y) + α log P_θ(y|x) + log a_n(y) − (1 + α) log π̂(y).

    Args:
      scores: [..., K], e + α log P_θ; e alone where there is no tagger.
      own: [..., K], what the word added to the type counts; zeros in a new text.
      keys: [..., L], the word's key at each level, -1 where it was never counted.
      state: Type counts and π̂, in which a label of frequency 0 counts as one of 1e-9.
      prior_power: [], 1 + α, or 1 where there is no tagger.
      strength: [], of the back-off between the levels, in words.

    Returns:
      [..., K], not normalised.

    Examples:
      >>> half = jnp.array([0.5, 0.5])
      >>> state = ChainState((jnp.array([[30.0, 0.0]]),), half, half, jnp.full((2, 2), 0.5))
      >>> scores = jnp.zeros((2, 2))  # no evidence
      >>> log_potentials(scores, jnp.zeros((2, 2)), jnp.array([[0], [-1]]), state, 1.0)
      Array([[ 0.56, -1.39],
             [ 0.  ,  0.  ]], dtype=float32)
    """
    levels = [
        table.at[jnp.where(key < 0, len(table), key)].get(mode="fill", fill_value=0)
        for table, key in zip(
            state.type_counts, jnp.moveaxis(at_least_int32(keys), -1, 0), strict=True
        )
    ]
    log_types = back_off(jnp.stack(levels, axis=-2), own, state.prior, strength)
    return scores + log_types - prior_power * jnp.log(jnp.maximum(state.prior, RAREST))


@kernel(static=("axis_name",))
def chain_posterior(
    scores: Float[Array, "R S K"],
    own: Float[Array, "R S K"],
    keys: Int[Array, "R S L"],
    starts: Bool[Array, "R S"],
    mask: Bool[Array, "R S"],
    gold: Int[Array, "R S"],
    state: ChainState,
    prior_power: Scalar,
    strength: Scalar = 10.0,
    axis_name: str | None = None,
) -> ChainMarginals:
    """Returns Q of rows of whole sentences, with the sums that go with it.

    Args:
      scores: [R, S, K], as for `log_potentials`.
      own: [R, S, K], likewise.
      keys: [R, S, L], likewise.
      starts: [R, S], True for the first word of each sentence.
      mask: [R, S], False for padding.
      gold: [R, S], gold labels where the user gives them, -1 elsewhere.
      state: Of this text, or of the text that the model was fitted to.
      prior_power: [], likewise.
      strength: [], likewise.
      axis_name: Device axis over which the sums are added up; None for one device.

    Returns:
      Marginals of every row [R, S, K], and sums over all rows.

    Examples:
      >>> half = jnp.array([0.5, 0.5])
      >>> transitions = jnp.array([[0.8, 0.2], [0.2, 0.8]])
      >>> state = ChainState((jnp.zeros((1, 2)),), half, half, transitions)
      >>> scores = jnp.log(jnp.array([[[0.9, 0.1], [0.5, 0.5]]]))  # a row of one sentence
      >>> starts, mask = jnp.array([[True, False]]), jnp.array([[True, True]])
      >>> unknown, keys = jnp.array([[-1, -1]]), jnp.array([[[-1], [-1]]])
      >>> none = jnp.zeros((1, 2, 2))
      >>> chain_posterior(scores, none, keys, starts, mask, unknown, state, 1.0).posterior
      Array([[[0.9 , 0.1 ],
              [0.74, 0.26]]], dtype=float32)
    """
    potentials = log_potentials(scores, own, keys, state, prior_power, strength)
    potentials = clamp_log_joint(potentials, gold)
    return chain_marginals(potentials, starts, mask, state.start, state.transitions, axis_name)


@kernel
def chain_best_labels(
    scores: Float[Array, "R S K"],
    own: Float[Array, "R S K"],
    keys: Int[Array, "R S L"],
    starts: Bool[Array, "R S"],
    mask: Bool[Array, "R S"],
    gold: Int[Array, "R S"],
    state: ChainState,
    prior_power: Scalar,
    strength: Scalar = 10.0,
) -> Int[Array, "R S"]:
    """Returns the most probable label sequences under the chain of `chain_posterior`.

    Args:
      scores: [R, S, K], as for `log_potentials`.
      own: [R, S, K], likewise.
      keys: [R, S, L], likewise.
      starts: [R, S], True for the first word of each sentence.
      mask: [R, S], False for padding.
      gold: [R, S], gold labels where the user gives them, -1 elsewhere.
      state: Of this text, or of the text that the model was fitted to.
      prior_power: [], likewise.
      strength: [], likewise.

    Returns:
      [R, S] int32, label ids.

    Examples:
      >>> half = jnp.array([0.5, 0.5])
      >>> transitions = jnp.array([[0.8, 0.2], [0.2, 0.8]])
      >>> state = ChainState((jnp.zeros((1, 2)),), half, half, transitions)
      >>> scores = jnp.log(jnp.array([[[0.9, 0.1], [0.4, 0.6]]]))
      >>> starts, mask = jnp.array([[True, False]]), jnp.array([[True, True]])
      >>> unknown, keys = jnp.array([[-1, -1]]), jnp.array([[[-1], [-1]]])
      >>> none = jnp.zeros((1, 2, 2))
      >>> chain_best_labels(scores, none, keys, starts, mask, unknown, state, 1.0)
      Array([[0, 0]], dtype=int32)
    """
    potentials = log_potentials(scores, own, keys, state, prior_power, strength)
    potentials = clamp_log_joint(potentials, gold)
    return chain_viterbi(potentials, starts, mask, state.start, state.transitions)


@kernel(static=("axis_name",))
def added_text_sums(
    sums: TextSums,
    posterior: Float[Array, "R S K"],
    keys: Int[Array, "R S L"],
    starts: Bool[Array, "R S"],
    mask: Bool[Array, "R S"],
    axis_name: str | None = None,
) -> TextSums:
    """Returns sums over a text with those of more rows added.

    Args:
      sums: Of the rows before.
      posterior: [R, S, K], Q; all-zero rows for words that do not count.
      keys: [R, S, L], the word's key at each level.
      starts: [R, S], True for the first word of each sentence.
      mask: [R, S], False for padding.
      axis_name: Device axis over which the rows are spread, and their sums added up; None for one
        device.

    Returns:
      The sums of all rows so far.

    Examples:
      >>> none = TextSums((jnp.zeros((2, 2)),), jnp.zeros((2, 2)), jnp.zeros(2), jnp.zeros(2))
      >>> posterior = jnp.array([[[1.0, 0.0], [0.5, 0.5]]])
      >>> starts, mask = jnp.array([[True, False]]), jnp.array([[True, True]])
      >>> sums = added_text_sums(none, posterior, jnp.array([[[1], [1]]]), starts, mask)
      >>> sums.type_counts[0], sums.mass
      (Array([[0. , 0. ],
             [1.5, 0.5]], dtype=float32), Array([1.5, 0.5], dtype=float32))
    """
    posterior = jnp.where(mask[..., None], posterior, 0)
    steps, firsts = neighbour_counts(posterior, starts, mask)
    words = posterior.reshape(-1, posterior.shape[-1])
    by_level = keys.reshape(len(words), -1).T
    added = TextSums(
        tuple(
            word_type_counts(words, key, len(table))
            for table, key in zip(sums.type_counts, by_level, strict=True)
        ),
        steps,
        firsts,
        jnp.sum(words, axis=0),
    )
    return jax.tree.map(jnp.add, sums, sum_over_devices(added, axis_name))
