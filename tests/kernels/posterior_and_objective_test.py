import functools

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
tight = jax.jit(kernels.posterior_and_objective)


@precisions
@given(example=examples)
@few
def test_posterior_and_sums_are_those_of_the_oracle_and_of_the_other_kernels(example, double):
    confusion = np.exp(reference.log_confusion_from_logits(example.fixed_logits))
    likelihood = reference.hard_likelihoods(example.labels, confusion)
    joint = reference.joint(example.prior, likelihood, example.source_weight, example.prior_weight)
    with precision(double) as tolerance:
        log_joint, mask = arrays(np.log(joint), example.mask)
        found = both_ways(kernels.posterior_and_objective, log_joint, mask)
        q = reference.posterior(joint)
        np.testing.assert_allclose(found.posterior, q, **tolerance)
        np.testing.assert_allclose(found.entropy, reference.entropy(q, example.mask), **tolerance)
        objective = reference.negative_log_marginal(joint, example.mask)
        np.testing.assert_allclose(found.objective, objective, **tolerance)
        other, _ = kernels.negative_log_marginal(log_joint, mask)
        np.testing.assert_allclose(found.objective, other, **tolerance)
        at_own_posterior, _ = kernels.bound(found.posterior, log_joint, mask)
        np.testing.assert_allclose(found.objective, at_own_posterior, **tolerance)


def test_words_that_do_not_count_are_as_if_removed():
    log_joint = jnp.log(jnp.array([[0.1, 0.3], [0.2, 0.2], [0.0, 0.0], [0.5, 0.0]]))
    some = tight(log_joint, jnp.array([True, False, False, True]))
    kept = tight(log_joint[jnp.array([0, 3])], jnp.ones(2, bool))
    assert float(some.objective) == float(kept.objective)
    assert float(some.entropy) == float(kept.entropy)
    np.testing.assert_array_equal(some.posterior[jnp.array([0, 3])], kept.posterior)


def test_impossible_labels_and_words():
    log_joint = jnp.log(jnp.array([[0.0, 0.0], [0.5, 0.0], [1e-38, 1e-38]]))
    found = tight(log_joint, jnp.ones(3, bool))
    np.testing.assert_allclose(found.posterior, [[0.5, 0.5], [1, 0], [0.5, 0.5]])
    assert float(found.objective) == np.inf
    entropy = lambda x: kernels.posterior_and_objective(x, jnp.ones(2, bool)).entropy  # noqa: E731
    gradient = jax.jit(jax.grad(entropy))(log_joint[1:])
    assert_finite((found.posterior, found.entropy, gradient))


@pytest.mark.parametrize("num_labels", [2, 50])
@pytest.mark.parametrize("soft", [False, True])
def test_forty_confident_sources_in_conflict_are_settled_by_their_number(num_labels, soft):
    labels = jnp.array([[0] * 19 + [1] * 21, [0] * 20 + [1] * 20, [-1] * 40])
    votes = kernels.probs_of_votes(labels, num_labels) if soft else labels
    log_prior = jnp.full((3, num_labels), -jnp.log(num_labels)).at[1, 0].add(0.1)

    @jax.jit
    @functools.partial(jax.grad, has_aux=True)
    def of_logits(logits):
        log_confusion = kernels.log_confusion_from_logits(logits)
        joint = kernels.log_joint(log_prior, votes, log_confusion, jnp.ones(40), 1.0)
        found = kernels.posterior_and_objective(joint, jnp.ones(3, bool))
        return found.objective, found

    gradient, found = of_logits(kernels.identity_logits(60.0, 40, num_labels))
    assert_finite((found, gradient))
    assert found.posterior.argmax(1).tolist()[:2] == [1, 0]
    assert float(found.posterior[0, 1]) > 0.99
    np.testing.assert_allclose(found.posterior[2], 1 / num_labels, rtol=1e-5)


def test_entropy_at_its_ends():
    certain = tight(jnp.log(jnp.array([[0.0, 1.0]])), jnp.ones(1, bool))
    assert float(certain.entropy) == 0
    even = tight(jnp.full((1, 8), -2.0), jnp.ones(1, bool))
    np.testing.assert_allclose(even.entropy, np.log(8), rtol=1e-6)


def test_posterior_of_an_impossible_word_is_uniform_with_finite_gradient():
    joint = jnp.array([[-jnp.inf] * 4, [0.0, -jnp.inf, 0.0, -jnp.inf]])

    def posterior(joint):
        return kernels.posterior_and_objective(joint, jnp.ones(2, bool)).posterior

    expected = [[0.25] * 4, [0.5, 0, 0.5, 0]]
    np.testing.assert_allclose(both_ways(posterior, joint), expected, rtol=1e-6)
    assert_finite(jax.grad(lambda x: jnp.sum(posterior(x)))(joint))
