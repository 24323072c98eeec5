import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernels import chain_reference as reference
from tests.kernels.chain_examples import (
    NUM_LABELS,
    NUM_SOURCES,
    NUM_VOTES,
    NUM_WORDS,
    STANDS_FOR,
    chain_examples,
)
from tests.kernels.examples import arrays, assert_finite, precision
from zsl_jax import kernels

few = settings(max_examples=10, deadline=None)
precisions = pytest.mark.parametrize("double", [False, True], ids=["float32", "float64"])
EVERY = np.ones(NUM_WORDS, bool)


def assert_close(found, expected, **tolerance):
    for first, second in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(first, second, **tolerance)


def as_jax(tree):
    return jax.tree.map(jnp.asarray, tree)


def sums_of(probs, example, mask):
    meanings = kernels.VoteMeanings(STANDS_FOR, example.compatible)
    return kernels.reliability_sums(*as_jax((probs, mask, example.weights, meanings)))


@precisions
@given(example=chain_examples)
@few
def test_reliability_sums(example, double):
    kept, weights = example.probs[example.mask], example.weights
    rows = reference.in_target(kept, STANDS_FOR) if len(kept) else np.zeros((0, 1, NUM_LABELS))
    r = np.array([reference.weighted_mean(word, weights) for word in rows]).reshape(-1, NUM_LABELS)
    q = np.array([reference.normalised(row) for row in r]).reshape(-1, NUM_LABELS)
    given_ = example.probs, weights, STANDS_FOR, example.compatible, example.mask
    agreement = map(np.array, zip(*reference.agreement(*given_), strict=True))
    oracle = kernels.ReliabilitySums(
        kernels.LabelSums(*reference.counts_under(q, kept)),
        kernels.AgreementSums(*agreement),
        probs=kept.sum(axis=0),
        mean=r.sum(axis=0),
        spoke=kept.any(axis=2).sum(axis=0),
        voted=kept.any(axis=(1, 2)).sum(),
    )
    with precision(double) as tolerance:
        assert_close(sums_of(example.probs, example, example.mask), oracle, **tolerance)


@given(example=chain_examples)
@few
def test_masked_words_are_removed_words_and_halves_add_up(example):
    half = np.arange(NUM_WORDS) < NUM_WORDS // 2
    shifted = np.concatenate([example.probs[~half], np.full_like(example.probs[half], np.nan)])
    with precision(True) as tolerance:
        whole = sums_of(example.probs, example, EVERY)
        first = sums_of(np.where(half[:, None, None], example.probs, np.nan), example, half)
        second = sums_of(shifted, example, half)
        assert_close(jax.tree.map(jnp.add, first, second), whole, **tolerance)


@precisions
@given(example=chain_examples)
@few
def test_label_sums(example, double):
    prior = example.posterior[example.mask] + 1e-3
    one_hot = np.eye(NUM_VOTES + 1)[example.labels][..., :NUM_VOTES]
    kept = one_hot[example.mask]
    q = [
        reference.normalised(
            row * np.exp(reference.log_likelihoods(word, example.confusion, trust))
        )
        for trust in [example.trust]
        for row, word in zip(prior, kept, strict=True)
    ]
    oracle = reference.counts_under(np.reshape(q, (-1, NUM_LABELS)), kept)
    log_prior, log_confusion = np.log(example.posterior + 1e-3), np.log(example.confusion)
    with precision(double) as tolerance:
        for votes in (example.labels, example.probs):
            args = arrays(log_prior, votes, example.mask, log_confusion, example.trust)
            found = kernels.label_sums(*args)
            assert_close(found, oracle, **tolerance)


@given(example=chain_examples)
@few
def test_without_trust_label_sums_are_those_of_the_posterior(example):
    counts, mass = reference.counts_under(example.posterior, example.probs)
    log_q, log_confusion = np.log(np.maximum(example.posterior, 1e-30)), np.log(example.confusion)
    with precision(True) as tolerance:
        args = arrays(log_q, example.probs, EVERY, log_confusion, np.zeros(NUM_SOURCES))
        assert_close(kernels.label_sums(*args), (counts, mass), **tolerance)


