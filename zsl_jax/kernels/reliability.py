"""How far sources can be trusted, told from how they agree: per source and per label.

Sources give V labels, which may stand for the target's K in two ways: `stands_for` says where the
probability of a source's label goes when sources are averaged, `compatible` which true labels it
does not contradict. Both are the identity where V = K and every source has every label.
"""

import functools
import itertools
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from zsl_jax.kernels.posterior import at_least_float32

# Added to every weight: sources count evenly where none of those that speak has any weight.
_LEAST_WEIGHT = 1e-15
# Keeps F defined where a source neither finds a label nor gives it.
_TINY = 1e-9
# A source speaks where its probabilities sum to more, but for what it is silent about.
_SPEAKS = 0.5
# How many words the mean of all sources counts as in the κ of a source that is mostly silent.
_SILENT_WORDS = 1000
# Added to κ before it is raised to a power, so that no source is without any weight.
_LEAST_KAPPA = 1e-3


class AgreementSums(NamedTuple):
    """Sums over words from which κ follows; sums over parts of a text add up.

    Attributes:
      agreed: [U], probability, by the other sources, of a label that the source's own may mean.
      words: [U], words on which the source and another one speak.
      others: [U, K], what the other sources predict on these words.
      own: [U, V], what the source predicts on them.
      silent: [U], words on which the source is silent: it has a label for them that weighs next to
        nothing.
    """

    agreed: Float[Array, " U"]
    words: Float[Array, " U"]
    others: Float[Array, "U K"]
    own: Float[Array, "U V"]
    silent: Float[Array, " U"]


def probs_of_votes(
    votes: Int[Array, "N U"] | Float[Array, "N U V"], num_source_labels: int
) -> Float[Array, "N U V"]:
    """Votes as probabilities: one-hot rows for labels, all-zero rows where a source abstains.

    Args:
      votes: [N, U], label ids, -1 where a source abstains; or [N, U, V], probabilities.
      num_source_labels: V.

    Returns:
      [N, U, V], at least float32.
    """
    if votes.ndim == 2:
        return jax.nn.one_hot(votes, num_source_labels)
    return at_least_float32(votes)


def labels_of_probs(probs: Float[Array, "N U V"]) -> Int[Array, "N U"]:
    """The most probable label of each source; ties go to the lowest id, -1 where it abstains."""
    return jnp.where(jnp.any(probs > 0, axis=-1), jnp.argmax(probs, axis=-1), -1)


def weighted_mean(
    probs: Float[Array, "*words U K"], weights: Float[Array, "U K"]
) -> Float[Array, "*words K"]:
    """Mean of the sources' probabilities, each label with weights of its own.

    r(y) = Σ_u w_u(y) P_u(y) / Σ_u w_u(y), over the sources that do not abstain.

    Args:
      probs: [..., U, K], probabilities of the target's labels; all-zero rows abstain. A row that
        sums to less than a half weighs as much as its sum: such a source is silent, and counts
        where no other speaks.
      weights: [U, K], w, not negative. Where those of all speaking sources are 0, these sources
        count evenly.

    Returns:
      [..., K]; rows do not sum to 1 unless the weights are the same for all labels. Zeros where all
      sources abstain.
    """
    terms = _weighted_terms(probs, weights)
    weighted, weight = (functools.reduce(jnp.add, each) for each in terms)
    return _ratio(weighted, weight)


def leave_one_out_means(
    probs: Float[Array, "*words U K"], weights: Float[Array, "U K"]
) -> list[Float[Array, "*words K"]]:
    """`weighted_mean` of the other sources, for every source.

    The others' sums are those before and those after a source: taking the source's own share away
    from the sum of all would leave rounding errors where the others have little weight.

    Args:
      probs: [..., U, K], probabilities of the target's labels; all-zero rows abstain.
      weights: [U, K], w.

    Returns:
      For each source, [..., K]; zeros where all others abstain.
    """
    weighted, weight = map(_sums_of_others, _weighted_terms(probs, weights))
    return list(map(_ratio, weighted, weight))


