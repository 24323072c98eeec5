"""The label model that weighs sources by reliability and lets words speak for each other.

Beside the confusion matrices of the paper's model it has a reliability of each source and label, a
prior of each word type and a Markov chain over each sentence:

e_n(y) = β Σ_u k_u log Σ_v [P_nu(v) / m_u(v)^γ] σ_u(v|y) + log r_n(y) − γ log r̄(y)
X_n(y) = e_n(y) + log a_n(y) − log π̂(y) + α [log P_θ(y|x) − log π̂(y)]
Q      = marginals of the chain (p₀, A) with potentials X.

With γ = 0, β = k = 1, r left out, a = π̂ and a chain without memory (p₀ and every row of A are π̂), Q
is the posterior of `log_joint`. Here are the sums over a block of words that its estimation takes,
and the potentials; `reliability`, `word_types` and `chain` have the pieces.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from zsl_jax.kernels.chain import (
    ChainMarginals,
    chain_marginals,
    chain_viterbi,
    neighbour_counts,
)
from zsl_jax.kernels.confusion import confusion_with_identity, expected_counts_from_labels
from zsl_jax.kernels.posterior import clamp_log_joint, log_joint_of_votes
from zsl_jax.kernels.reliability import (
    AgreementSums,
    agreement_beyond_chance,
    agreement_sums,
    class_f_scores,
    labels_of_probs,
    normalised,
    probs_of_votes,
    reliability_weights,
    weighted_mean,
)
from zsl_jax.kernels.word_types import back_off, word_type_counts

# Added to r and its mean, so that no label is ruled out by it.
_LEAST_MEAN = 1e-4


class VoteMeanings(NamedTuple):
    """How the sources' V labels go with the target's K.

    Attributes:
      stands_for: [V, K], how the probability of a source's label is spread over the target's.
      compatible: [U, V, K], whether a source's label may mean a true label.
    """

    stands_for: Float[Array, "V K"]
    compatible: Bool[Array, "U V K"]


class SourceReliability(NamedTuple):
    """What is known of the sources, enough for the evidence of any word.

    Attributes:
      log_confusion: [U, V, K], log σ, indexed [source, predicted, true].
      trust: [U], k, between 0 and 1.
      frequency: [U, V], m, how often a source gives each label, on average of its probabilities.
      weights: [U, K], w, of each source for each true label.
      mean: [K], r̄, the mean over the text of the weighted mean r of the sources.
    """

    log_confusion: Float[Array, "U V K"]
    trust: Float[Array, " U"]
    frequency: Float[Array, "U V"]
    weights: Float[Array, "U K"]
    mean: Float[Array, " K"]


class LabelSums(NamedTuple):
    """Sums over words under a distribution q of the true label of each.

    Attributes:
      counts: [U, V, K], Σ q(y) [source u gives v].
      mass: [K], Σ q(y).
    """

    counts: Float[Array, "U V K"]
    mass: Float[Array, " K"]


class ReliabilitySums(NamedTuple):
    """Sums over words under the weighted mean q ∝ r of the sources.

    Attributes:
      labels: Σ q.
      agreement: For κ of each source.
      probs: [U, V], Σ P_u(v).
      mean: [K], Σ r(y).
      spoke: [U], words on which each source gives a label.
      voted: [], words on which any source does.
    """

    labels: LabelSums
    agreement: AgreementSums
    probs: Float[Array, "U V"]
    mean: Float[Array, " K"]
    spoke: Float[Array, " U"]
    voted: Float[Array, ""]


@jax.jit
def reliability_sums(
    votes: Int[Array, "N U"] | Float[Array, "N U V"],
    mask: Bool[Array, " N"],
    weights: Float[Array, "U K"],
    meanings: VoteMeanings,
) -> ReliabilitySums:
    """What a block of words adds to the estimates of the sources' reliability.

    Args:
      votes: [N, U], labels, -1 where a source abstains; or [N, U, V], probabilities, an all-zero
        row where one abstains.
      mask: [N], False for words that do not count.
      weights: [U, K], w; 1/U for the plain mean.
      meanings: How the sources' labels go with the target's.

    Returns:
      Sums; words on which all sources abstain add to none.
    """
    probs = probs_of_votes(votes, meanings.compatible.shape[1])
    probs = jnp.where(mask[:, None, None], probs, 0)
    labels = labels_of_probs(probs)
    mean = weighted_mean(jnp.matmul(probs, meanings.stands_for), weights)
    posterior = normalised(mean)
    counts = expected_counts_from_labels(posterior, labels, mask, probs.shape[-1])
    return ReliabilitySums(
        labels=LabelSums(counts, jnp.sum(posterior, axis=0)),
        agreement=agreement_sums(probs, weights, *meanings, mask),
        probs=jnp.sum(probs, axis=0),
        mean=jnp.sum(mean, axis=0),
        spoke=jnp.sum(labels >= 0, axis=0).astype(mean.dtype),
        voted=jnp.sum(jnp.any(mean > 0, axis=-1)).astype(mean.dtype),
    )


@jax.jit
def label_sums(
    log_prior: Float[Array, "N K"],
    votes: Int[Array, "N U"] | Float[Array, "N U V"],
    mask: Bool[Array, " N"],
    log_confusion: Float[Array, "U V K"],
    trust: Float[Array, " U"],
) -> LabelSums:
    """Counts under q_n(y) ∝ π_n(y) Π_u σ_u(h_nu|y)^k_u, h_nu the label that source u gives.

    With trust 0, they are counts under the prior itself, which may be any posterior.

    Args:
      log_prior: [N, K], log π of each word.
      votes: [N, U], labels; or [N, U, V], probabilities, of which the largest is the label.
      mask: [N], False for words that do not count.
      log_confusion: [U, V, K], log σ.
      trust: [U], k.

    Returns:
      Sums; words on which all sources abstain add to none.
    """
    labels = votes if votes.ndim == 2 else labels_of_probs(votes)
    joint = log_joint_of_votes(log_prior, labels, log_confusion, trust, 1.0)
    mask = mask & jnp.any(labels >= 0, axis=-1)
    posterior = jnp.where(mask[:, None], jax.nn.softmax(joint, axis=-1), 0)
    counts = expected_counts_from_labels(posterior, labels, mask, log_confusion.shape[1])
    return LabelSums(counts, jnp.sum(posterior, axis=0))


class SourceEstimates(NamedTuple):
    """What follows from sums over a text.

    Attributes:
      kappa: [U], from `agreement_beyond_chance`.
      weights: [U, K], from `reliability_weights`.
      log_confusion: [U, V, K], from `confusion_with_identity`.
    """

    kappa: Float[Array, " U"]
    weights: Float[Array, "U K"]
    log_confusion: Float[Array, "U V K"]


@jax.jit
def source_estimates(
    sums: LabelSums,
    agreement: AgreementSums,
    compatible: Bool[Array, "U V K"],
    pseudo_counts: tuple[Float[Array, ""] | float, Float[Array, ""] | float] = (0.1, 0.1),
    power: Float[Array, ""] | float = 4.0,
    identity_share: Float[Array, ""] | float = 0.1,
) -> SourceEstimates:
    """Reliability and confusion matrices of the sources from sums over a text.

    Args:
      sums: Under the weighted mean of the sources, or a posterior.
      agreement: From `agreement_sums`.
      compatible: [U, V, K], whether a source's label may mean a true label.
      pseudo_counts: Added to the counts of confusions, over K, and to those of true labels.
      power: [], of κ in the weights.
      identity_share: [], of the identity in the confusion matrices; F is taken without it.
    """
    confusion_count, prior_count = pseudo_counts
    plain = confusion_with_identity(sums.counts, compatible, 0.0, confusion_count)
    prior = normalised(sums.mass + prior_count)
    kappa = agreement_beyond_chance(agreement, compatible)
    f_scores = class_f_scores(jnp.exp(plain), prior, compatible)
    log_confusion = confusion_with_identity(
        sums.counts, compatible, identity_share, confusion_count
    )
    return SourceEstimates(kappa, reliability_weights(f_scores, kappa, power), log_confusion)


@jax.jit
def log_evidence(
    votes: Int[Array, "N U"] | Float[Array, "N U V"],
    sources: SourceReliability,
    stands_for: Float[Array, "V K"],
    source_weight: Float[Array, ""] | float = 0.35,
    scale: Float[Array, ""] | float = 0.25,
) -> Float[Array, "N K"]:
    """Evidence of the sources for each true label of each word.

    e_n(y) = β Σ_u k_u log Σ_v [P_nu(v) / m_u(v)^γ] σ_u(v|y) + log r_n(y) − γ log r̄(y).

    A source's probabilities are a posterior, which holds the frequencies of its labels already;
    dividing by them, to the power γ, makes them a likelihood. For one-hot rows this is a factor
    that no label depends on.

    Args:
      votes: [N, U], labels, -1 where a source abstains; or [N, U, V], probabilities, an all-zero
        row where one abstains.
      sources: What is known of the sources.
      stands_for: [V, K], as in `VoteMeanings`.
      source_weight: [], β.
      scale: [], γ.

    Returns:
      [N, K]; zeros where all sources abstain.
    """
    log_scaled = sources.log_confusion - scale * jnp.log(sources.frequency)[..., None]
    probs = probs_of_votes(votes, sources.log_confusion.shape[1])
    mean = weighted_mean(jnp.matmul(probs, stands_for), sources.weights)
    log_mean = jnp.log(mean + _LEAST_MEAN) - scale * jnp.log(sources.mean + _LEAST_MEAN)
    joint = log_joint_of_votes(log_mean, votes, log_scaled, source_weight * sources.trust, 1.0)
    return jnp.where(jnp.any(mean > 0, axis=-1, keepdims=True), joint, 0)


@jax.jit
def mean_by_reliability(
    votes: Int[Array, "N U"] | Float[Array, "N U V"],
    weights: Float[Array, "U K"],
    stands_for: Float[Array, "V K"],
) -> Float[Array, "N K"]:
    """The reliability-weighted mean of the sources as a distribution: q(y) ∝ r(y).

    Args:
      votes: [N, U], labels; or [N, U, V], probabilities, as for `log_evidence`.
      weights: [U, K], w.
      stands_for: [V, K], as in `VoteMeanings`.

    Returns:
      [N, K], rows sum to 1; zeros where all sources abstain.
    """
    probs = probs_of_votes(votes, len(stands_for))
    return normalised(weighted_mean(jnp.matmul(probs, stands_for), weights))


class ChainState(NamedTuple):
    """What the words of a text say about each other.

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