@precisions
@given(example=chain_examples)
@few
def test_source_estimates(example, double):
    counts, mass = reference.counts_under(example.posterior, example.probs)
    given_ = example.probs, example.weights, STANDS_FOR, example.compatible, EVERY
    agreement = reference.agreement(*given_)
    values = reference.kappa(agreement, example.compatible)
    weights = reference.weights_from(counts, mass, values, example.compatible, 0.025, 0.1)
    matrices = reference.matrices_from(counts, example.compatible)
    sums = kernels.AgreementSums(*map(np.array, zip(*agreement, strict=True)))
    with precision(double) as tolerance:
        labels = kernels.LabelSums(counts, mass)
        found = kernels.source_estimates(*as_jax((labels, sums, example.compatible)))
        kappa, found_weights, log_confusion = found
    assert_close(
        (kappa, found_weights, np.exp(log_confusion)), (values, weights, matrices), **tolerance
    )


def sources_of(example):
    frequency = example.probs.mean(axis=0) + 1e-3
    mean = example.posterior.mean(axis=0)
    return reference.Sources(
        example.confusion, example.trust, frequency, example.weights, mean
    ), kernels.SourceReliability(
        np.log(example.confusion), example.trust, frequency, example.weights, mean
    )


@precisions
@given(example=chain_examples)
@few
def test_evidence_and_mean_by_reliability(example, double):
    plain, sources = sources_of(example)
    rows = reference.in_target(example.probs, STANDS_FOR)
    mean = [reference.normalised(reference.weighted_mean(word, example.weights)) for word in rows]
    one_hot = np.eye(NUM_VOTES + 1)[example.labels][..., :NUM_VOTES]
    with precision(double) as tolerance:
        args = as_jax((example.probs, sources, STANDS_FOR))
        found = kernels.log_evidence(*args)
        np.testing.assert_allclose(
            found, reference.evidence(example.probs, plain, STANDS_FOR), **tolerance
        )
        other = kernels.log_evidence(*args, 0.8, 0.3)
        oracle = reference.evidence(example.probs, plain, STANDS_FOR, 0.8, 0.3)
        np.testing.assert_allclose(other, oracle, **tolerance)
        found_mean = kernels.mean_by_reliability(args[0], args[1].weights, args[2])
        np.testing.assert_allclose(found_mean, mean, **tolerance)
        hard = kernels.log_evidence(jnp.asarray(example.labels), *args[1:])
        same = kernels.log_evidence(jnp.asarray(one_hot), *args[1:])
        np.testing.assert_allclose(hard, same, **tolerance)
    assert not np.any(found[0]) and not np.any(found_mean[0])  # all sources abstain


@given(example=chain_examples)
@few
def test_evidence_of_an_abstaining_source_is_nothing(example):
    probs = example.probs.copy()
    probs[:, 1] = 0
    _, sources = sources_of(example)
    others = jax.tree.map(lambda leaf: leaf[[0, 2]] if len(leaf) == NUM_SOURCES else leaf, sources)
    with precision(True) as tolerance:
        whole = kernels.log_evidence(*as_jax((probs, sources, STANDS_FOR)))
        without = kernels.log_evidence(*as_jax((probs[:, [0, 2]], others, STANDS_FOR)))
        np.testing.assert_allclose(whole, without, **tolerance)


@precisions
@given(example=chain_examples, label=st.integers(0, NUM_VOTES - 1))
@few
def test_a_label_that_a_source_never_gave_is_evidence_all_the_same(example, label, double):
    plain, sources = sources_of(example)
    probs, labels = example.probs.copy(), example.labels.copy()
    probs[1, 0], labels[1, 0] = np.eye(NUM_VOTES)[label], label
    plain.frequency[0, label] = 1e-9
    oracle = reference.evidence(probs, plain, STANDS_FOR)
    one_hot = np.eye(NUM_VOTES + 1)[labels][..., :NUM_VOTES]
    oracle_of_labels = reference.evidence(one_hot, plain, STANDS_FOR)
    never = sources.frequency.copy()
    never[0, label] = 0
    with precision(double) as tolerance:
        args = as_jax((sources._replace(frequency=never), STANDS_FOR))
        found = [kernels.log_evidence(jnp.asarray(votes), *args) for votes in (probs, labels)]
        total = lambda votes, *args: kernels.log_evidence(votes, *args).sum()  # noqa: E731
        assert_finite(jax.grad(total, (0, 1, 2))(jnp.asarray(probs), *args))
        assert_finite(jax.grad(total, (1, 2))(jnp.asarray(labels), *args))
    np.testing.assert_allclose(found[0], oracle, **tolerance)
    np.testing.assert_allclose(found[1], oracle_of_labels, **tolerance)