def _weighted_terms(probs: Array, weights: Array) -> tuple[list[Array], list[Array]]:
    """What each source adds to the weighted sum, and to the sum of the weights."""
    weights = weights + _LEAST_WEIGHT
    total = jnp.sum(probs, axis=-1, keepdims=True)
    voice = jnp.where(total > _SPEAKS, 1, total)
    sources = range(probs.shape[-2])
    weighted = [weights[source] * probs[..., source, :] for source in sources]
    return weighted, [weights[source] * voice[..., source, :] for source in sources]


def _ratio(weighted: Array, weight: Array) -> Array:
    """The weighted mean; 0 where nobody speaks."""
    return weighted / jnp.where(weight > 0, weight, 1)


def _sums_of_others(terms: list[Array]) -> list[Array]:
    """For each place, the sum of all terms but its own."""
    none = jnp.zeros_like(terms[0])
    before = [none, *itertools.accumulate(terms[:-1])]
    behind = [none, *itertools.accumulate(terms[:0:-1])][::-1]
    return list(map(jnp.add, before, behind))


def normalised(rows: Float[Array, "*words K"]) -> Float[Array, "*words K"]:
    """Rows that sum to 1; all-zero rows stay as they are."""
    total = jnp.sum(rows, axis=-1, keepdims=True)
    return rows / jnp.where(total > 0, total, 1)


def agreement_sums(
    probs: Float[Array, "N U V"],
    weights: Float[Array, "U K"],
    stands_for: Float[Array, "V K"],
    compatible: Bool[Array, "U V K"],
    mask: Bool[Array, " N"],
) -> AgreementSums:
    """How often each source agrees with the weighted mean of the others.

    Args:
      probs: [N, U, V], the sources' probabilities; all-zero rows abstain.
      weights: [U, K], w, of the others.
      stands_for: [V, K], how the probability of a source's label is spread over the target's.
      compatible: [U, V, K], whether a source's label may mean a true label.
      mask: [N], False for words that do not count.

    Returns:
      Sums over the words on which a source and at least one other speak.
    """
    in_target = jnp.matmul(probs, stands_for)
    labels = labels_of_probs(probs)
    speaks = mask[:, None] & (jnp.sum(in_target, axis=-1) > _SPEAKS)
    silent = mask[:, None] & (labels >= 0) & ~speaks
    sums = [
        _agreement_of_source(
            labels[:, source], speaks[:, source], silent[:, source], mean, compatible[source]
        )
        for source, mean in enumerate(leave_one_out_means(in_target, weights))
    ]
    return AgreementSums(*map(jnp.stack, zip(*sums, strict=True)))


@jax.jit
def source_agreement(
    posterior: Float[Array, "N K"],
    votes: Int[Array, "N U"] | Float[Array, "N U V"],
    compatible: Bool[Array, "U V K"],
    mask: Bool[Array, " N"],
) -> AgreementSums:
    """How often each source agrees with a posterior of the true labels.

    Args:
      posterior: [N, K], Q; all-zero rows for words that do not count.
      votes: [N, U], labels, -1 where a source abstains; or [N, U, V], probabilities.
      compatible: [U, V, K], whether a source's label may mean a true label.
      mask: [N], False for words that do not count.

    Returns:
      Sums, for `agreement_beyond_chance`, with the posterior in the place of the other sources.
    """
    labels = votes if votes.ndim == 2 else labels_of_probs(votes)
    speaks = mask[:, None] & (labels >= 0)
    by_source = jax.vmap(_agreement_of_source, (1, 1, None, None, 0))
    return by_source(labels, speaks, jnp.zeros_like(mask), posterior, compatible)


def _agreement_of_source(
    labels: Int[Array, " N"],
    speaks: Bool[Array, " N"],
    silent: Bool[Array, " N"],
    others: Float[Array, "N K"],
    compatible: Bool[Array, "V K"],
) -> AgreementSums:
    """The sums of one source; `others` need not be normalised."""
    others = normalised(others)
    counts = speaks & jnp.any(others > 0, axis=-1)
    others = jnp.where(counts[:, None], others, 0)
    agreeing = jnp.where(compatible[labels], others, 0)
    own = jnp.where(counts[:, None], labels[:, None] == jnp.arange(len(compatible)), False)
    return AgreementSums(
        agreed=jnp.sum(agreeing),
        words=jnp.sum(counts).astype(others.dtype),
        others=jnp.sum(others, axis=0),
        own=jnp.sum(own, axis=0).astype(others.dtype),
        silent=jnp.sum(silent).astype(others.dtype),
    )


