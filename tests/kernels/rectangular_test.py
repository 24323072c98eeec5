"""Sources whose labels are not the target's one for one: V rows, K columns."""

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernels import reference
from tests.kernels.examples import arrays, log_posterior, precision
from zsl_jax import kernels

N, U, V, K = 7, 2, 5, 3
few = settings(max_examples=20, deadline=None)
seeds = st.integers(0, 2**32 - 1)
meanings = st.lists(st.booleans(), min_size=V * K, max_size=V * K).map(
    lambda flat: np.reshape(flat, (V, K))
)


@given(compatible=meanings, temperature=st.sampled_from([0.0, 2.0, 10.0, np.inf]))
@few
def test_start_against_the_oracle(compatible, temperature):
    found = np.asarray(kernels.logits_of_meaning(temperature, jnp.asarray(compatible)))
    np.testing.assert_array_equal(found, reference.logits_of_meaning(temperature, compatible))
    confusion = np.exp(kernels.log_confusion_from_logits(jnp.asarray(found)[None]))[0]
    np.testing.assert_allclose(confusion.sum(0), 1, rtol=1e-5)
    if compatible.any():
        assert (confusion[~compatible.any(1)] == 0).all()


def test_the_identity_means_the_identity():
    found = kernels.logits_of_meaning(2.0, jnp.eye(K, dtype=bool))
    np.testing.assert_array_equal(found, kernels.identity_logits(2.0, 1, K)[0])


def problem(seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(-1, V, (N, U))
    probs = rng.dirichlet(np.ones(V), (N, U)) * (labels >= 0)[..., None]
    log_confusion = np.log(rng.dirichlet(np.ones(V), (U, K)).transpose(0, 2, 1))
    return labels, probs, log_confusion, rng.dirichlet(np.ones(K), N)


@jax.jit
def joints_and_counts(labels, probs, log_confusion, prior, weight, mask):
    joints = [
        kernels.log_joint(jnp.log(prior), votes, log_confusion, weight, 2.0)
        for votes in (labels, probs)
    ]
    counts = [
        kernels.expected_counts(prior, labels, mask, V),
        kernels.likelihood_weighted_counts(prior, probs, log_confusion, mask),
    ]
    return joints, counts, kernels.closed_form_log_confusion(counts[-1], log_confusion, 0.5)


@given(seed=seeds)
@few
def test_likelihood_joint_and_counts_against_the_oracle(seed):
    labels, probs, log_confusion, prior = problem(seed)
    mask, weight = np.arange(N) != 3, np.array([1.0, 0.5])
    confusion = np.exp(log_confusion)
    hard, soft = (
        reference.hard_likelihoods(labels, confusion),
        reference.soft_likelihoods(probs, confusion),
    )
    evidence = np.eye(V)[labels] * (labels >= 0)[..., None]
    with precision(True):
        joints, (of_labels, weighted), closed = joints_and_counts(
            *arrays(labels, probs, log_confusion, prior, weight, mask)
        )
    for joint, likelihood in zip(joints, (hard, soft), strict=True):
        expected = np.log(reference.joint(prior, likelihood, weight, 2.0))
        np.testing.assert_allclose(joint, expected, rtol=1e-9)
    expected = reference.expected_counts(prior, evidence, mask)
    np.testing.assert_allclose(of_labels, expected, atol=1e-9)
    expected = reference.likelihood_weighted_counts(prior, probs, confusion, mask)
    np.testing.assert_allclose(weighted, expected, atol=1e-9)
    expected = reference.closed_form_confusion(expected, confusion, 0.5)
    np.testing.assert_allclose(np.exp(closed), expected, atol=1e-9)


def test_gradients_are_finite_where_a_source_lacks_labels():
    compatible = np.zeros((1, V, K), bool)
    compatible[0, 0, [0, 1]] = compatible[0, 1, 2] = True
    compatible = jnp.asarray(compatible)
    first = kernels.logits_of_meaning(2.0, compatible)
    fixed = kernels.log_confusion_from_logits(kernels.logits_of_meaning(np.inf, compatible))
    labels = jnp.array([[0], [1], [3], [-1]])  # 3: a label that it should not have

    def loss(logits, mix):
        mixed = kernels.mix_log_confusion(fixed, kernels.log_confusion_from_logits(logits), mix)
        prior = jnp.full((4, K), -np.log(K))
        joint = kernels.log_joint(prior, labels, mixed, jnp.ones(1), 1.0)
        return kernels.negative_log_marginal(joint, jnp.ones(4, bool))[0]

    value_and_gradient = jax.jit(jax.value_and_grad(loss))
    for mix in (0.0, 0.4, 1.0):
        value, gradient = value_and_gradient(first, mix)
        assert np.isfinite(value) and np.isfinite(gradient).all()
        assert (np.asarray(gradient)[0, 2:] == 0).all()


def test_dawid_skene_learns_what_a_set_means():
    """Three sources tell three labels apart, two have a common name for two of them."""
    rng = np.random.default_rng(0)
    truth = rng.choice(3, 4000, p=[0.5, 0.3, 0.2])
    noisy = [np.where(rng.random(4000) < 0.1, rng.integers(0, 3, 4000), truth) for _ in range(5)]
    merged = [np.where(labels >= 1, 3, 0) for labels in noisy[3:]]
    labels = jnp.asarray(np.stack([*noisy[:3], *merged], 1))
    found = kernels.dawid_skene(labels, 3, jnp.array([0, 1, 2, 1]))
    confusion = np.exp(found.log_confusion)
    assert confusion.shape == (5, 4, 3)
    np.testing.assert_allclose(confusion.sum(1), 1, rtol=1e-5)
    assert (confusion[3:, 3, 1:] > 0.9).all() and (confusion[3:, 0, 0] > 0.9).all()
    right = (np.asarray(found.posterior).argmax(1) == truth).mean()
    votes = kernels.majority_vote(labels[:, :3], None, 3)
    assert right > (np.asarray(votes) == truth).mean() + 0.005


@jax.jit
def clamped(log_prior, labels, log_confusion, gold):
    """The posterior with and without the gold words, sums over all words, and a gradient."""
    mask = jnp.ones(N, bool)
    free = kernels.log_joint(log_prior, labels, log_confusion, jnp.ones(U), 1.0)
    joint = kernels.clamp_log_joint(free, gold)
    posterior = jnp.exp(log_posterior(joint))
    sums = [
        kernels.negative_log_marginal(joint, mask)[0],
        kernels.bound(posterior, joint, mask)[0],
        kernels.m_step_loss(posterior, joint, mask)[0],
        kernels.posterior_and_objective(joint, mask).entropy,
    ]
    gradient = jax.grad(
        lambda j: kernels.negative_log_marginal(kernels.clamp_log_joint(j, gold), mask)[0]
    )(free)
    return posterior, jnp.exp(log_posterior(free)), sums, gradient


@given(seed=seeds)
@few
def test_known_words_have_one_hot_posteriors_and_the_others_keep_theirs(seed):
    labels, _, log_confusion, prior = problem(seed)
    gold = np.random.default_rng(seed).integers(-1, K, N)
    found, expected, sums, gradient = clamped(*arrays(np.log(prior), labels, log_confusion, gold))
    expected = np.array(expected)
    expected[gold >= 0] = np.eye(K)[gold[gold >= 0]]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert np.isfinite(sums).all()
    np.testing.assert_allclose(gradient, -expected, atol=1e-6)  # Fisher