def chain_of(scores, example, prior, state, prior_power, gold=None):
    """One row of all the words; their keys were never counted."""
    keys = np.full((1, NUM_WORDS, len(state.type_counts)), -1)
    gold = np.full((1, NUM_WORDS), -1) if gold is None else gold[None]
    own, starts = np.zeros((1, NUM_WORDS, NUM_LABELS)), example.starts[None]
    args = as_jax((own, keys, starts, EVERY[None], gold, state))
    numbers = jnp.asarray(prior_power), jnp.asarray(3.0)
    return kernels.chain_posterior(scores[None], *args, *numbers)


@pytest.mark.parametrize("hard", [False, True])
@given(example=chain_examples)
@few
def test_without_its_additions_it_is_the_label_model_of_the_paper(hard, example):
    """γ = 0, β = k = 1, r the same for all labels, no word types, a chain without memory."""
    votes = example.labels if hard else example.probs
    even = np.full((NUM_VOTES, NUM_LABELS), 1 / NUM_LABELS)
    ones = np.ones(NUM_SOURCES)
    prior = (example.start + 0.1) / (1 + 0.1 * NUM_LABELS)  # far above what is added to it
    weights = np.ones((NUM_SOURCES, NUM_LABELS))
    sources = sources_of(example)[1]._replace(trust=ones, weights=weights)
    state = kernels.ChainState(
        (np.zeros((1, NUM_LABELS)),), prior, prior, np.tile(prior, (NUM_LABELS, 1))
    )
    with precision(True):
        log_prior = jnp.log(jnp.asarray(example.posterior) + 1e-3)
        e = kernels.log_evidence(*as_jax((votes, sources, even)), 1.0, 0.0)
        found = chain_of(e + log_prior, example, prior, state, 2.0).posterior[0]
        log_confusion = jnp.log(jnp.asarray(example.confusion))
        joint = kernels.log_joint(
            log_prior, jnp.asarray(votes), log_confusion, jnp.asarray(ones), 1.0
        )
        # 1e-9 is added to the prior of word types, of 0.07 or more
        np.testing.assert_allclose(found, np.exp(jax.nn.log_softmax(joint)), rtol=1e-6)


@given(example=chain_examples, rare=st.sampled_from([0.0, 1e-12, 1e-9]))
@few
def test_a_label_that_the_state_lacks_counts_as_a_rare_one(example, rare):
    """Nothing is known of its words: the potentials are the scores, whatever its frequency."""
    prior = example.start.copy()
    prior[1] = rare
    prior /= prior.sum()
    scores = np.where(np.isneginf(example.potentials), -50, example.potentials)
    state = kernels.ChainState(
        (np.zeros((1, NUM_LABELS)),), prior, example.start, example.transitions
    )
    with precision(True):
        args = as_jax((scores, 0 * scores, np.full((NUM_WORDS, 1), -1), state))
        found = kernels.log_potentials(*args, 1.0)
        more = np.log(prior + 1e-9) - 2.5 * np.log(np.maximum(prior, 1e-9))
        np.testing.assert_allclose(kernels.log_potentials(*args, 2.5), scores + more, rtol=1e-9)
        chain = chain_of(jnp.asarray(scores), example, prior, state, 1.7)

        def total(prior):
            return kernels.log_potentials(*args[:3], args[3]._replace(prior=prior), 1.7).sum()

        slopes = jax.grad(total)(args[3].prior)
    rest = np.arange(NUM_LABELS) != 1
    np.testing.assert_allclose(found[:, rest], scores[:, rest], atol=1e-5)
    np.testing.assert_allclose(found[:, 1], scores[:, 1], atol=np.log(2) + 1e-6)
    assert_finite((chain, slopes))


def text_state(example, keys):
    tables = np.zeros((2, 4, NUM_LABELS))
    for n, level in np.ndindex(*keys.shape):
        tables[level, keys[n, level]] += example.posterior[n]
    return kernels.ChainState(tuple(tables), example.start, example.start, example.transitions)


