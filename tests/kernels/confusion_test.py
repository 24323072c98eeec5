import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernels import chain_reference, reference
from tests.kernels.examples import NUM_LABELS, arrays, assert_finite, both_ways, examples, precision
from zsl_jax import kernels

few = settings(max_examples=20, deadline=None)
precisions = pytest.mark.parametrize("double", [False, True], ids=["float32", "float64"])


def test_diagonal_of_the_paper():
    assert kernels.diagonal_from_temperature(2.0, 11) == pytest.approx(0.425, abs=1e-3)
    assert kernels.diagonal_from_temperature(2.0, 37) == pytest.approx(0.170, abs=1e-3)
    assert kernels.diagonal_from_temperature(math.inf, 5) == 1
    assert kernels.diagonal_from_temperature(0.0, 5) == pytest.approx(0.2)
    assert kernels.diagonal_from_temperature(-1e4, 5) == 0


@given(st.floats(1e-3, 20), st.integers(2, 60))
@few
def test_temperature_and_diagonal_are_inverse(temperature, num_labels):
    diagonal = kernels.diagonal_from_temperature(temperature, num_labels)
    inverse = kernels.temperature_from_diagonal(diagonal, num_labels)
    assert inverse == pytest.approx(temperature, rel=1e-6)


@given(st.floats(-5, 20))
@few
def test_diagonal_is_that_of_the_logits(temperature):
    logits = np.asarray(kernels.identity_logits(temperature, 1, 7), np.float64)
    matrix = np.exp(reference.log_confusion_from_logits(logits))
    diagonal = kernels.diagonal_from_temperature(temperature, 7)
    np.testing.assert_allclose(np.diagonal(matrix[0]), diagonal, rtol=1e-5)


@pytest.mark.parametrize("diagonal", [0.0, 0.25, 1.0, 1.5, math.nan])
def test_impossible_diagonal(diagonal):
    with pytest.raises(ValueError, match="between chance"):
        kernels.temperature_from_diagonal(diagonal, 4)


def test_identity_logits():
    logits = kernels.identity_logits(3.0, 2, 4)
    np.testing.assert_array_equal(logits, np.tile(3 * np.eye(4), (2, 1, 1)))
    assert not logits.weak_type  # or the first update of the parameters would compile again
    infinite = kernels.log_confusion_from_logits(kernels.identity_logits(math.inf, 2, 4))
    np.testing.assert_array_equal(jnp.exp(infinite), np.tile(np.eye(4), (2, 1, 1)))


@precisions
@given(example=examples)
@few
def test_columns_sum_to_one(example, double):
    with precision(double) as tolerance:
        (logits,) = arrays(example.trainable_logits)
        log_confusion = both_ways(kernels.log_confusion_from_logits, logits)
        oracle = reference.log_confusion_from_logits(example.trainable_logits)
        np.testing.assert_allclose(log_confusion, oracle, **tolerance)
        np.testing.assert_allclose(jnp.exp(log_confusion).sum(-2), 1, rtol=1e-5)
    assert np.abs(np.exp(oracle).sum(-1) - 1).max() > 1e-3  # rows do not: the axes differ


@precisions
@given(example=examples, mix=st.floats(0, 1))
@few
def test_mix(example, mix, double):
    log_fixed = reference.log_confusion_from_logits(example.fixed_logits)
    log_trainable = reference.log_confusion_from_logits(example.trainable_logits)
    oracle = reference.mix_log_confusion(log_fixed, log_trainable, mix)
    with precision(double) as tolerance:
        mixed = both_ways(kernels.mix_log_confusion, *arrays(log_fixed, log_trainable, mix))
        np.testing.assert_allclose(mixed, oracle, **tolerance)
        np.testing.assert_allclose(jnp.exp(mixed).sum(-2), 1, rtol=1e-5)


@jax.jit
def mixed_with_gradients(fixed, trainable, mix):
    """Mixture of two identities, the second one upside down, its ends, and its gradients."""
    log_fixed = kernels.log_confusion_from_logits(kernels.identity_logits(fixed, 1, 3))
    logits = kernels.identity_logits(trainable, 1, 3)[:, ::-1]

    def total(log_fixed, logits, mix):
        log_trainable = kernels.log_confusion_from_logits(logits)
        mixed = kernels.mix_log_confusion(log_fixed, log_trainable, mix)
        return jnp.sum(jnp.maximum(mixed, -50)), (log_fixed, log_trainable, mixed)

    return jax.grad(total, (0, 1, 2), has_aux=True)(log_fixed, logits, mix)


@pytest.mark.parametrize("mix", [0.0, 1e-30, 0.5, 1.0])
@pytest.mark.parametrize("fixed", [10.0, 300.0, math.inf])
@pytest.mark.parametrize("trainable", [2.0, 300.0, math.inf])
def test_mix_is_finite_at_the_edges(mix, fixed, trainable):
    gradients, (log_fixed, log_trainable, mixed) = mixed_with_gradients(fixed, trainable, mix)
    assert_finite(gradients)
    assert not np.isnan(mixed).any()
    if mix in (0, 1):
        np.testing.assert_array_equal(mixed, log_fixed if mix else log_trainable)


