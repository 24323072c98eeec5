import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernels import reference
from tests.kernels.examples import NUM_LABELS, arrays, assert_finite, both_ways, examples, precision
from zsl_jax import kernels

few = settings(max_examples=20, deadline=None)
precisions = pytest.mark.parametrize("double", [False, True], ids=["float32", "float64"])
jitted_vote = jax.jit(kernels.majority_vote, static_argnums=2)


@given(example=examples)
@few
def test_majority_vote(example):
    labels, probs = arrays(example.labels, example.probs)
    for scores in (None, probs):
        oracle = reference.majority_vote(
            example.labels, None if scores is None else example.probs, NUM_LABELS
        )
        np.testing.assert_array_equal(kernels.majority_vote(labels, scores, NUM_LABELS), oracle)
        np.testing.assert_array_equal(jitted_vote(labels, scores, NUM_LABELS), oracle)


@pytest.mark.parametrize(
    ("row", "winner"),
    [([2, 0, 0], 0), ([2, 0, 1], 2), ([-1, 1, 0], 1), ([-1, -1, 2], 2), ([-1, -1, -1], -1)],
)
def test_ties_go_to_the_first_source(row, winner):
    assert kernels.majority_vote(jnp.array([row]), None, 3).tolist() == [winner]


def test_ties_go_to_the_largest_sum_of_probabilities():
    labels = jnp.array([[0, 1, 2, 2, 1], [0, 1, 2, 2, 1]])
    probs = jnp.array([[0.9, 0.1, 0.0]] * 3 + [[0.0, 0.2, 0.8]] * 2)
    probs = jnp.stack([probs, probs[:, jnp.array([0, 2, 1])]])
    # label 0 has the largest sum in the first word, but it is not tied
    assert kernels.majority_vote(labels, probs, 3).tolist() == [2, 1]
    equal = jnp.full((2, 5, 3), 1 / 3, jnp.float16)
    assert kernels.majority_vote(labels, equal, 3).tolist() == [1, 1]


@precisions
@given(example=examples)
@few
def test_mean_probs(example, double):
    with precision(double) as tolerance:
        (probs,) = arrays(example.probs)
        mean = np.asarray(both_ways(kernels.mean_probs, probs))
    np.testing.assert_allclose(mean, reference.mean_probs(example.probs), **tolerance)
    np.testing.assert_allclose(mean[0], 1 / NUM_LABELS)  # all sources abstain
    np.testing.assert_allclose(mean.sum(-1), 1, rtol=1e-5)


def test_gradient_of_the_mean_is_finite_where_all_sources_abstain():
    probs = jnp.zeros((2, 3, 4)).at[0, 0].set(0.25)
    assert_finite(jax.jit(jax.grad(lambda p: jnp.sum(kernels.mean_probs(p) ** 2)))(probs))


def test_mean_of_half_precision_is_taken_in_float32():
    mean = kernels.mean_probs(jnp.full((1, 7, 3), 1 / 3, jnp.float16))
    assert mean.dtype == jnp.float32


def test_labels_as_probs():
    probs = kernels.probs_of_votes(jnp.array([[1, -1]]), 3)
    np.testing.assert_array_equal(probs, [[[0, 1, 0], [0, 0, 0]]])


@precisions
@given(example=examples, pseudo_count=st.sampled_from([0.01, 1.0]))
@few
def test_dawid_skene(example, pseudo_count, double):
    q, prior, confusion = reference.dawid_skene(example.labels, NUM_LABELS, 5, pseudo_count)
    with precision(double) as tolerance:
        (labels,) = arrays(example.labels)
        model = kernels.dawid_skene(
            labels, NUM_LABELS, max_iterations=5, tolerance=-1.0, pseudo_count=pseudo_count
        )
    assert int(model.iterations) == 5
    tolerance = {"rtol": 5e-3, "atol": 1e-4} if not double else tolerance
    np.testing.assert_allclose(model.posterior, q, **tolerance)
    np.testing.assert_allclose(jnp.exp(model.log_prior), prior, **tolerance)
    np.testing.assert_allclose(jnp.exp(model.log_confusion), confusion, **tolerance)


@precisions
@given(example=examples, prior_count=st.sampled_from([0.1, 1.0]))
@few
def test_bayesian_dawid_skene(example, prior_count, double):
    oracle = reference.bayesian_dawid_skene(example.labels, NUM_LABELS, 5, prior_count)
    with precision(double) as tolerance:
        (labels,) = arrays(example.labels)
        model = kernels.bayesian_dawid_skene(
            labels, NUM_LABELS, max_iterations=5, tolerance=-1.0, prior_count=prior_count
        )
    assert int(model.iterations) == 5
    tolerance = {"rtol": 5e-3, "atol": 1e-4} if not double else {"rtol": 1e-7, "atol": 1e-9}
    for value, wanted in zip(model, oracle, strict=False):
        np.testing.assert_allclose(value, wanted, **tolerance)


