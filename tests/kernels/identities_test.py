"""Identities that the method promises, numbered as in its description, and the planted truth."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernels import reference
from tests.kernels.examples import arrays, assert_finite, examples, log_posterior, precision
from zsl_jax import kernels

few = settings(max_examples=20, deadline=None)
kinds = pytest.mark.parametrize("kind", ["hard", "soft"])


def joint_of(kind, prior_logits, log_confusion, votes, source_weight=None, prior_weight=1.0):
    assert jnp.issubdtype(votes.dtype, jnp.integer) == (kind == "hard")
    if source_weight is None:
        source_weight = jnp.ones(votes.shape[1])
    log_prior = jax.nn.log_softmax(prior_logits)
    return kernels.log_joint(log_prior, votes, log_confusion, source_weight, prior_weight)


def objective(kind, prior_logits, log_confusion, votes, mask=None):
    mask = jnp.ones(len(votes), bool) if mask is None else mask
    return kernels.negative_log_marginal(joint_of(kind, prior_logits, log_confusion, votes), mask)[
        0
    ]


objective_and_gradients = jax.jit(jax.value_and_grad(objective, (1, 2)), static_argnums=0)


@jax.jit
def all_of_hard_and_soft(prior_logits, logits, labels, probs):
    """Posterior and gradient for θ, from labels and from probabilities."""
    log_confusion = kernels.log_confusion_from_logits(logits)
    return {
        kind: (
            log_posterior(joint_of(kind, prior_logits, log_confusion, votes)),
            jax.grad(objective, 1)(kind, prior_logits, log_confusion, votes),
        )
        for kind, votes in (("hard", labels), ("soft", probs))
    }


def assert_close(first, second, rtol=1e-8, atol=1e-9):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol, atol), first, second)


@jax.jit
def objective_and_risks(log_prior, log_confusion, labels):
    """J of all words, and the risk of Eq. 1 of each."""
    joint = joint_of("hard", log_prior, log_confusion, labels)
    risks = -jnp.sum(jnp.exp(joint), axis=-1)
    return objective("hard", log_prior, log_confusion, labels), risks


@pytest.mark.parametrize(("num_labels", "num_words"), [(2, 5), (3, 4), (4, 3), (4, 5)])
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=5, deadline=None)
def test_1_sum_over_sequences_is_product_over_words(num_labels, num_words, seed):
    rng = np.random.default_rng(seed)
    prior = rng.dirichlet(np.ones(num_labels), num_words)
    confusion = rng.dirichlet(np.ones(num_labels), num_labels).T
    labels = rng.integers(0, num_labels, num_words)
    total = sum(
        np.prod([prior[n, y] * confusion[labels[n], y] for n, y in enumerate(sequence)])
        for sequence in itertools.product(range(num_labels), repeat=num_words)
    )
    with precision(True):
        args = arrays(np.log(prior), np.log(confusion)[None], labels[:, None])
        value, risks = map(np.asarray, objective_and_risks(*args))
    np.testing.assert_allclose(np.exp(-float(value)), total, rtol=1e-10)
    np.testing.assert_allclose(np.prod(-risks), total, rtol=1e-10)


@jax.jit
def bound_and_its_parts(prior_logits, log_confusion, votes, source_weight, q, mask):
    kind = "soft" if votes.ndim == 3 else "hard"
    joint = joint_of(kind, prior_logits, log_confusion, votes, source_weight)
    return {
        "objective": kernels.negative_log_marginal(joint, mask)[0],
        "tight": kernels.bound(jnp.exp(log_posterior(joint)), joint, mask)[0],
        "anywhere": kernels.bound(q, joint, mask)[0],
        "without entropy": kernels.m_step_loss(q, joint, mask)[0],
    }


@kinds
@given(example=examples)
@few
def test_2_bound_is_above_the_objective_and_tight_at_the_posterior(kind, example):
    with precision(True):
        args = arrays(
            example.prior_logits,
            reference.log_confusion_from_logits(example.trainable_logits),
            example.labels if kind == "hard" else example.probs,
            example.source_weight,
            example.posterior,
            example.mask,
        )
        parts = {name: float(value) for name, value in bound_and_its_parts(*args).items()}
    assert parts["anywhere"] >= parts["objective"] - 1e-10
    np.testing.assert_allclose(parts["tight"], parts["objective"], rtol=1e-10, atol=1e-10)
    total = parts["without entropy"] - reference.entropy(example.posterior, example.mask)
    np.testing.assert_allclose(total, parts["anywhere"], rtol=1e-9, atol=1e-9)


@jax.jit
def exact_rounds(prior_logits, log_confusion, labels, probs):
    """J before each of ten EM rounds with λ = 0, and the bound after each M step."""

    def one_round(kind, log_confusion):
        votes = labels if kind == "hard" else probs
        mask = jnp.ones(len(votes), bool)
        joint = joint_of(kind, prior_logits, log_confusion, votes)
        q = jnp.exp(log_posterior(joint))
        if kind == "hard":
            counts = kernels.expected_counts(q, labels, mask)
        else:
            counts = kernels.likelihood_weighted_counts(q, probs, log_confusion, mask)
        updated = kernels.closed_form_log_confusion(counts, log_confusion, 0.0)
        after = joint_of(kind, prior_logits, updated, votes)
        return updated, (
            kernels.negative_log_marginal(joint, mask)[0],
            kernels.bound(q, after, mask)[0],
        )

    return {
        kind: jax.lax.scan(
            lambda matrix, _, kind=kind: one_round(kind, matrix), log_confusion, length=10
        )[1]
        for kind in ("hard", "soft")
    }


@given(example=examples)
@few
def test_2_objective_never_rises_over_exact_rounds(example):
    with precision(True):
        matrix = reference.log_confusion_from_logits(example.trainable_logits)
        rounds = exact_rounds(*arrays(example.prior_logits, matrix, example.labels, example.probs))
        rounds = jax.tree.map(np.asarray, rounds)
    for values, bounds in rounds.values():
        assert (np.diff(values) <= 1e-9).all()
        assert (bounds <= values + 1e-9).all()  # the M step lowers the bound, which was tight
        assert (bounds[:-1] >= values[1:] - 1e-9).all()
        assert values[-1] < values[0]


@jax.jit
def both_gradients(logits, fixed, votes, source_weight, prior_weight, mix, mask):
    """Gradients for θ and σ of J and of the M-step loss at the posterior of the same parameters."""
    kind = "soft" if votes.ndim == 3 else "hard"

    def joint(logits):
        prior_logits, trainable = logits
        log_trainable = kernels.log_confusion_from_logits(trainable)
        log_confusion = kernels.mix_log_confusion(fixed, log_trainable, mix)
        return joint_of(kind, prior_logits, log_confusion, votes, source_weight, prior_weight)

    q = jnp.exp(log_posterior(joint(logits)))
    return (
        jax.grad(lambda logits: kernels.negative_log_marginal(joint(logits), mask)[0])(logits),
        jax.grad(lambda logits: kernels.m_step_loss(q, joint(logits), mask)[0])(logits),
    )


@kinds
@given(example=examples)
@few
def test_3_fisher(kind, example):
    with precision(True):
        args = arrays(
            reference.log_confusion_from_logits(example.fixed_logits),
            example.labels if kind == "hard" else example.probs,
            example.source_weight,
            example.prior_weight,
            example.mix,
            example.mask,
        )
        logits = arrays(example.prior_logits, example.trainable_logits)
        of_objective, of_m_step = both_gradients(logits, *args)
        assert_close(of_objective, of_m_step)
    if (
        example.mix < 1
        and example.mask[2:].any()
        and (example.labels[2:][example.mask[2:]] >= 0).any()
    ):
        assert np.abs(of_objective[1]).max() > 0


@given(example=examples)
@few
def test_4_soft_with_one_hot_rows_is_hard(example):
    with precision(True):
        logits, matrix, labels = arrays(
            example.prior_logits, example.trainable_logits, example.labels
        )
        both = all_of_hard_and_soft(logits, matrix, labels, kernels.probs_of_votes(labels, 4))
        assert_close(both["hard"], both["soft"])


@jax.jit
def posterior_of_labels(prior_logits, log_confusion, labels):
    return log_posterior(joint_of("hard", prior_logits, log_confusion, labels))


@given(example=examples)
@few
def test_4_one_source_is_bayes_rule(example):
    confusion = np.exp(reference.log_confusion_from_logits(example.trainable_logits))
    with precision(True):
        logits, matrix, labels = arrays(
            example.prior_logits, np.log(confusion[:1]), example.labels[:, :1]
        )
        q = np.exp(posterior_of_labels(logits, matrix, labels))
    for n, (label,) in enumerate(example.labels[:, :1]):
        rule = example.prior[n] * (confusion[0, label] if label >= 0 else 1)
        np.testing.assert_allclose(q[n], rule / rule.sum(), rtol=1e-9)


@given(example=examples)
@few
def test_4_mix_one_is_the_fixed_matrix(example):
    with precision(True):
        fixed, trainable = (
            kernels.log_confusion_from_logits(jnp.asarray(logits))
            for logits in (example.fixed_logits, example.trainable_logits)
        )
        np.testing.assert_array_equal(kernels.mix_log_confusion(fixed, trainable, 1.0), fixed)
        np.testing.assert_array_equal(kernels.mix_log_confusion(fixed, trainable, 0.0), trainable)


@given(example=examples, sources=st.permutations(range(3)), labels=st.permutations(range(4)))
@few
def test_4_permutations_permute_the_result(example, sources, labels):
    sources, new_id = np.array(sources), np.array(labels)
    old_id = np.argsort(new_id)
    with precision(True):
        args = example.prior_logits, example.trainable_logits, example.labels, example.probs
        original = all_of_hard_and_soft(*arrays(*args))
        by_source = all_of_hard_and_soft(
            *arrays(args[0], args[1][sources], args[2][:, sources], args[3][:, sources])
        )
        renamed = np.where(args[2] >= 0, new_id[args[2]], -1)
        by_label = all_of_hard_and_soft(
            *arrays(
                args[0][:, old_id], args[1][:, old_id][:, :, old_id], renamed, args[3][..., old_id]
            )
        )
        assert_close(by_source, original)
        assert_close(by_label, jax.tree.map(lambda x: x[:, old_id], original))


@jax.jit
@jax.grad
def supervised_gradient(logits, labels):
    losses = optax.softmax_cross_entropy_with_integer_labels(logits, jnp.maximum(labels, 0))
    return jnp.sum(jnp.where(labels >= 0, losses, 0))


@given(example=examples)
@few
def test_5_one_source_and_the_identity_is_supervised_training(example):
    with precision(True):
        logits, labels = arrays(example.prior_logits, example.labels[:, :1])
        identity = kernels.log_confusion_from_logits(kernels.identity_logits(np.inf, 1, 4))
        _, (gradient, of_matrix) = objective_and_gradients("hard", logits, identity, labels)

        # Words on which the source abstains have no gradient in either.
        assert_close(gradient, supervised_gradient(logits, labels[:, 0]))
        assert_finite(of_matrix)


@kinds
@given(example=examples)
@few
def test_5_uniform_matrix_teaches_nothing(kind, example):
    with precision(True):
        logits, votes = arrays(
            example.prior_logits, example.labels if kind == "hard" else example.probs
        )
        uniform = kernels.log_confusion_from_logits(kernels.identity_logits(0.0, 3, 4))
        _, (gradient, _) = objective_and_gradients(kind, logits, uniform, votes)
        np.testing.assert_allclose(gradient, 0, atol=1e-12)


@given(example=examples, source=st.integers(0, 2))
@few
def test_6_an_abstaining_source_is_a_removed_source(example, source):
    with precision(True):
        logits, matrix, labels, probs = arrays(
            example.prior_logits, example.trainable_logits, example.labels, example.probs
        )
        left = np.array([u for u in range(3) if u != source])
        silent = all_of_hard_and_soft(
            logits, matrix, labels.at[:, source].set(-1), probs.at[:, source].set(0)
        )
        removed = all_of_hard_and_soft(logits, matrix[left], labels[:, left], probs[:, left])
        assert_close(silent, removed)


@kinds
@given(example=examples)
@few
def test_6_masked_words_are_removed_words(kind, example):
    with precision(True):
        logits, matrix, votes = arrays(
            example.prior_logits,
            reference.log_confusion_from_logits(example.trainable_logits),
            example.labels if kind == "hard" else example.probs,
        )
        mask = jnp.arange(6) < 4
        masked = objective_and_gradients(kind, logits.at[4:].set(jnp.nan), matrix, votes, mask)
        removed = objective_and_gradients(kind, logits[:4], matrix, votes[:4])
        np.testing.assert_allclose(masked[0], removed[0], rtol=1e-10)
        np.testing.assert_allclose(masked[1][0][:4], removed[1][0], rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(masked[1][1], removed[1][1], rtol=1e-8, atol=1e-10)


@given(example=examples)
@few
def test_6_without_votes_the_posterior_is_the_prior(example):
    with precision(True):
        logits, matrix, labels, probs = arrays(
            example.prior_logits, example.trainable_logits, example.labels, example.probs
        )
        for log_q, gradient in all_of_hard_and_soft(
            logits, matrix, jnp.full_like(labels, -1), jnp.zeros_like(probs)
        ).values():
            np.testing.assert_allclose(jnp.exp(log_q), example.prior, rtol=1e-9)
            np.testing.assert_allclose(gradient, 0, atol=1e-12)


@jax.jit
def conflict(prior_logits, labels, temperature):
    """Objective, gradients, posterior and plain product of hard and of one-hot soft sources."""
    num_sources, num_labels = labels.shape[1], prior_logits.shape[1]
    logits = kernels.identity_logits(temperature, num_sources, num_labels)
    results = {}
    for kind, votes in (("hard", labels), ("soft", kernels.probs_of_votes(labels, num_labels))):

        def value(prior_logits, logits, kind=kind, votes=votes):
            log_confusion = kernels.log_confusion_from_logits(logits)
            joint = joint_of(kind, prior_logits, log_confusion, votes)
            return kernels.negative_log_marginal(joint, jnp.ones(len(labels), bool))[0], joint

        gradients = jax.value_and_grad(value, (0, 1), has_aux=True)
        (total, joint), slopes = gradients(prior_logits, logits)
        results[kind] = total, slopes, jnp.exp(log_posterior(joint)), jnp.exp(joint)
    return results


@pytest.mark.parametrize("double", [False, True], ids=["float32", "float64"])
@pytest.mark.parametrize("num_labels", [2, 50])
def test_7_forty_confident_sources_in_conflict(double, num_labels):
    labels = np.tile(np.arange(40) % num_labels, (3, 1))
    labels[1] = np.arange(40) // 20  # two camps of the same size
    labels[2] = np.arange(40) < 21  # a majority of one
    prior_logits = np.zeros((3, num_labels))
    prior_logits[0] = np.linspace(-30, 30, num_labels)
    for temperature in (10.0, 200.0, np.inf):
        with precision(double):
            results = conflict(*arrays(prior_logits, labels, temperature))
            results = jax.tree.map(np.asarray, results)
        for value, gradients, q, products in results.values():
            assert_finite((value, gradients, q))
            np.testing.assert_allclose(q.sum(-1), 1, rtol=1e-5)
            np.testing.assert_allclose(q[1, :2], 0.5, rtol=1e-4)
            assert q[2, 1] > 0.99
            if temperature > 10:
                assert float(products[1].max()) < 1e-300  # the product form underflows


def simulate(rng, num_words=3000, num_labels=5):
    """Truth, an informative tagger, and five sources with different asymmetric confusions."""
    truth = rng.choice(num_labels, num_words, p=[0.35, 0.25, 0.2, 0.12, 0.08])
    logits = rng.normal(0, 1.0, (num_words, num_labels))
    logits[np.arange(num_words), truth] += 1.5
    log_prior = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    confusions = []
    for diagonal, (wrong, right) in zip(
        (0.7, 0.65, 0.6, 0.6, 0.55), ((1, 0), (1, 0), (1, 0), (3, 2), (3, 2)), strict=True
    ):
        noise = rng.dirichlet(np.ones(num_labels), num_labels).T
        confusion = diagonal * np.eye(num_labels) + (1 - diagonal) * noise
        confusion[:, right] *= 0.2
        confusion[wrong, right] += 0.8  # the source calls most of `right` by `wrong`'s name
        confusions.append(confusion)
    confusions = np.array(confusions)
    labels = np.array([[rng.choice(num_labels, p=c[:, y]) for c in confusions] for y in truth])
    probs = 0.7 * np.eye(num_labels)[labels] + 0.3 * rng.dirichlet(
        np.ones(num_labels), labels.shape
    )
    return truth, log_prior, confusions, labels, probs


def fit_confusion(log_prior, labels, log_initial):
    """Sixty rounds of closed-form EM with λ = 0, the tagger held as a table."""
    mask = jnp.ones(len(labels), bool)

    def one_round(log_confusion, _):
        q = jnp.exp(log_posterior(joint_of("hard", log_prior, log_confusion, labels)))
        counts = kernels.expected_counts(q, labels, mask)
        return kernels.closed_form_log_confusion(counts, log_initial, 0.1), None

    return jax.lax.scan(one_round, log_initial, length=60)[0]


@jax.jit
def compare(log_prior, confusions, labels, probs):
    """Labels of every approach, and the distances of σ before and after EM."""
    log_initial = kernels.log_confusion_from_logits(kernels.identity_logits(2.0, 5, 5))
    log_confusion = fit_confusion(log_prior, labels, log_initial)
    predictions = {
        "lvm": joint_of("hard", log_prior, log_confusion, labels).argmax(-1),
        "mrt": joint_of("hard", log_prior, log_initial, labels).argmax(-1),
        "vote": kernels.majority_vote(labels, probs, 5),
        "mean": kernels.mean_probs(probs).argmax(-1),
        "prior": log_prior.argmax(-1),
        "oracle": joint_of("hard", log_prior, jnp.log(confusions), labels).argmax(-1),
    }
    before = kernels.total_variation(log_initial, jnp.log(confusions))
    return predictions, before, kernels.total_variation(log_confusion, jnp.log(confusions))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_8_planted_truth_is_recovered(seed):
    truth, *numbers = simulate(np.random.default_rng(seed))
    predictions, before, distance = jax.tree.map(np.asarray, compare(*arrays(*numbers)))
    accuracy = {name: np.mean(label == truth) for name, label in predictions.items()}
    print({name: round(float(score), 3) for name, score in accuracy.items()})
    print("total variation", np.round(distance, 3), "at the start", np.round(before, 3))
    assert distance.max() < 0.1
    assert (distance < before / 3).all()
    for other in ("mrt", "vote", "mean", "prior"):
        assert accuracy["lvm"] > accuracy[other] + 0.03, other
    assert accuracy["lvm"] > accuracy["oracle"] - 0.02