@precisions
@given(example=examples)
@few
def test_expected_counts(example, double):
    q, labels, mask = example.posterior, example.labels, example.mask
    one_hot = np.eye(NUM_LABELS + 1)[labels][..., :NUM_LABELS]
    with precision(double) as tolerance:
        hard = both_ways(kernels.expected_counts, *arrays(q, labels, mask))
    np.testing.assert_allclose(hard, reference.expected_counts(q, one_hot, mask), **tolerance)
    np.testing.assert_allclose(
        np.asarray(hard).sum((1, 2)), (labels[mask] >= 0).sum(0), **tolerance
    )


@pytest.mark.parametrize("sizes", [(7, 9, 9), (5, 17, 4), (3, 70, 5), (9, 3, 3), (2, 1, 2)])
def test_expected_counts_of_many_sources_and_labels(sizes):
    """However many sources share one sum, and with too many labels for any to share it."""
    num_sources, num_source_labels, num_labels = sizes
    rng = np.random.default_rng(0)
    q = rng.dirichlet(np.ones(num_labels), 20_000)
    labels = rng.integers(-1, num_source_labels, (20_000, num_sources))
    mask = rng.random(20_000) < 0.9
    one_hot = np.eye(num_source_labels + 1)[labels][..., :num_source_labels]
    oracle = np.einsum("nuv,ny->uvy", one_hot[mask], q[mask])  # loops take minutes
    count = jax.jit(kernels.expected_counts, static_argnums=3)
    single = count(jnp.float32(q), jnp.asarray(labels), jnp.asarray(mask), num_source_labels)
    np.testing.assert_allclose(single, oracle, rtol=2e-5)
    with precision(True):
        double = count(*arrays(q, labels, mask), num_source_labels)
    np.testing.assert_allclose(double, oracle, rtol=1e-12)


@precisions
@given(example=examples)
@few
def test_likelihood_weighted_counts(example, double):
    log_confusion = reference.log_confusion_from_logits(example.trainable_logits)
    q, probs, mask = example.posterior, example.probs, example.mask
    oracle = reference.likelihood_weighted_counts(q, probs, np.exp(log_confusion), mask)
    one_hot = np.eye(NUM_LABELS + 1)[example.labels][..., :NUM_LABELS]
    with precision(double) as tolerance:
        args = arrays(q, probs, log_confusion, mask)
        counts = both_ways(kernels.likelihood_weighted_counts, *args)
        hard = kernels.likelihood_weighted_counts(*arrays(q, one_hot, log_confusion, mask))
    np.testing.assert_allclose(counts, oracle, **tolerance)
    np.testing.assert_allclose(hard, reference.expected_counts(q, one_hot, mask), **tolerance)


@jax.jit
def counts_of_every_kind(q, probs, labels, log_confusion, mask):
    return (
        kernels.expected_counts(q, labels, mask),
        kernels.likelihood_weighted_counts(q, probs, log_confusion, mask),
    )


@given(example=examples)
@few
def test_masked_words_are_removed_words_in_counts(example):
    log_confusion = reference.log_confusion_from_logits(example.trainable_logits)
    q, probs, labels = example.posterior.copy(), example.probs.copy(), example.labels
    args = arrays(q[:3], probs[:3], labels[:3], log_confusion, np.ones(3, bool))
    removed = counts_of_every_kind(*args)
    q[3:], probs[3:] = np.nan, np.nan
    masked = counts_of_every_kind(*arrays(q, probs, labels, log_confusion, np.arange(6) < 3))
    for first, second in zip(masked, removed, strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-5, atol=1e-6)


def test_half_precision_probs_are_counted_in_float32():
    probs = jnp.full((4000, 1, 2), 0.5, jnp.float16)
    q, log_confusion = jnp.full((4000, 2), 0.5), jnp.log(jnp.full((1, 2, 2), 0.5))
    counts = kernels.likelihood_weighted_counts(q, probs, log_confusion, jnp.ones(4000, bool))
    assert counts.dtype == jnp.float32
    np.testing.assert_allclose(counts, 1000)


@precisions
@given(example=examples, pseudo_count=st.sampled_from([0.0, 0.01, 5.0]))
@few
def test_closed_form(example, pseudo_count, double):
    log_initial = reference.log_confusion_from_logits(example.fixed_logits)
    counts = np.random.default_rng(0).gamma(0.3, 5, log_initial.shape)
    counts[0, :, 1] = 0  # a label that lost all mass
    counts[1, 2, 2] = 0
    oracle = reference.closed_form_confusion(counts, np.exp(log_initial), pseudo_count)
    with precision(double) as tolerance:
        args = arrays(counts, log_initial, pseudo_count)
        log_confusion = both_ways(kernels.closed_form_log_confusion, *args)
    np.testing.assert_allclose(np.exp(log_confusion), oracle, **tolerance)
    np.testing.assert_allclose(log_confusion[0, :, 1], log_initial[0, :, 1], rtol=1e-5, atol=1e-5)
    assert not np.isnan(log_confusion).any()


