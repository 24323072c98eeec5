"""Sources whose labels are not the target's one for one: V rows, K columns."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernels import reference
from tests.kernels.examples import precision
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
    with precision(True):
        arrays = [jnp.asarray(a) for a in (labels, probs, log_confusion, prior)]
        labels_, probs_, log_confusion_, prior_ = arrays
        kept = jnp.asarray(mask)
        for votes, likelihood in ((labels_, hard), (probs_, soft)):
            found = kernels.log_joint(
                jnp.log(prior_), votes, log_confusion_, jnp.asarray(weight), 2.0
            )
            expected = np.log(reference.joint(prior, likelihood, weight, 2.0))
            np.testing.assert_allclose(found, expected, rtol=1e-9)
        counts = kernels.expected_counts(prior_, labels_, kept, V)
        evidence = np.eye(V)[labels] * (labels >= 0)[..., None]
        expected = reference.expected_counts(prior, evidence, mask)
        np.testing.assert_allclose(counts, expected, atol=1e-9)
        counts = kernels.likelihood_weighted_counts(prior_, probs_, log_confusion_, kept)
        expected = reference.likelihood_weighted_counts(prior, probs, confusion, mask)
        np.testing.assert_allclose(counts, expected, atol=1e-9)
        closed = kernels.closed_form_log_confusion(counts, log_confusion_, 0.5)
        expected = reference.closed_form_confusion(expected, confusion, 0.5)
        np.testing.assert_allclose(np.exp(closed), expected, atol=1e-9)


@pytest.mark.parametrize("mix", [0.0, 0.4, 1.0])
def test_gradients_are_finite_where_a_source_lacks_labels(mix):
    compatible = np.zeros((1, V, K), bool)
    compatible[0, 0, [0, 1]] = compatible[0, 1, 2] = True
    compatible = jnp.asarray(compatible)
    first = kernels.logits_of_meaning(2.0, compatible)
    fixed = kernels.log_confusion_from_logits(kernels.logits_of_meaning(np.inf, compatible))
    labels = jnp.array([[0], [1], [3], [-1]])  # 3: a label that it should not have

    def loss(logits):
        mixed = kernels.mix_log_confusion(fixed, kernels.log_confusion_from_logits(logits), mix)
        prior = jnp.full((4, K), -np.log(K))
        joint = kernels.log_joint(prior, labels, mixed, jnp.ones(1), 1.0)
        return kernels.negative_log_marginal(joint, jnp.ones(4, bool))[0]

    value, gradient = jax.value_and_grad(loss)(first)
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


@given(seed=seeds)
@few
def test_known_words_have_one_hot_posteriors_and_the_others_keep_theirs(seed):
    labels, _, log_confusion, prior = problem(seed)
    known = jnp.asarray(np.random.default_rng(seed).integers(-1, K, N))
    joint = kernels.log_joint(
        jnp.log(jnp.asarray(prior, jnp.float32)),
        jnp.asarray(labels),
        jnp.asarray(log_confusion, jnp.float32),
        jnp.ones(U),
        1.0,
    )
    clamped = kernels.clamp_log_joint(joint, known)
    found = np.exp(jax.nn.log_softmax(clamped))
    expected = np.array(jnp.exp(jax.nn.log_softmax(joint)))
    expected[known >= 0] = np.eye(K)[np.asarray(known)[known >= 0]]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    mask = jnp.ones(N, bool)
    for value, _ in (
        kernels.negative_log_marginal(clamped, mask),
        kernels.bound(jnp.asarray(found), clamped, mask),
        kernels.m_step_loss(jnp.asarray(found), clamped, mask),
    ):
        assert np.isfinite(value)
    assert np.isfinite(kernels.posterior_and_objective(clamped, mask).entropy)
    gradient = jax.grad(
        lambda j: kernels.negative_log_marginal(kernels.clamp_log_joint(j, known), mask)[0]
    )(joint)
    np.testing.assert_allclose(gradient, -expected, atol=1e-6)  # Fisher