def test_bayesian_dawid_skene_counts_repeated_votes_and_beats_the_vote_on_planted_truth():
    truth, _, labels = planted(np.random.default_rng(2), 2000)
    labels[:50] = -1
    model = kernels.bayesian_dawid_skene(jnp.asarray(labels), 3)
    voted = slice(50, None)
    vote = np.asarray(kernels.majority_vote(jnp.asarray(labels), None, 3))
    accuracy = np.mean(model.posterior.argmax(-1)[voted] == truth[voted])
    assert accuracy > np.mean(vote[voted] == truth[voted]) + 0.02
    distinct, times = kernels.distinct_votes(labels)
    short = kernels.bayesian_dawid_skene(distinct, 3, times)
    np.testing.assert_allclose(short.log_confusion, model.log_confusion, rtol=1e-3, atol=1e-4)
    sums = np.exp(model.log_confusion).sum(axis=1)
    assert (sums < 1).all() and (sums > 0.95).all()  # expected logarithms of many words


def test_dawid_skene_without_jit():
    rows = [[0, 0, 1], [1, 1, -1], [2, 0, 2], [-1, -1, -1], [3, 3, 3], [0, 3, 0]]
    labels, two = jnp.array(rows), {"max_iterations": 2, "tolerance": -1.0, "pseudo_count": 0.1}
    with jax.disable_jit():
        plain = kernels.dawid_skene(labels, NUM_LABELS, **two)
    jitted = kernels.dawid_skene(labels, NUM_LABELS, **two)
    for first, second in zip(plain, jitted, strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-4, atol=1e-5)


def planted(rng, num_words):
    truth = rng.choice(3, num_words, p=[0.5, 0.3, 0.2])
    good = [[0.9, 0.1, 0.05], [0.05, 0.85, 0.05], [0.05, 0.05, 0.9]]
    lazy = [[0.7, 0.5, 0.5], [0.15, 0.4, 0.1], [0.15, 0.1, 0.4]]  # says label 0 too often
    confusions = np.array([lazy, good, lazy, good, lazy])
    sample = [[rng.choice(3, p=c[:, y]) for c in confusions] for y in truth]
    return truth, confusions, np.array(sample)


def test_dawid_skene_beats_the_vote_on_planted_truth():
    truth, confusions, labels = planted(np.random.default_rng(1), 2000)
    labels[:50] = -1
    model = kernels.dawid_skene(jnp.asarray(labels), 3, max_iterations=200)
    vote = kernels.majority_vote(jnp.asarray(labels), None, 3)
    voted = slice(50, None)
    accuracy = np.mean(model.posterior.argmax(-1)[voted] == truth[voted])
    assert accuracy > np.mean(vote[voted] == truth[voted]) + 0.02
    distance = kernels.total_variation(model.log_confusion, jnp.log(jnp.asarray(confusions)))
    print("accuracy", accuracy, "total variation", np.round(distance, 3))
    assert distance.max() < 0.12
    assert 1 < int(model.iterations) < 200  # it stopped by itself
    np.testing.assert_allclose(model.posterior[0], jnp.exp(model.log_prior), rtol=1e-5)


def test_words_without_votes_change_nothing():
    _, _, labels = planted(np.random.default_rng(2), 100)
    padded = np.concatenate([labels, np.full((20, 5), -1)])
    model, more = (
        kernels.dawid_skene(jnp.asarray(x), 3, max_iterations=5) for x in (labels, padded)
    )
    np.testing.assert_allclose(more.posterior[:100], model.posterior, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(more.log_confusion, model.log_confusion, rtol=1e-4, atol=1e-4)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31 - 1), num_sources=st.integers(1, 3))
def test_votes_that_occur_together_are_one_row_with_a_number(seed, num_sources):
    rng = np.random.default_rng(seed)
    rows = np.array(list(itertools.product(range(-1, 3), repeat=num_sources)), np.int32)
    rows = rng.permutation(rows)[: 3**num_sources]  # as many each time: one shape
    labels = rng.permutation([*rows, *rng.choice(rows, 60 - len(rows))])
    distinct, times = kernels.distinct_votes(labels)
    expected, counts = np.unique(labels, axis=0, return_counts=True)
    order = np.lexsort(distinct.T[::-1])
    np.testing.assert_array_equal(distinct[order], expected)
    np.testing.assert_array_equal(times[order], counts)
    whole = kernels.dawid_skene(labels, 3, max_iterations=4, tolerance=-1.0)
    found = kernels.dawid_skene(distinct, 3, times=times, max_iterations=4, tolerance=-1.0)
    np.testing.assert_allclose(found.log_prior, whole.log_prior, atol=1e-4)
    np.testing.assert_allclose(np.exp(found.log_confusion), np.exp(whole.log_confusion), atol=1e-4)