def test_closed_form_approaches_its_initial_matrix():
    log_initial = kernels.log_confusion_from_logits(kernels.identity_logits(2.0, 1, 3))
    counts = jnp.array([[[0.0, 9, 0], [9, 0, 0], [0, 0, 9]]])
    far, near = (
        kernels.total_variation(
            kernels.closed_form_log_confusion(counts, log_initial, pseudo_count), log_initial
        )
        for pseudo_count in (0.0, 1e5)
    )
    assert far > 0.4
    assert near < 1e-3


@given(example=examples)
@few
def test_total_variation(example):
    first = reference.log_confusion_from_logits(example.fixed_logits)
    second = reference.log_confusion_from_logits(example.trainable_logits)
    distance = both_ways(kernels.total_variation, *arrays(first, second))
    oracle = reference.total_variation(np.exp(first), np.exp(second))
    np.testing.assert_allclose(distance, oracle, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(kernels.total_variation(*arrays(first, first)), 0)


def test_total_variation_of_matrices_without_overlap_is_one():
    identity = kernels.log_confusion_from_logits(kernels.identity_logits(math.inf, 1, 3))
    np.testing.assert_allclose(kernels.total_variation(identity, jnp.roll(identity, 1, -1)), 1)


# Label 2 has the name of a set only, which label 1 shares; no label may mean 3; 3 is never given.
SOME_MEANING = np.array(
    [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 1, 1, 0]], bool
)


@precisions
@given(
    seed=st.integers(0, 2**32 - 1),
    share=st.sampled_from([0.0, 0.1, 1.0]),
    pseudo_count=st.sampled_from([0.0, 0.1, 5.0]),
)
@few
def test_confusion_with_identity(seed, share, pseudo_count, double):
    counts = np.random.default_rng(seed).gamma(0.3, 5, (2, 5, 4))
    counts[:, 3] = 0
    compatible = np.stack([SOME_MEANING, SOME_MEANING | np.eye(5, 4, dtype=bool)])
    pairs = zip(counts, compatible, strict=True)
    oracle = [chain_reference.confusion(*pair, share, pseudo_count / 4) for pair in pairs]
    with precision(double) as tolerance:
        args = arrays(counts, compatible, share, pseudo_count)
        log_confusion = both_ways(kernels.confusion_with_identity, *args)
    np.testing.assert_allclose(np.exp(log_confusion), oracle, **tolerance)
    np.testing.assert_allclose(np.exp(log_confusion).sum(1), 1, rtol=1e-5)
    assert np.isneginf(log_confusion[0, 3]).all()  # a label that the source does not have
    assert not np.isnan(log_confusion).any()


def test_confusion_without_counts_or_meanings_is_a_distribution():
    compatible = jnp.stack([jnp.eye(3, dtype=bool), jnp.zeros((3, 3), bool)])
    found = np.exp(kernels.confusion_with_identity(jnp.zeros((2, 3, 3)), compatible))
    np.testing.assert_allclose(found[0], 0.3 * np.ones((3, 3)) + 0.1 * np.eye(3), rtol=1e-5)
    np.testing.assert_allclose(found.sum(1), [[1, 1, 1], [1, 1, 1]], rtol=1e-5)


def test_gradient_of_the_confusion_with_identity_is_finite():
    compatible = jnp.eye(3, dtype=bool)[None]
    total = lambda counts: kernels.confusion_with_identity(counts, compatible).sum()  # noqa: E731
    assert_finite(jax.jit(jax.grad(total))(jnp.zeros((1, 3, 3)).at[0, 0, 1].set(9.0)))


finite_part = jax.jit(
    jax.value_and_grad(
        lambda counts, share, pseudo_count, compatible: jnp.sum(
            jnp.nan_to_num(
                kernels.confusion_with_identity(counts, compatible, share, pseudo_count), neginf=0
            )
            * jnp.cos(jnp.arange(counts.size)).reshape(counts.shape)
        ),
        (0, 1, 2),
    )
)


@given(seed=st.integers(0, 2**32 - 1))
@few
def test_gradients_beside_labels_that_a_source_lacks_are_finite_differences(seed):
    rng = np.random.default_rng(seed)
    counts = rng.gamma(0.5, 5, (2, 5, 4)) + 0.1
    counts[:, 3] = counts[1] = 0
    compatible = np.stack([SOME_MEANING, SOME_MEANING])
    point = counts, 0.1, 0.5
    step = [1e-6 * rng.normal(size=np.shape(x)) * (np.asarray(x) > 0) for x in point]
    with precision(True):
        ahead, behind = (
            float(
                finite_part(*(x + sign * d for x, d in zip(point, step, strict=True)), compatible)[
                    0
                ]
            )
            for sign in (1, -1)
        )
        gradients = finite_part(*point, compatible)[1]
        for edge in (0.0, 1.0):
            assert_finite(finite_part(counts, edge, 0.0, compatible)[1])
    assert_finite(gradients)
    slope = sum(np.sum(np.asarray(g) * d) for g, d in zip(gradients, step, strict=True))
    np.testing.assert_allclose(slope, (ahead - behind) / 2, rtol=1e-4, atol=1e-12)