@precisions
@given(example=chain_examples)
@few
def test_posterior_of_rows_of_sentences(example, double):
    rng = np.random.default_rng(int(example.lengths @ [1, 6, 36, 216]))
    keys, gold = rng.integers(0, 4, (NUM_WORDS, 2)), np.full(NUM_WORDS, -1)
    gold[4], scores = 2, rng.normal(size=(NUM_WORDS, NUM_LABELS))
    state, q, rows = text_state(example, keys), example.posterior, []
    for n in range(NUM_WORDS):
        counts = [state.type_counts[level][keys[n, level]] for level in range(2)]
        a = reference.type_prior(counts, q[n], state.prior)
        rows.append(scores[n] + np.log(a + 1e-9) - 1.7 * np.log(state.prior))
    rows[4][np.arange(NUM_LABELS) != 2] = -np.inf
    oracle = reference.chain(np.array(rows), example.lengths, state.start, state.transitions)
    with precision(double) as tolerance:
        padding = np.zeros((2, NUM_WORDS), bool)
        padding[1] = True  # a row that is all padding
        twice = [np.stack([array] * 2) for array in (scores, q, keys, example.starts)]
        args = as_jax((*twice, ~padding, np.stack([gold] * 2), state))
        found = kernels.chain_posterior(*args, jnp.asarray(1.7), jnp.asarray(reference.BACK_OFF))
        assert_close((found.posterior[0], *found[1:]), oracle, **tolerance)


@precisions
@given(example=chain_examples)
@few
def test_sums_of_a_text_are_added_to_those_before(example, double):
    rng = np.random.default_rng(int(example.lengths @ [1, 6, 36, 216]))
    keys = rng.integers(0, 4, (NUM_WORDS, 2))
    q = np.where(example.mask[:, None], example.posterior, 0)
    state = text_state(example._replace(posterior=q), keys)
    steps, firsts = reference.steps_between(q, example.lengths)
    oracle = kernels.TextSums(state.type_counts, steps, firsts, q.sum(axis=0))
    before = jax.tree.map(lambda leaf: rng.random(leaf.shape), oracle)
    garbage = np.where(example.mask[:, None], example.posterior, np.nan)
    with precision(double) as tolerance:
        rows = [array[None] for array in (garbage, keys, example.starts, example.mask)]
        found = kernels.added_text_sums(*as_jax((before, *rows)))
        assert_close(found, jax.tree.map(np.add, before, oracle), **tolerance)


@pytest.mark.parametrize("num_labels", [2, 50])
def test_forty_confident_sources_in_conflict_are_finite(num_labels):
    labels = np.zeros((NUM_WORDS, 40), int)
    labels[:, :19], labels[1, 1:], labels[2] = 1, -1, -1
    compatible = jnp.tile(jnp.eye(num_labels, dtype=bool), (40, 1, 1))
    identity = kernels.logits_of_meaning(60.0, compatible)
    weights = jnp.full((40, num_labels), 1 / 40)
    mean = jnp.full(num_labels, 1 / num_labels)
    sources = kernels.SourceReliability(
        kernels.log_confusion_from_logits(identity),
        jnp.ones(40),
        jnp.full((40, num_labels), 1e-3),
        weights,
        mean,
    )
    votes, mask = jnp.asarray(labels), jnp.ones(NUM_WORDS, bool)
    for scale in (0.0, 1.0):
        e = kernels.log_evidence(votes, sources, jnp.eye(num_labels), 1.0, scale)
        found = kernels.chain_marginals(
            e, mask, mask, mean, jnp.full((num_labels, num_labels), 1 / num_labels)
        )
        assert_finite((e, found))
        assert found.posterior.argmax(1).tolist() == [0, 1, *[0] * (NUM_WORDS - 2)]
        np.testing.assert_allclose(found.posterior[2], 1 / num_labels, rtol=1e-4)


def test_values_are_the_same_without_jit():
    rng = np.random.default_rng(0)
    probs = jnp.asarray(rng.dirichlet(np.ones(3), (5, 2)), jnp.float32)
    eye, weights = jnp.eye(3), jnp.full((2, 3), 0.5)
    log_confusion = jnp.log(jnp.tile(0.7 * eye + 0.1, (2, 1, 1)))
    sources = kernels.SourceReliability(log_confusion, weights[:, 0], weights, weights, eye[0])
    mask = jnp.ones(5, bool)
    for kernel, args in (
        (kernels.log_evidence, (probs, sources, eye)),
        (kernels.label_sums, (jnp.log(probs[:, 0]), probs, mask, log_confusion, weights[:, 0])),
    ):
        plain = inspect.unwrap(kernel)(*args)
        assert_close(plain, kernel(*args), rtol=1e-4, atol=1e-5)