@pytest.mark.parametrize("num_sources", [1, 40, 200])
def test_many_sources_and_labels_are_told_apart(num_sources):
    rng = np.random.default_rng(num_sources)
    rows = rng.integers(-1, 60, (50, num_sources)).astype(np.int32)
    rows[1:11, -1] = np.arange(10)  # differ at the end only
    rows[1:11, :-1] = rows[0, :-1]
    labels = rows[rng.integers(0, 50, 500)]
    distinct, times = kernels.distinct_votes(labels)
    expected, counts = np.unique(labels, axis=0, return_counts=True)
    order = np.lexsort(distinct.T[::-1])
    np.testing.assert_array_equal(distinct[order], expected)
    np.testing.assert_array_equal(times[order], counts)


@given(seed=st.integers(0, 2**31 - 1), dtype=st.sampled_from([np.int8, np.int16, np.int32]))
def test_the_largest_ids_of_a_type_are_told_apart(seed, dtype):
    rng = np.random.default_rng(seed)
    labels = rng.choice([-1, 0, 1, np.iinfo(dtype).max], (40, 3)).astype(dtype)
    distinct, times = kernels.distinct_votes(labels)
    expected, counts = np.unique(labels, axis=0, return_counts=True)
    order = np.lexsort(distinct.T[::-1])
    np.testing.assert_array_equal(distinct[order], expected)
    np.testing.assert_array_equal(times[order], counts)
    assert distinct.dtype == dtype


def test_no_votes_at_all_are_no_rows():
    distinct, times = kernels.distinct_votes(np.empty((0, 4), np.int32))
    assert distinct.shape == (0, 4) and times.shape == (0,)


@pytest.mark.parametrize("labels", [np.full((3, 2), -1), np.zeros((3, 2), int), np.array([[1]])])
@pytest.mark.parametrize("pseudo_count", [0.0, 0.01])
def test_degenerate_votes(labels, pseudo_count):
    model = kernels.dawid_skene(jnp.asarray(labels), 2, pseudo_count=pseudo_count)
    assert_finite(model.posterior)
    assert not any(np.isnan(leaf).any() for leaf in model)
    np.testing.assert_allclose(model.posterior.sum(-1), 1, rtol=1e-5)
    if (labels < 0).all():
        np.testing.assert_allclose(model.posterior, 0.5)
    else:
        assert (model.posterior.argmax(-1) == labels[0, 0]).all()


@jax.jit
def objective_of_model(labels, log_prior, log_confusion):
    num_words = len(labels)
    prior = jnp.tile(log_prior, (num_words, 1))
    joint = kernels.log_joint(prior, labels, log_confusion)
    return kernels.negative_log_marginal(joint, jnp.ones(num_words, bool))[0]


def test_objective_of_dawid_skene_never_rises():
    _, _, labels = planted(np.random.default_rng(3), 100)
    with precision(True):
        votes, values = jnp.asarray(labels), []
        for rounds in range(1, 12):
            model = kernels.dawid_skene(
                votes, 3, max_iterations=rounds, tolerance=-1.0, pseudo_count=0.0
            )
            values.append(float(objective_of_model(votes, model.log_prior, model.log_confusion)))
    assert (np.diff(values) <= 1e-9).all()
    assert values[-1] < values[0] - 1


def test_fits_are_differentiated_forward_and_their_posterior_both_ways():
    labels = jnp.array([[0, 0, 1], [1, 1, 1], [0, -1, 0], [1, 1, 0]])

    def confidence(count):
        return jnp.square(kernels.dawid_skene(labels, 2, pseudo_count=count).posterior).sum()

    _, slope = jax.jvp(confidence, (0.5,), (1.0,))
    np.testing.assert_allclose(slope, (confidence(0.51) - confidence(0.49)) / 0.02, rtol=0.02)

    def bayesian(count):
        return kernels.bayesian_dawid_skene(labels, 2, prior_count=count).posterior

    assert_finite(jax.jvp(bayesian, (1.0,), (1.0,)))
    _, log_prior, log_confusion, _ = kernels.dawid_skene(labels, 2)
    total = lambda *args: jnp.square(kernels.label_model_posterior(labels, *args)).sum()  # noqa: E731
    assert_finite(jax.grad(total, (0, 1))(log_prior, log_confusion))


def test_a_second_call_does_not_compile_again():
    labels = jnp.zeros((3, 2), int)
    kernels.dawid_skene(labels, 2, max_iterations=7)
    before = kernels.dawid_skene._cache_size()
    kernels.dawid_skene(labels + 1, 2, max_iterations=9)
    assert kernels.dawid_skene._cache_size() == before