def log_potentials(
    scores: Float[Array, "N K"],
    own: Float[Array, "N K"],
    keys: Int[Array, "N L"],
    state: ChainState,
    prior_power: Float[Array, ""] | float,
    strength: Float[Array, ""] | float = 10.0,
) -> Float[Array, "N K"]:
    """X of each word: X_n(y) = e_n(y) + α log P_θ(y|x) + log a_n(y) − (1 + α) log π̂(y).

    Args:
      scores: [N, K], e + α log P_θ; e alone where there is no tagger.
      own: [N, K], what the word added to the type counts; zeros in a new text.
      keys: [N, L], the word's key at each level, -1 where it was never counted.
      state: Type counts and π̂.
      prior_power: [], 1 + α, or 1 where there is no tagger.
      strength: [], of the back-off between the levels, in words.

    Returns:
      [N, K], not normalised.
    """
    levels = [
        table.at[jnp.where(key < 0, len(table), key)].get(mode="fill", fill_value=0)
        for table, key in zip(state.type_counts, keys.T, strict=True)
    ]
    log_types = back_off(jnp.stack(levels, axis=-2), own, state.prior, strength)
    return scores + log_types - prior_power * jnp.log(state.prior)


@jax.jit
def chain_posterior(
    scores: Float[Array, "R S K"],
    own: Float[Array, "R S K"],
    keys: Int[Array, "R S L"],
    starts: Bool[Array, "R S"],
    mask: Bool[Array, "R S"],
    known: Int[Array, "R S"],
    state: ChainState,
    prior_power: Float[Array, ""],
    strength: Float[Array, ""],
) -> ChainMarginals:
    """Q of rows of whole sentences, with the sums that go with it.

    Args:
      scores: [R, S, K], as for `log_potentials`.
      own: [R, S, K], likewise.
      keys: [R, S, L], likewise.
      starts: [R, S], True for the first word of each sentence.
      mask: [R, S], False for padding.
      known: [R, S], the label of words for which the user gives one, -1 elsewhere.
      state: Of this text, or of the text that was learned from.
      prior_power: [], likewise.
      strength: [], likewise.

    Returns:
      Marginals of every row [R, S, K], and sums over all rows.
    """

    def row(scores, own, keys, starts, mask, known):
        potentials = log_potentials(scores, own, keys, state, prior_power, strength)
        potentials = clamp_log_joint(potentials, known)
        return chain_marginals(potentials, starts, mask, state.start, state.transitions)

    found = jax.vmap(row)(scores, own, keys, starts, mask, known)
    sums = (jnp.sum(total, axis=0) for total in found[1:])
    return ChainMarginals(found.posterior, *sums)


