import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernels import reference
from tests.kernels.examples import arrays, assert_finite, both_ways, examples, precision
from zsl_jax import kernels

few = settings(max_examples=20, deadline=None)
precisions = pytest.mark.parametrize("double", [False, True], ids=["float32", "float64"])


def test_table_1_of_the_paper():
    log_prior = jnp.log(jnp.array([[0.6, 0.3, 0.1], [0.1, 0.6, 0.3]]))
    labels = jnp.array([[0], [2]])

    def products(log_confusion):
        return kernels.log_joint(log_prior, labels, log_confusion)

    temperature = kernels.temperature_from_diagonal(0.4, 3)
    logits = kernels.identity_logits(temperature, 1, 3)
    first = products(kernels.log_confusion_from_logits(logits))
    expected = [[0.24, 0.09, 0.03], [0.03, 0.18, 0.12]]
    np.testing.assert_allclose(jnp.exp(first), expected, rtol=1e-5)
    assert kernels.hard_posterior(first).argmax(-1).tolist() == [0, 1]  # Pron, Verb

    identity = kernels.identity_logits(math.inf, 1, 3)
    second = products(kernels.log_confusion_from_logits(identity))
    np.testing.assert_allclose(jnp.exp(second), [[0.6, 0, 0], [0, 0, 0.3]], rtol=1e-6, atol=1e-28)
    assert kernels.hard_posterior(second).argmax(-1).tolist() == [0, 2]  # Pron, Adj


@precisions
@given(example=examples)
@few
def test_likelihoods_of_every_source(example, double):
    log_confusion = reference.log_confusion_from_logits(example.trainable_logits)
    hard = reference.hard_likelihoods(example.labels, np.exp(log_confusion))
    soft = reference.soft_likelihoods(example.probs, np.exp(log_confusion))
    with precision(double) as tolerance:
        labels, probs, matrix = arrays(example.labels, example.probs, log_confusion)
        log_hard = both_ways(kernels.source_log_likelihoods, labels, matrix)
        log_soft = both_ways(kernels.source_log_likelihoods, probs, matrix)
        np.testing.assert_allclose(log_hard, np.log(hard), **tolerance)
        np.testing.assert_allclose(log_soft, np.log(soft), **tolerance)


@precisions
@given(example=examples)
@few
def test_joint_and_posterior_of_labels_and_of_probabilities(example, double):
    log_confusion = reference.log_confusion_from_logits(example.trainable_logits)
    confusion = np.exp(log_confusion)
    hard = reference.hard_likelihoods(example.labels, confusion)
    soft = reference.soft_likelihoods(example.probs, confusion)
    weights = example.source_weight, example.prior_weight
    with precision(double) as tolerance:
        for votes, likelihood in ((example.labels, hard), (example.probs, soft)):
            args = (np.log(example.prior), votes, log_confusion, *weights)
            joint = both_ways(kernels.log_joint, *arrays(*args))
            oracle = reference.joint(example.prior, likelihood, *weights)
            np.testing.assert_allclose(joint, np.log(oracle), **tolerance)
            q = kernels.posterior_and_objective(joint, jnp.ones(len(oracle), bool)).posterior
            np.testing.assert_allclose(q, reference.posterior(oracle), **tolerance)
            np.testing.assert_allclose(q.sum(-1), 1, rtol=1e-5)
            assert q.dtype == (jnp.float64 if double else jnp.float32)


def test_joint_of_votes_needs_no_source_and_has_finite_gradients_at_the_edges():
    log_prior = jnp.log(jnp.array([[0.25, 0.75], [1.0, 0.0]]))
    nobody = jnp.zeros((2, 0), int), jnp.zeros((0, 2, 2)), jnp.zeros(0)
    np.testing.assert_array_equal(kernels.log_joint(log_prior, *nobody, 1.0), log_prior)
    labels = jnp.array([[0, 1], [-1, 0]])
    logits = kernels.identity_logits(math.inf, 2, 2)
    for votes in (labels, kernels.probs_of_votes(labels, 2)):

        def total(logits, votes=votes):
            matrix = kernels.log_confusion_from_logits(logits)
            weight = jnp.array([1.0, 0.0])
            joint = kernels.log_joint(jnp.zeros((2, 2)), votes, matrix, weight, 1.0)
            return jnp.sum(joint), joint

        gradient, joint = jax.jit(jax.grad(total, has_aux=True))(logits)
        assert_finite(gradient)
        expected = [[0, kernels.LOG_FLOOR], [0, 0]]
        np.testing.assert_allclose(joint, expected, rtol=1e-5, atol=1e-5)