@jax.jit
def agreement_beyond_chance(
    sums: AgreementSums, compatible: Bool[Array, "U V K"]
) -> Float[Array, " U"]:
    """κ: how much more often a source agrees with the others than by chance (Cohen, 1960).

    κ_u = (a − e) / (1 − e), between 0 and 1: a is the mean agreement, e the agreement that the
    frequencies of the two sides' labels give by themselves.

    A source that is silent on most words is known from few, which it has chosen itself: its κ is
    shrunk toward the mean of all, which counts as much as up to a thousand words (less in
    proportion to the words on which it speaks).

    Args:
      sums: From `agreement_sums`, over the whole text.
      compatible: [U, V, K], whether a source's label may mean a true label.

    Returns:
      [U]. A source that never speaks beside another has the mean of the known values, or 1 where
      none is known.
    """
    known = sums.words > 0
    words = jnp.where(known, sums.words, 1)
    others, own = sums.others / words[:, None], sums.own / words[:, None]
    chance = jnp.einsum("uv,uk,uvk->u", own, others, compatible.astype(own.dtype))
    agreed = sums.agreed / words
    room = 1 - chance
    kappa = jnp.clip(jnp.where(room > 0, (agreed - chance) / jnp.where(room > 0, room, 1), 0), 0, 1)
    mean = jnp.sum(jnp.where(known, kappa, 0)) / jnp.maximum(jnp.sum(known), 1)
    extra = _SILENT_WORDS * sums.silent / jnp.maximum(sums.silent + sums.words, 1)
    kappa = (sums.words * kappa + extra * mean) / jnp.where(known, sums.words + extra, 1)
    return jnp.where(known, kappa, jnp.where(jnp.any(known), mean, 1))


def class_f_scores(
    confusion: Float[Array, "U V K"], prior: Float[Array, " K"], compatible: Bool[Array, "U V K"]
) -> Float[Array, "U K"]:
    """F of each source for each true label: harmonic mean of recall and precision.

    recall = φ(y|y), precision = φ(y|y) π(y) / Σ_y' φ(y|y') π(y'); with several labels that may mean
    y, all of them count.

    Args:
      confusion: [U, V, K], φ, probabilities indexed [source, predicted, true].
      prior: [K], π, the frequencies of the true labels.
      compatible: [U, V, K], whether a source's label may mean the true label.

    Returns:
      [U, K], between 0 and 1.
    """
    given = jnp.einsum("uvk,k->uv", confusion, prior)  # how often the source gives each label
    recall = jnp.sum(jnp.where(compatible, confusion, 0), axis=-2)
    given_as = jnp.sum(jnp.where(compatible, given[..., None], 0), axis=-2)
    precision = recall * prior / jnp.where(given_as > 0, given_as, 1)
    return 2 * recall * precision / (recall + precision + _TINY)


def reliability_weights(
    f_scores: Float[Array, "U K"], kappa: Float[Array, " U"], power: Float[Array, ""] | float = 4.0
) -> Float[Array, "U K"]:
    """Weights of the sources, for each true label: those that find it, and that agree with others.

    w_u(y) ∝ F_u(y)² (κ_u + 0.001)^power, normalised over the sources.

    Args:
      f_scores: [U, K], from `class_f_scores`.
      kappa: [U], from `agreement_beyond_chance`.
      power: 4 keeps random and label-switched sources out; 2 does not.

    Returns:
      [U, K], each column sums to 1.
    """
    weights = jnp.square(f_scores) * (kappa[:, None] + _LEAST_KAPPA) ** power
    total = jnp.sum(weights, axis=0, keepdims=True)
    return jnp.where(total > 0, weights / jnp.where(total > 0, total, 1), 1 / len(weights))
