"""How far each source agrees with the others, or with a posterior, beyond chance.

Two matrices relate a source's V labels to the target's K: `stands_for` spreads the probability of a
source's label over the target's when sources are averaged, `compatible` marks the true labels that
it does not contradict. Both are the identity where V = K and every source has every label.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from zsl_jax.kernels.arguments import are_labels, flat_words, kernel, labels_in_range, normalised
from zsl_jax.kernels.segments import segment_sum
from zsl_jax.kernels.weighted_mean import SPEAKS, labels_of_probs, leave_one_out_means

# How many words the mean of all sources counts as in the κ of a source that is mostly silent.
_SILENT_WORDS = 1000


class AgreementSums(NamedTuple):
    """Sums over words from which κ follows; sums over parts of a text add up.

    Attributes:
      agreed: [U], probability, under the other sources, of the labels that the source's may mean.
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


@kernel
def agreement_sums(
    probs: Float[Array, "*words U V"],
    weights: Float[Array, "U K"],
    stands_for: Float[Array, "V K"],
    compatible: Bool[Array, "U V K"],
    mask: Bool[Array, "*words"],
    copies: Float[Array, "U U"] | None = None,
) -> AgreementSums:
    """Returns how often each source agrees with the weighted mean of the others.

    Args:
      probs: [..., U, V], the sources' probabilities; all-zero rows abstain.
      weights: [U, K], w, of the others.
      stands_for: [V, K], how the probability of a source's label is spread over the target's.
      compatible: [U, V, K], whether a source's label may mean a true label.
      mask: [...], False for words that do not count.
      copies: [U, U], from `near_copies`; copies of a source do not vouch for it.

    Returns:
      Sums over the words on which a source and at least one other speak.

    Examples:
      >>> probs = jax.nn.one_hot(jnp.array([[0, 0], [1, 0], [1, -1]]), 2)
      >>> weights, identity = jnp.full((2, 2), 0.5), jnp.eye(2)
      >>> compatible = jnp.stack([identity > 0] * 2)
      >>> sums = agreement_sums(probs, weights, identity, compatible, jnp.ones(3, bool))
      >>> sums.agreed, sums.words
      (Array([1., 1.], dtype=float32), Array([2., 2.], dtype=float32))
    """
    probs, mask = flat_words(probs, 2), jnp.ravel(mask)
    in_target = jnp.matmul(probs, stands_for)
    labels = labels_of_probs(probs)
    speaks = mask[:, None] & (jnp.sum(in_target, axis=-1) > SPEAKS)
    silent = mask[:, None] & (labels >= 0) & ~speaks
    means = leave_one_out_means(in_target, weights, copies)
    by_source = jax.vmap(_agreement_of_source, (1, 1, 1, 0, 0))
    return by_source(labels, speaks, silent, means, compatible)


@kernel
def source_agreement(
    posterior: Float[Array, "*words K"],
    votes: Int[Array, "*words U"] | Float[Array, "*words U V"],
    compatible: Bool[Array, "U V K"],
    mask: Bool[Array, "*words"],
) -> AgreementSums:
    """Returns how often each source agrees with a posterior of the true labels.

    Args:
      posterior: [..., K], Q; all-zero rows for words that do not count.
      votes: [..., U], labels, -1 where a source abstains; or [..., U, V], probabilities.
      compatible: [U, V, K], whether a source's label may mean a true label.
      mask: [...], False for words that do not count.

    Returns:
      Sums, for `agreement_beyond_chance`, with the posterior in the place of the other sources.

    Examples:
      >>> posterior = jnp.array([[0.9, 0.1], [0.2, 0.8]])
      >>> compatible = jnp.eye(2, dtype=bool)[None]
      >>> labels, mask = jnp.array([[0], [0]]), jnp.array([True, True])
      >>> source_agreement(posterior, labels, compatible, mask).agreed
      Array([1.1], dtype=float32)
    """
    posterior, mask = flat_words(posterior, 1), jnp.ravel(mask)
    labels = flat_words(votes if are_labels(votes) else labels_of_probs(votes), 1)
    labels = labels_in_range(labels, compatible.shape[-2])
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
    together = segment_sum(others, jnp.where(counts, labels, -1), len(compatible))
    return AgreementSums(
        agreed=jnp.sum(jnp.where(compatible, together, 0)),
        words=jnp.sum(counts).astype(others.dtype),
        others=jnp.sum(together, axis=0),
        own=jnp.sum(together, axis=1),
        silent=jnp.sum(silent).astype(others.dtype),
    )


@kernel
def agreement_beyond_chance(
    sums: AgreementSums, compatible: Bool[Array, "U V K"]
) -> Float[Array, " U"]:
    """Returns κ: how much more often a source agrees with the others than by chance.

    κ_u = (a − e) / (1 − e), between 0 and 1: a is the mean agreement, e the agreement that is
    expected from the frequencies of the two sides' labels alone; Cohen (1960), [A Coefficient of
    Agreement for Nominal Scales](https://doi.org/10.1177/001316446002000104).

    The κ of a source that is silent on most words rests on few words, which it has chosen itself:
    it is shrunk towards the mean of all, which counts as much as up to a thousand words (less in
    proportion to the words on which it speaks).

    Args:
      sums: From `agreement_sums`, over the whole text.
      compatible: [U, V, K], whether a source's label may mean a true label.

    Returns:
      [U]. A source that never speaks beside another has the mean of the known values, or 1 where
      none is known.

    Examples:
      >>> labels = jnp.array([[0, 0, 1], [1, 1, 1], [0, 0, 0], [1, 1, 0]])
      >>> weights, identity = jnp.full((3, 2), 1 / 3), jnp.eye(2)
      >>> compatible = jnp.stack([identity > 0] * 3)
      >>> probs = jax.nn.one_hot(labels, 2)
      >>> sums = agreement_sums(probs, weights, identity, compatible, jnp.ones(4, bool))
      >>> agreement_beyond_chance(sums, compatible)  # the third source is no better than chance
      Array([0.5, 0.5, 0. ], dtype=float32)
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