def test_one_word_and_its_batch_agree():
    rng = np.random.default_rng(0)
    log_confusion = jnp.log(jnp.asarray(rng.dirichlet(np.ones(3), (2, 3)))).swapaxes(1, 2)
    labels = jnp.array([[0, -1], [2, 1]])
    probs = jnp.asarray(rng.dirichlet(np.ones(3), (2, 2)))
    one_word_hard, one_word_soft = map(
        jax.jit, (kernels.hard_log_likelihood, kernels.soft_log_likelihood)
    )
    hard = kernels.source_log_likelihoods(labels, log_confusion)
    soft = kernels.source_log_likelihoods(probs, log_confusion)
    for n, u in np.ndindex(2, 2):
        one_hard = one_word_hard(labels[n, u], log_confusion[u])
        one_soft = one_word_soft(probs[n, u], log_confusion[u])
        np.testing.assert_allclose(one_hard, hard[n, u], rtol=1e-6)
        np.testing.assert_allclose(one_soft, soft[n, u], rtol=1e-5)


def test_an_asymmetric_matrix_is_read_by_predicted_label():
    confusion = jnp.array([[0.9, 0.5], [0.1, 0.5]])  # columns sum to 1
    likelihood = kernels.hard_log_likelihood(jnp.array(0), jnp.log(confusion))
    np.testing.assert_allclose(jnp.exp(likelihood), [0.9, 0.5], rtol=1e-6)
    likelihood = kernels.soft_log_likelihood(jnp.array([0.25, 0.75]), jnp.log(confusion))
    np.testing.assert_allclose(jnp.exp(likelihood), [0.3, 0.5], rtol=1e-6)


def test_log_of_the_expectation_not_expectation_of_the_log():
    confusion = jnp.array([[0.98, 0.5], [0.02, 0.5]])
    likelihood = kernels.soft_log_likelihood(jnp.array([0.5, 0.5]), jnp.log(confusion))
    np.testing.assert_allclose(likelihood, jnp.log(0.5), rtol=1e-6)


@given(example=examples, hard=st.booleans())
@few
def test_gradients_by_the_weights_are_finite_differences_where_labels_are_ruled_out(example, hard):
    log_prior = np.log(example.prior)
    log_prior[2, 1:3] = log_prior[4, 0] = -np.inf
    votes = example.labels if hard else example.probs

    def objective(sources, prior):
        joint = kernels.log_joint(*arrays(log_prior, votes, confusion), sources, prior)
        return kernels.negative_log_marginal(joint, jnp.ones(len(votes), bool))[0]

    weights = example.source_weight + 0.1, example.prior_weight + 0.2
    with precision(True):
        confusion = kernels.log_confusion_from_logits(jnp.asarray(example.fixed_logits))
        gradients = jax.grad(objective, (0, 1))(*arrays(*weights))
        _, slope = jax.jvp(objective, arrays(*weights), arrays(np.ones_like(weights[0]), 1.0))
        assert_finite(jax.grad(objective, (0, 1))(*arrays(weights[0], 0.0)))
        ahead, behind = (
            float(objective(*arrays(*(each + step for each in weights)))) for step in (1e-5, -1e-5)
        )
    expected = (ahead - behind) / 2e-5
    np.testing.assert_allclose(slope, expected, rtol=1e-5, atol=1e-7)
    total = sum(np.sum(np.asarray(each)) for each in gradients)
    np.testing.assert_allclose(total, expected, rtol=1e-5, atol=1e-7)


