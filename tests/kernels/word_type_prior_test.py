import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernels import chain_reference as reference
from tests.kernels.examples import arrays, assert_finite, both_ways, precision
from zsl_jax import kernels

NUM_WORDS, NUM_LEVELS, NUM_KEYS, NUM_LABELS = 9, 3, 5, 4
few = settings(max_examples=8, deadline=None)
precisions = pytest.mark.parametrize("double", [False, True], ids=["float32", "float64"])
seeds = st.integers(0, 2**32 - 1)


def problem(seed):
    rng = np.random.default_rng(seed)
    posterior = rng.dirichlet(np.full(NUM_LABELS, 0.3), NUM_WORDS)
    posterior[2] = 0  # a word that does not count
    keys = rng.integers(-1, NUM_KEYS, (NUM_WORDS, NUM_LEVELS))
    return posterior, keys, rng.dirichlet(np.ones(NUM_LABELS))


def counts_by_hand(posterior, keys):
    tables = np.zeros((NUM_LEVELS, NUM_KEYS, NUM_LABELS))
    for n, level in np.ndindex(*keys.shape):
        if keys[n, level] >= 0:
            tables[level, keys[n, level]] += posterior[n]
    return tables


def tables_of(posterior, keys):
    return jnp.stack([kernels.word_type_counts(posterior, key, NUM_KEYS) for key in keys.T])


@precisions
@given(seed=seeds)
@few
def test_counts_of_word_types(seed, double):
    posterior, keys, _ = problem(seed)
    with precision(double) as tolerance:
        found = both_ways(tables_of, *arrays(posterior, keys))
    np.testing.assert_allclose(found, counts_by_hand(posterior, keys), **tolerance)


@precisions
@given(seed=seeds, strength=st.sampled_from([0.5, 3.0, 50.0]))
@few
def test_back_off_leaves_the_word_itself_out(seed, strength, double):
    posterior, keys, prior = problem(seed)
    tables = counts_by_hand(posterior, keys)
    counts = np.stack([tables[level][keys[:, level]] for level in range(NUM_LEVELS)], 1)
    counts[keys < 0] = 0
    oracle = [
        np.log(reference.type_prior(levels, own, prior, strength) + 1e-9)
        for levels, own in zip(counts, posterior, strict=True)
    ]
    with precision(double) as tolerance:
        found = both_ways(kernels.back_off, *arrays(counts, posterior, prior, strength))
    np.testing.assert_allclose(found, oracle, **tolerance)
    np.testing.assert_allclose(np.exp(found).sum(-1), 1, rtol=1e-5)


@given(seed=seeds)
@few
def test_a_word_that_occurs_once_has_the_prior_of_the_coarser_level(seed):
    posterior, keys, prior = problem(seed)
    tables = counts_by_hand(posterior, keys)
    coarse = np.stack([tables[level][keys[:, level]] for level in range(NUM_LEVELS - 1)], 1)
    once = np.concatenate([coarse, posterior[:, None]], 1)  # at the finest level, only itself
    unknown = np.concatenate([coarse, 0 * posterior[:, None]], 1)
    with precision(True):
        two = kernels.back_off(*arrays(coarse, posterior, prior))
        for counts in (once, unknown):
            three = kernels.back_off(*arrays(counts, posterior, prior))
            np.testing.assert_allclose(three, two, rtol=1e-12)


@given(seed=seeds)
@few
def test_words_without_any_known_key_have_the_prior(seed):
    posterior, _, prior = problem(seed)
    state = kernels.ChainState(
        tuple(jnp.ones((NUM_KEYS, NUM_LABELS)) for _ in range(NUM_LEVELS)),
        *arrays(np.float32(prior), np.float32(prior), np.eye(NUM_LABELS, dtype=np.float32)),
    )
    keys = jnp.full((NUM_WORDS, NUM_LEVELS), -1)
    scores = jnp.asarray(np.log(posterior + 0.1), jnp.float32)
    found = kernels.log_potentials(scores, jnp.zeros_like(scores), keys, state, 1.0)
    np.testing.assert_allclose(found, scores, rtol=1e-4, atol=1e-5)


def test_more_occurrences_outweigh_the_coarser_level():
    prior = jnp.array([0.5, 0.5])
    counts = jnp.array([[[0.0, 0.0]], [[3.0, 0.0]], [[3000.0, 0.0]]])
    found = np.exp(kernels.back_off(counts, jnp.zeros((3, 2)), prior, 3.0))
    np.testing.assert_allclose(found[:, 0], [0.5, 0.75, 0.9995], rtol=1e-5)


def test_labels_without_any_probability_are_finite_with_their_gradients():
    prior = jnp.array([1.0, 0.0])
    counts, own = jnp.zeros((2, 3, 2)).at[0, 0, 0].set(5.0), jnp.array([[1.0, 0.0]] * 2)
    value, gradients = jax.jit(
        jax.value_and_grad(lambda *args: kernels.back_off(*args).sum(), (0, 1, 2))
    )(counts, own, prior)
    assert_finite((value, gradients))
