import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernels import chain_reference as reference
from tests.kernels.chain_examples import NUM_LABELS, NUM_WORDS, STANDS_FOR, chain_examples
from tests.kernels.examples import arrays, assert_finite, both_ways, precision
from zsl_jax import kernels

few = settings(max_examples=8, deadline=None)
precisions = pytest.mark.parametrize("double", [False, True], ids=["float32", "float64"])


def assert_close(found, expected, **tolerance):
    for first, second in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(first, second, **tolerance)


def test_votes_are_one_hot_probabilities_and_back():
    labels = jnp.array([[2, -1], [0, 1]])
    probs = kernels.probs_of_votes(labels, 3)
    np.testing.assert_array_equal(probs, [[[0, 0, 1], [0, 0, 0]], [[1, 0, 0], [0, 1, 0]]])
    np.testing.assert_array_equal(kernels.labels_of_probs(probs), labels)
    half = kernels.probs_of_votes(jnp.full((1, 2, 3), 0.25, jnp.float16), 3)
    assert half.dtype == jnp.float32
    assert kernels.labels_of_probs(half).tolist() == [[0, 0]]  # ties go to the lowest


@precisions
@given(example=chain_examples)
@few
def test_weighted_mean(example, double):
    rows = reference.in_target(example.probs, STANDS_FOR)
    oracle = [reference.weighted_mean(word, example.weights) for word in rows]
    with precision(double) as tolerance:
        found = both_ways(kernels.weighted_mean, *arrays(rows, example.weights))
    np.testing.assert_allclose(found, oracle, **tolerance)
    assert not np.any(found[0])  # all sources abstain


@given(example=chain_examples)
@few
def test_leave_one_out_means_are_the_weighted_means_with_that_source_removed(example):
    rows = reference.in_target(example.probs, STANDS_FOR)
    with precision(True) as tolerance:
        found = jax.jit(kernels.leave_one_out_means)(*arrays(rows, example.weights))
    for source, mean in enumerate(found):
        others = np.arange(len(found)) != source
        kept = jax.jit(kernels.weighted_mean)(*arrays(rows[:, others], example.weights[others]))
        np.testing.assert_allclose(mean, kept, rtol=1e-5, atol=1e-6)
        oracle = [reference.weighted_mean(word, example.weights, ~others) for word in rows]
        np.testing.assert_allclose(mean, oracle, **tolerance)


@precisions
@given(example=chain_examples, share=st.sampled_from([0.0, 0.4, 1.0]))
@few
def test_copies_of_a_source_do_not_vouch_for_it(example, share, double):
    copies = np.array([[1, share, 0.1], [share, 1, 0], [0.1, 0, 1]])
    given_ = example.probs, example.weights, STANDS_FOR, example.compatible, example.mask
    oracle = reference.agreement(*given_, copies)
    with precision(double) as tolerance:
        sums = both_ways(kernels.agreement_sums, *arrays(*given_, copies))
    for found, expected in zip(sums, zip(*oracle, strict=True), strict=True):
        np.testing.assert_allclose(found, np.array(expected), **tolerance)


def test_leave_one_out_means_keep_sources_of_little_weight():
    probs = jnp.array([[[0.7, 0.3], [0.2, 0.8], [0.4, 0.6]]])
    weights = jnp.array([[1.0, 1.0], [1e-12, 1e-12], [1e-12, 1e-12]])
    found = kernels.leave_one_out_means(probs, weights)
    np.testing.assert_allclose(found[0], [[0.3, 0.7]], rtol=1e-6)
    np.testing.assert_allclose(found[1], [[0.7, 0.3]], rtol=1e-6)


def test_sources_without_weight_count_evenly_and_none_is_zero():
    probs = jnp.array([[[0.7, 0.3], [0.2, 0.8], [0.0, 0.0]], [[0.0, 0.0]] * 3])
    found = kernels.weighted_mean(probs, jnp.array([[0.0, 0.0], [0.0, 0.0], [1.0, 1.0]]))
    np.testing.assert_allclose(found, [[0.45, 0.55], [0, 0]], rtol=1e-6)


