import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings

from tests.kernels import reference
from tests.kernels.examples import arrays, assert_finite, both_ways, examples, precision
from zsl_jax import kernels

few = settings(max_examples=20, deadline=None)
precisions = pytest.mark.parametrize("double", [False, True], ids=["float32", "float64"])


def losses(q, joint, mask):
    """Every objective; `joint` serves as log-probabilities of the tagger, too."""
    return {
        "negative_log_marginal": kernels.negative_log_marginal(joint, mask),
        "bound": kernels.bound(q, joint, mask),
        "m_step_loss": kernels.m_step_loss(q, joint, mask),
        "kl_divergence": kernels.kl_divergence(q, joint, mask),
        "squared_error": kernels.squared_error(q, joint, mask),
    }


jitted_losses = jax.jit(losses)


@jax.jit
def gradients_of_losses(q, joint, mask):
    return {
        name: jax.grad(lambda *args, name=name: losses(*args)[name][0], (0, 1))(q, joint, mask)
        for name in losses(q, joint, mask)
    }


def oracles(q, joint, mask):
    return {
        "negative_log_marginal": reference.negative_log_marginal(joint, mask),
        "bound": reference.bound(q, joint, mask),
        "m_step_loss": reference.m_step_loss(q, joint, mask),
        "kl_divergence": reference.bound(q, joint, mask),
        "squared_error": reference.squared_error(q, joint, mask),
    }


@precisions
@given(example=examples)
@few
def test_every_objective(example, double):
    q, mask = example.posterior, example.mask
    with precision(double) as tolerance:
        args = arrays(q, np.log(example.prior), mask)
        results = both_ways(losses, *args)
    for name, oracle in oracles(q, example.prior, mask).items():
        total, count = results[name]
        np.testing.assert_allclose(total, oracle, err_msg=name, **tolerance)
        assert int(count) == mask.sum(), name
        assert total.dtype == (jnp.float64 if double else jnp.float32)


@given(example=examples)
@few
def test_masked_words_are_removed_words(example):
    mask = jnp.array([True, True, True, False, False, False])
    q, joint = arrays(example.posterior, np.log(example.prior))
    spoilt_q, spoilt = q.at[3:].set(jnp.nan), joint.at[3:].set(jnp.nan)
    masked = jitted_losses(spoilt_q, spoilt, mask)
    removed = jitted_losses(q[:3], joint[:3], mask[:3])
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5), masked, removed
    )
    for gradients in gradients_of_losses(spoilt_q, spoilt, mask).values():
        assert_finite(gradients)
        for gradient in gradients:
            np.testing.assert_array_equal(gradient[3:], 0)


def test_all_words_masked():
    words = np.full((6, 4), 0.25)
    results = jitted_losses(*arrays(words, words, np.zeros(6, bool)))
    for total, count in results.values():
        assert (float(total), int(count)) == (0, 0)


def test_log_of_zero_costs_nothing_where_the_posterior_is_zero():
    q = jnp.array([[1.0, 0.0], [0.0, 1.0]])
    log_prior = jnp.array([[0.0, -jnp.inf], [-jnp.inf, 0.0]])
    mask = jnp.ones(2, bool)
    results = jitted_losses(q, log_prior, mask)
    for name in results:
        assert float(results[name][0]) == 0, name
    assert_finite(gradients_of_losses(q, log_prior, mask))


def test_objective_of_an_impossible_word_is_infinite_with_finite_gradient():
    joint = jnp.array([[-jnp.inf, -jnp.inf], [-1.0, -2.0]])

    @jax.jit
    @jax.value_and_grad
    def objective(joint):
        return kernels.negative_log_marginal(joint, jnp.ones(2, bool))[0]

    value, gradient = objective(joint)
    assert np.isposinf(value)
    np.testing.assert_array_equal(gradient[0], 0)
    np.testing.assert_allclose(gradient[1], [-0.7310586, -0.2689414], rtol=1e-6)


def test_no_gradient_through_the_posterior_of_the_m_step():
    joint, mask = jnp.array([[-1.0, -2.0]]), jnp.ones(1, bool)

    def loss(q):
        return kernels.m_step_loss(q, joint, mask)[0]

    np.testing.assert_array_equal(jax.jit(jax.grad(loss))(jnp.array([[0.3, 0.7]])), 0)


@given(example=examples)
@few
def test_divergence_is_zero_only_at_the_target(example):
    mask = jnp.ones(len(example.prior), bool)
    prior, other = arrays(example.prior, example.prior[::-1])
    for loss in (kernels.kl_divergence, kernels.squared_error):
        np.testing.assert_allclose(loss(prior, jnp.log(prior), mask)[0], 0, atol=1e-5)
        assert loss(prior, jnp.log(other), mask)[0] > 0


def test_half_precision_targets_are_read_in_float32():
    target = jnp.array([[1e-4, 0.9999]], jnp.float16)
    total, _ = kernels.kl_divergence(target, jnp.log(jnp.array([[0.5, 0.5]])), jnp.ones(1, bool))
    exact = np.asarray(target, np.float64)
    assert total.dtype == jnp.float32
    np.testing.assert_allclose(total, np.sum(exact * np.log(exact / 0.5)), rtol=1e-5)