@jax.jit
def chain_best_labels(
    scores: Float[Array, "R S K"],
    keys: Int[Array, "R S L"],
    starts: Bool[Array, "R S"],
    mask: Bool[Array, "R S"],
    state: ChainState,
    prior_power: Float[Array, ""],
    strength: Float[Array, ""],
) -> Int[Array, "R S"]:
    """The most probable labels of rows of whole sentences of a new text, sentence by sentence.

    Args:
      scores: [R, S, K], as for `log_potentials`.
      keys: [R, S, L], likewise.
      starts: [R, S], True for the first word of each sentence.
      mask: [R, S], False for padding.
      state: Of the text that was learned from.
      prior_power: [], likewise.
      strength: [], likewise.
    """

    def row(scores, keys, starts, mask):
        none = jnp.zeros_like(scores)
        potentials = log_potentials(scores, none, keys, state, prior_power, strength)
        return chain_viterbi(potentials, starts, mask, state.start, state.transitions)

    return jax.vmap(row)(scores, keys, starts, mask)


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


@jax.jit
def added_text_sums(
    sums: TextSums,
    posterior: Float[Array, "R S K"],
    keys: Int[Array, "R S L"],
    starts: Bool[Array, "R S"],
    mask: Bool[Array, "R S"],
) -> TextSums:
    """Sums with those of more rows added.

    Args:
      sums: Of the rows before.
      posterior: [R, S, K], Q; all-zero rows for words that do not count.
      keys: [R, S, L], the word's key at each level.
      starts: [R, S], True for the first word of each sentence.
      mask: [R, S], False for padding.
    """
    posterior = jnp.where(mask[..., None], posterior, 0)
    steps, firsts = jax.vmap(neighbour_counts)(posterior, starts, mask)
    words = posterior.reshape(-1, posterior.shape[-1])
    by_level = keys.reshape(len(words), -1).T
    return TextSums(
        tuple(
            table + word_type_counts(words, key, len(table))
            for table, key in zip(sums.type_counts, by_level, strict=True)
        ),
        sums.steps + jnp.sum(steps, axis=0),
        sums.firsts + jnp.sum(firsts, axis=0),
        sums.mass + jnp.sum(words, axis=0),
    )