@given(seed=st.integers(0, 2**32 - 1))
@few
def test_only_a_row_without_any_probability_abstains(seed):
    """Not one whose probabilities are too small for products with the confusion matrix."""
    rng = np.random.default_rng(seed)
    log_confusion = jnp.asarray(rng.choice([-np.inf, -1.0], (3, 4)), jnp.float32)
    probs = jnp.zeros(3).at[rng.integers(3)].set(10.0 ** rng.integers(-30, 0))
    expected = np.exp(log_confusion.astype(float)).T @ np.asarray(probs, float)
    found = kernels.soft_log_likelihood(probs, log_confusion)
    oracle = np.maximum(np.log(np.maximum(expected, 1e-300)), kernels.LOG_FLOOR)
    np.testing.assert_allclose(found, oracle, rtol=1e-5)
    assert not np.any(kernels.soft_log_likelihood(0 * probs, log_confusion))
    unknown = kernels.soft_log_likelihood(probs, log_confusion + jnp.nan)
    assert np.isnan(unknown).all()  # nor one whose matrix is wrong


def test_half_precision_probs_are_read_in_float32():
    probs = jnp.array([[[1e-4, 0.9999]]], jnp.float16)
    log_confusion = kernels.log_confusion_from_logits(kernels.identity_logits(30.0, 1, 2))
    likelihood = kernels.source_log_likelihoods(probs, log_confusion)
    assert likelihood.dtype == jnp.float32
    np.testing.assert_allclose(likelihood[0, 0, 0], math.log(float(probs[0, 0, 0])), rtol=1e-5)


@pytest.mark.parametrize("temperature", [0.0, 10.0, 200.0, math.inf])
def test_likelihoods_are_finite_however_confident_the_sources(temperature):
    logits = kernels.identity_logits(temperature, 2, 3)
    labels = jnp.array([[0, 1], [-1, 2]])
    probs = kernels.probs_of_votes(labels, 3)

    def hard(logits, _):
        return kernels.source_log_likelihoods(labels, kernels.log_confusion_from_logits(logits))

    def soft(logits, probs):
        matrix = kernels.log_confusion_from_logits(logits)
        return kernels.source_log_likelihoods(probs, matrix)

    np.testing.assert_allclose(hard(logits, probs), soft(logits, probs), rtol=1e-5, atol=1e-6)
    for function in (hard, soft):
        assert_finite(function(logits, probs))
        slopes = jax.jit(jax.grad(lambda *args, f=function: jnp.sum(f(*args)), (0, 1)))
        assert_finite(slopes(logits, probs))


def test_weight_zero_removes_even_impossible_labels():
    log_prior = jnp.log(jnp.array([1.0, 0.0]))
    matrix = jnp.log(jnp.array([[[0.0, 1.0], [1.0, 0.0]], [[0.5, 0.25], [0.5, 0.75]]]))

    def joint(log_prior, matrix):
        return kernels.log_joint(log_prior, jnp.array([0, 0]), matrix, jnp.array([0.0, 1.0]), 0.0)

    np.testing.assert_allclose(joint(log_prior, matrix), matrix[1, 0])
    jacobian = jax.jit(jax.jacobian(joint, (0, 1)))(log_prior, matrix)
    assert_finite(jacobian)


@given(example=examples)
@few
def test_hard_posterior(example):
    (joint,) = arrays(example.prior_logits)
    one_hot = both_ways(kernels.hard_posterior, joint)
    np.testing.assert_array_equal(one_hot.argmax(-1), example.prior_logits.argmax(-1))
    np.testing.assert_array_equal(one_hot.sum(-1), 1)
    assert one_hot.dtype == joint.dtype


def test_hard_posterior_gives_ties_to_the_lowest_id():
    ties = jnp.array([[0.0, 1.0, 1.0], [2.0, 2.0, 2.0], [-jnp.inf] * 3])
    assert kernels.hard_posterior(ties).argmax(-1).tolist() == [1, 0, 0]