def test_gradients_of_the_mean_are_finite_where_all_sources_abstain():
    probs = jnp.zeros((2, 3, 4)).at[0, 0].set(0.25)
    total = lambda p, w: jnp.sum(kernels.weighted_mean(p, w) ** 2)  # noqa: E731
    assert_finite(jax.jit(jax.grad(total, (0, 1)))(probs, jnp.zeros((3, 4))))


jitted_sums = jax.jit(kernels.agreement_sums)


@precisions
@given(example=chain_examples)
@few
def test_agreement_sums_and_kappa(example, double):
    given_ = example.probs, example.weights, STANDS_FOR, example.compatible
    oracle = reference.agreement(*given_, example.mask)
    with precision(double) as tolerance:
        args = arrays(*given_, example.mask)
        sums = both_ways(kernels.agreement_sums, *args)
        kappa = both_ways(kernels.agreement_beyond_chance, sums, args[3])
    for found, expected in zip(sums, zip(*oracle, strict=True), strict=True):
        np.testing.assert_allclose(found, np.array(expected), **tolerance)
    np.testing.assert_allclose(kappa, reference.kappa(oracle, example.compatible), **tolerance)


@given(example=chain_examples)
@few
def test_masked_words_are_removed_words_in_agreement(example):
    probs = np.where(example.mask[:, None, None], example.probs, np.nan)
    given_ = example.weights, STANDS_FOR, example.compatible
    masked = jitted_sums(*arrays(probs, *given_, example.mask))
    kept = np.flatnonzero(example.mask)
    places = np.arange(NUM_WORDS) < len(kept)  # removed, with rows of zeros behind
    removed = np.zeros_like(example.probs)
    removed[: len(kept)] = example.probs[kept]
    again = jitted_sums(*arrays(removed, *given_, places))
    assert_close(masked, again, rtol=1e-5, atol=1e-6)


@given(example=chain_examples)
@few
def test_sums_of_two_halves_add_up(example):
    given_ = example.probs, example.weights, STANDS_FOR, example.compatible
    half = np.arange(NUM_WORDS) < NUM_WORDS // 2
    whole, first, second = (
        jitted_sums(*arrays(*given_, mask)) for mask in (half | True, half, ~half)
    )
    assert_close(jax.tree.map(jnp.add, first, second), whole, rtol=1e-5, atol=1e-5)


def kappa_of(labels, num_labels=4):
    probs = kernels.probs_of_votes(jnp.asarray(labels), num_labels)
    num_sources = labels.shape[1]
    compatible = jnp.tile(jnp.eye(num_labels, dtype=bool), (num_sources, 1, 1))
    weights, mask = jnp.ones((num_sources, num_labels)), jnp.ones(len(labels), bool)
    sums = jitted_sums(probs, weights, jnp.eye(num_labels), compatible, mask)
    return kernels.agreement_beyond_chance(sums, compatible)


@precisions
@given(example=chain_examples, weight=st.sampled_from([0.01, 0.2]))
@few
def test_kappa_of_silent_sources_is_drawn_to_the_mean(example, weight, double):
    """The last label of the sources stands for silence."""
    stands_for, every = STANDS_FOR.copy(), np.ones(NUM_WORDS, bool)
    stands_for[-1] *= weight
    given_ = example.probs, example.weights, stands_for, example.compatible
    oracle = reference.agreement(*given_, every)
    with precision(double) as tolerance:
        args = arrays(*given_, every)
        sums = jitted_sums(*args)
        kappa = kernels.agreement_beyond_chance(sums, args[3])
        always = kernels.agreement_beyond_chance(sums._replace(silent=0 * sums.silent), args[3])
    np.testing.assert_allclose(sums.silent, [source[-1] for source in oracle], **tolerance)
    np.testing.assert_allclose(kappa, reference.kappa(oracle, example.compatible), **tolerance)
    known = np.asarray(sums.words) > 0
    mean = np.asarray(always)[known].mean() if known.any() else 1
    further = np.abs(np.asarray(always) - mean) + 1e-6
    assert (np.abs(np.asarray(kappa) - mean) <= further).all()


