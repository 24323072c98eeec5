import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernels import chain_reference as reference
from tests.kernels.chain_examples import NUM_VOTES, NUM_WORDS, chain_examples
from tests.kernels.examples import arrays, assert_finite, both_ways, precision
from zsl_jax import kernels

NUM_LABELS, NUM_SOURCES = 5, 6
few = settings(max_examples=8, deadline=None)
precisions = pytest.mark.parametrize("double", [False, True], ids=["float32", "float64"])


def sums_of(labels, mask=None):
    mask = np.ones(len(labels), bool) if mask is None else mask
    return kernels.pair_sums(*arrays(labels, mask), NUM_VOTES)


def copies_of(labels):
    return np.asarray(kernels.near_copies(kernels.pairwise_agreement(sums_of(labels))))


def independent(accuracies, num_words=4000, seed=0):
    """Labels of sources whose mistakes are drawn independently of each other."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(NUM_LABELS, num_words, p=[0.4, 0.2, 0.2, 0.1, 0.1])
    other = rng.integers(0, NUM_LABELS, (num_words, len(accuracies)))
    correct = rng.random(other.shape) < accuracies
    return np.where(correct, truth[:, None], other).astype(np.int32)


def noisy(labels, share, seed=1):
    """The labels, some of them replaced by those of random other words."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random(len(labels)) < share, rng.permutation(labels), labels)


@precisions
@given(example=chain_examples)
@few
def test_pairs_agree_by_cohens_kappa_over_words_on_which_both_speak(example, double):
    labels = example.labels.astype(np.int32)
    oracle = reference.pairwise_agreement(labels[example.mask], NUM_VOTES)
    with precision(double) as tolerance:
        sums = sums_of(labels, example.mask)
        of_probs = kernels.pair_sums(*arrays(example.probs, example.mask), NUM_VOTES)
        kappa = both_ways(kernels.pairwise_agreement, jax.tree.map(jnp.asarray, sums))
    np.testing.assert_allclose(kappa, oracle, **tolerance)
    for first, second in zip(of_probs, sums, strict=True):
        np.testing.assert_array_equal(first, second)


@given(example=chain_examples)
@few
def test_sums_of_two_halves_add_up(example):
    labels, half = example.labels.astype(np.int32), np.arange(NUM_WORDS) < NUM_WORDS // 2
    whole, first, second = (sums_of(labels, mask) for mask in (half | True, half, ~half))
    jax.tree.map(np.testing.assert_array_equal, jax.tree.map(jnp.add, first, second), whole)


def square(seed, least):
    """κ of pairs of sources, as they may come from any sources whatever."""
    kappa = np.random.default_rng(seed).uniform(least, 1, (NUM_SOURCES, NUM_SOURCES))
    return np.where(np.eye(NUM_SOURCES), 1, np.maximum(kappa, kappa.T))


@precisions
@given(seed=st.integers(0, 2**32 - 1), least=st.sampled_from([0.0, 0.7, 0.95]))
@few
def test_near_copies(seed, least, double):
    kappa = square(seed, least)
    with precision(double) as tolerance:
        found = both_ways(kernels.near_copies, jnp.asarray(kappa))
    # Near thresholds, rounding errors grow from round to round.
    np.testing.assert_allclose(
        found, reference.near_copies(kappa), atol=1e-9 if double else 100 * tolerance["atol"]
    )
    np.testing.assert_allclose(found, found.T, atol=1e-6)
    np.testing.assert_array_equal(np.diag(found), 1)
    order = np.random.default_rng(seed).permutation(NUM_SOURCES)
    again = kernels.near_copies(kappa[order][:, order])
    np.testing.assert_allclose(again, np.asarray(found)[order][:, order], atol=1e-3)


@pytest.mark.parametrize(
    "accuracies", [[0.9, 0.8, 0.7, 0.6, 0.3], [0.98] * 5, [0.5] * 5, [0.95, 0.95, 0.95, 0.0, 0.0]]
)
def test_independent_sources_are_distinct_however_reliable(accuracies):
    np.testing.assert_array_equal(copies_of(independent(accuracies)), np.eye(5))


@pytest.mark.parametrize("share", [0.0, 0.02])
@pytest.mark.parametrize("accuracy", [0.9, 0.6, 0.1])
def test_copies_are_found_whether_reliable_or_not(accuracy, share):
    labels = independent([accuracy, 0.8, 0.7])
    several = [noisy(labels[:, 0], share, seed) for seed in range(4)]
    found = copies_of(np.stack([*several, *labels[:, 1:].T], axis=1))
    expected = np.eye(6)
    expected[:4, :4] = 1
    np.testing.assert_allclose(found, expected, atol=0.05)


def test_copies_of_label_switched_and_constant_sources():
    labels = independent([0.8, 0.8, 0.8])
    switched, constant = (labels[:, 0] + 1) % NUM_LABELS, np.zeros(len(labels), np.int32)
    found = copies_of(np.column_stack([labels[:, 1:], switched, switched, constant, constant]))
    assert found[2, 3] == 1
    assert found[:2, 2:].max() == found[4, 5] == 0  # a constant source agrees with none by more


def test_sources_without_others_to_compare_them_with_are_distinct():
    labels = independent([0.8, 0.0])
    first, random = labels.T
    for columns in ([first], [first, first], [first] * 3, [first, first, random]):
        found = copies_of(np.column_stack(columns))
        np.testing.assert_array_equal(found, np.eye(len(columns)))


def test_sources_that_share_few_words_are_distinct():
    first, second, third, fourth = independent([0.8, 0.8, 0.8, 0.8]).T
    copy = np.where(np.arange(len(first)) < 10, first, -1)
    found = copies_of(np.column_stack([first, second, third, fourth, copy]))
    np.testing.assert_array_equal(found, np.eye(5))
    abstaining = np.full(len(first), -1)
    found = copies_of(np.column_stack([first, second, third, abstaining, abstaining]))
    np.testing.assert_array_equal(found, np.eye(5))


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_gradients_of_equal_pairs_are_finite(value):
    kappa = jnp.full((3, 3), value)
    assert_finite(jax.grad(lambda k: kernels.near_copies(k).sum())(kappa))