def test_kappa_is_one_for_identical_sources_and_zero_for_a_random_one():
    rng = np.random.default_rng(0)
    varied = rng.choice(4, 4000, p=[0.6, 0.2, 0.1, 0.1])
    np.testing.assert_allclose(kappa_of(np.stack([varied] * 3, 1)), 1, rtol=1e-6)
    random = rng.choice(4, 4000, p=[0.6, 0.2, 0.1, 0.1])
    found = kappa_of(np.stack([varied, varied, random], 1))
    assert found[2] < 0.05
    assert (found[:2] > 0.4).all()  # each is compared with its copy and the random one
    constant = kappa_of(np.stack([varied, varied, np.zeros(4000, int)], 1))
    np.testing.assert_allclose(constant[2], 0, atol=1e-6)


def test_kappa_of_a_source_that_never_speaks_beside_another():
    rng = np.random.default_rng(0)
    varied = rng.integers(0, 4, 100)
    silent = np.full(100, -1)
    found = kappa_of(np.stack([varied, varied, silent], 1))
    np.testing.assert_allclose(found, 1, rtol=1e-6)
    np.testing.assert_allclose(kappa_of(np.stack([varied, silent, silent], 1)), 1)
    noisy = np.where(rng.random(100) < 0.5, varied, rng.integers(0, 4, 100))
    found = kappa_of(np.stack([varied, noisy, silent], 1))
    np.testing.assert_allclose(found[2], found[:2].mean(), rtol=1e-6)
    assert found[2] < 0.9


@pytest.mark.parametrize(
    "labels", [np.zeros((5, 3), int), np.full((5, 3), -1), np.zeros((1, 1), int)]
)
def test_kappa_of_degenerate_votes_is_finite(labels):
    assert_finite(kappa_of(labels))


@precisions
@given(example=chain_examples)
@few
def test_f_scores_and_weights(example, double):
    prior, kappa = example.start, example.trust
    oracle = reference.f_scores(example.confusion, prior, example.compatible)
    with precision(double) as tolerance:
        args = arrays(example.confusion, prior, example.compatible)
        found = both_ways(kernels.class_f_scores, *args)
        weights = both_ways(kernels.reliability_weights, *arrays(oracle, kappa))
    np.testing.assert_allclose(found, oracle, **tolerance)
    np.testing.assert_allclose(weights, reference.reliability(oracle, kappa), **tolerance)
    np.testing.assert_allclose(np.asarray(weights).sum(0), 1, rtol=1e-5)


def test_copies_share_the_weight_of_one_source():
    f_scores, kappa = jnp.array([[0.9], [0.9], [0.6]]), jnp.array([0.8, 0.8, 0.7])
    copies = jnp.array([[1.0, 1, 0], [1, 1, 0], [0, 0, 1]])
    found = kernels.reliability_weights(f_scores, kappa, 4.0, copies)
    alone = kernels.reliability_weights(f_scores[1:], kappa[1:])
    np.testing.assert_allclose(found, [alone[0] / 2, alone[0] / 2, alone[1]], rtol=1e-6)


def test_f_scores_of_a_perfect_source_a_missing_label_and_an_unused_one():
    compatible = jnp.tile(jnp.eye(3, dtype=bool), (2, 1, 1)).at[1, 2].set(False)
    confusion = jnp.stack([jnp.eye(3), jnp.array([[1.0, 0, 0.5], [0, 1, 0.5], [0, 0, 0]])])
    found = kernels.class_f_scores(confusion, jnp.array([0.5, 0.5, 0.0]), compatible)
    np.testing.assert_allclose(found, [[1, 1, 0], [1, 1, 0]], rtol=1e-6)


def test_gradients_of_f_scores_are_finite_where_a_source_lacks_labels():
    compatible = jnp.zeros((1, 3, 3), bool).at[0, 0, 0].set(True)
    total = lambda *args: kernels.class_f_scores(*args, compatible).sum()  # noqa: E731
    gradients = jax.jit(jax.grad(total, (0, 1)))(jnp.zeros((1, 3, 3)), jnp.array([0.0, 1.0, 0.0]))
    assert_finite(gradients)


def test_weights_of_sources_without_any_reliability_are_even():
    found = kernels.reliability_weights(jnp.zeros((3, NUM_LABELS)), jnp.zeros(3))
    np.testing.assert_allclose(found, 1 / 3)
    found = kernels.reliability_weights(jnp.ones((2, 1)), jnp.array([1.0, 0.0]))
    assert found[1, 0] < 1e-11  # the fourth power keeps a random source out
