import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernels import chain_reference as reference
from tests.kernels.chain_examples import NUM_LABELS, NUM_WORDS, chain_examples
from tests.kernels.examples import arrays, assert_finite, both_ways, precision
from zsl_jax import kernels

few = settings(max_examples=15, deadline=None)
precisions = pytest.mark.parametrize("double", [False, True], ids=["float32", "float64"])
marginals = jax.jit(kernels.chain_marginals)
viterbi = jax.jit(kernels.chain_viterbi)
EVERY = np.ones(NUM_WORDS, bool)


def assert_close(found, expected, **tolerance):
    for first, second in zip(found, expected, strict=True):
        np.testing.assert_allclose(first, second, **tolerance)


@precisions
@given(example=chain_examples)
@few
def test_marginals_against_all_label_sequences(example, double):
    oracle = reference.chain(
        example.potentials, example.lengths, example.start, example.transitions
    )
    with precision(double) as tolerance:
        args = arrays(example.potentials, example.starts, EVERY, example.start, example.transitions)
        found = marginals(*args)
    assert_close(found, oracle, **tolerance)
    inner = NUM_WORDS - len(example.lengths)
    np.testing.assert_allclose(np.asarray(found.transitions).sum(), inner, rtol=1e-5)
    np.testing.assert_allclose(np.asarray(found.firsts).sum(), len(example.lengths), rtol=1e-5)


@precisions
@given(example=chain_examples)
@few
def test_viterbi_against_all_label_sequences(example, double):
    start, steps = example.start, example.transitions
    with precision(double):
        found = viterbi(*arrays(example.potentials, example.starts, EVERY, start, steps))
    expected = reference.best_labels(example.potentials, example.lengths, start, steps)
    np.testing.assert_array_equal(found, expected)


def test_a_label_ruled_out_is_not_in_the_best_path_whatever_its_neighbours_prefer():
    """Even against a forbidden step: labels that are known stay as they are."""
    known = np.full((NUM_WORDS, NUM_LABELS), -np.inf)
    labels = np.arange(NUM_WORDS) % 2
    known[np.arange(NUM_WORDS), labels] = 0
    known[5] = [100, 0, 0, 0]  # it alone is free
    steps = np.full((NUM_LABELS, NUM_LABELS), 0.25)
    steps[0, 1] = steps[1, 0] = 0
    start = np.full(NUM_LABELS, 0.25)
    starts = np.arange(NUM_WORDS) == 0
    found = np.asarray(viterbi(*arrays(known, starts, EVERY, start, steps)))
    kept = np.arange(NUM_WORDS) != 5
    np.testing.assert_array_equal(found[kept], labels[kept])
    assert found[5] in (0, 2, 3)


def test_viterbi_takes_no_step_of_0_where_another_is_left():
    potentials, starts, mask, start, transitions = random_chain(6)
    certain = jnp.asarray(1e4 * jax.nn.one_hot(jnp.arange(NUM_WORDS) % 2, NUM_LABELS))
    found = np.asarray(viterbi(certain, starts, mask, start, transitions.at[0, 1].set(0)))
    inside = ~np.asarray(starts)[1:]
    assert not ((found[:-1] == 0) & (found[1:] == 1))[inside].any()
    real = np.arange(NUM_WORDS) < 7  # the sentence goes on in the padding
    cut = viterbi(potentials, starts, jnp.asarray(real), start, transitions)
    alone = viterbi(potentials[:7], starts[:7], mask[:7], start, transitions)
    np.testing.assert_array_equal(cut[:7], alone)


def test_values_are_the_same_without_jit():
    both_ways(kernels.chain_marginals, *random_chain(7))
    steps, allowed = jnp.arange(16.0).reshape(4, 4), jnp.tri(4, dtype=bool)
    both_ways(kernels.transition_probs.__wrapped__, steps, steps[0], allowed, allowed[1])


@pytest.mark.parametrize("own_starts", [True, False])
@given(example=chain_examples)
@few
def test_padding_behind_a_sentence_is_as_if_removed(own_starts, example):
    real = NUM_WORDS - example.lengths[-1]
    oracle = reference.chain(
        example.potentials[:real], example.lengths[:-1], example.start, example.transitions
    )
    mask, garbage = np.arange(NUM_WORDS) < real, example.potentials.copy()
    garbage[real:] = 20 * np.sin(np.arange(garbage[real:].size)).reshape(-1, NUM_LABELS)
    starts = example.starts | ~mask if own_starts else example.starts & mask
    with precision(True) as tolerance:
        args = arrays(garbage, starts, mask, example.start, example.transitions)
        found = marginals(*args)
    assert_close((found.posterior[:real], *found[1:]), oracle, **tolerance)


def single(*values):
    return [np.float32(value) if value.dtype == np.float64 else value for value in values]


def random_chain(seed, num_words=NUM_WORDS, num_labels=NUM_LABELS):
    rng = np.random.default_rng(seed)
    potentials = rng.normal(size=(num_words, num_labels))
    starts = np.arange(num_words) % 5 == 0
    start, *transitions = rng.dirichlet(np.ones(num_labels), num_labels + 1)
    return arrays(*single(potentials, starts, starts | True, start, np.array(transitions)))


def test_the_first_word_starts_a_sentence_even_if_unmarked():
    args = random_chain(0)
    unmarked = args[1].at[0].set(False)
    assert_close(marginals(*args), marginals(args[0], unmarked, *args[2:]), rtol=0)
    counts = (kernels.neighbour_counts(args[0], some, args[2]) for some in (args[1], unmarked))
    assert_close(*counts, rtol=0)


@pytest.mark.parametrize("texts", [(), (2,)])
def test_a_text_without_words_has_no_marginals_and_no_path(texts):
    words, marks = np.zeros((*texts, 0, 3), np.float32), np.zeros((*texts, 0), bool)
    start, steps = np.full(3, 1 / 3, np.float32), np.full((3, 3), 1 / 3, np.float32)
    made = kernels.chain_marginals(words, marks, marks, start, steps)
    assert made.posterior.shape == words.shape
    assert not any(map(np.any, (made.transitions, made.firsts, made.log_marginal)))
    assert kernels.chain_viterbi(words, marks, marks, start, steps).shape == marks.shape
    assert not any(map(np.any, kernels.neighbour_counts(words, marks, marks)))


def test_a_chain_without_memory_is_a_prior():
    potentials, starts, mask, prior, _ = random_chain(1)
    found = marginals(potentials, starts, mask, prior, jnp.tile(prior, (NUM_LABELS, 1)))
    joint = potentials + jnp.log(prior)
    np.testing.assert_allclose(found.posterior, jax.nn.softmax(joint), rtol=1e-4)
    total = -kernels.negative_log_marginal(joint, mask)[0]
    np.testing.assert_allclose(found.log_marginal, total, rtol=1e-5)


def test_gradient_of_the_log_marginal_is_the_posterior():
    potentials, *rest = random_chain(2)
    potentials = potentials.at[3, 1].set(-jnp.inf)
    gradient = jax.jit(jax.grad(lambda x, *args: kernels.chain_marginals(x, *args).log_marginal))
    found = marginals(potentials, *rest)
    np.testing.assert_allclose(gradient(potentials, *rest), found.posterior, atol=1e-5)


def test_what_is_added_to_all_labels_of_a_word_changes_the_log_marginal_alone():
    potentials, *rest = random_chain(3)
    shift = jnp.linspace(-50, 70, NUM_WORDS)
    found, shifted = marginals(potentials, *rest), marginals(potentials + shift[:, None], *rest)
    assert_close(shifted[:3], found[:3], rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(shifted.log_marginal - found.log_marginal, shift.sum(), rtol=1e-4)


@pytest.mark.parametrize("num_labels", [2, 50])
def test_confident_contradictions_and_long_sentences_are_finite(num_labels):
    rng = np.random.default_rng(num_labels)
    potentials, starts, mask, start, transitions = random_chain(4, 2000, num_labels)
    potentials = jnp.asarray(1e4 * rng.normal(size=potentials.shape), jnp.float32)
    args = potentials, starts & (jnp.arange(2000) == 0), mask, start, transitions
    found = marginals(*args)
    assert_finite(found)
    np.testing.assert_allclose(found.posterior.sum(1), 1, rtol=1e-4)
    np.testing.assert_array_equal(found.posterior.argmax(1), potentials.argmax(1))
    gradient = jax.jit(jax.grad(lambda x: kernels.chain_marginals(x, *args[1:]).log_marginal))
    assert_finite(gradient(potentials))


@pytest.mark.parametrize("possible", [0.0, 0.5])
def test_impossible_sequences_are_finite(possible):
    """Known labels in an order that is forbidden, at first in some steps and then in all."""
    potentials, starts, mask, start, transitions = random_chain(5)
    gold = jnp.array([2, 1, 2, 1, 1, 2, 2, -1, 2, -1, 1, 2])
    clamped = kernels.clamp_log_joint(potentials, gold)
    forbidden = transitions * possible * (1 - jnp.eye(NUM_LABELS)[1][:, None])
    found = marginals(clamped, starts, mask, 0 * start, forbidden)
    assert_finite(found)
    certain = np.asarray(gold) >= 0
    one_hot = np.eye(NUM_LABELS)[np.asarray(gold)[certain]]
    np.testing.assert_allclose(found.posterior[certain], one_hot, atol=1e-6)
    np.testing.assert_allclose(found.posterior.sum(1), 1, rtol=1e-5)
    nothing = marginals(potentials, starts, mask, 0 * start, 0 * transitions)
    np.testing.assert_allclose(nothing.posterior, jax.nn.softmax(potentials), rtol=1e-3)


def scalar(found):
    """A number in which every posterior, step and first label has a weight of its own."""
    leaves = [found.posterior, found.transitions, found.firsts]
    return sum(jnp.sum(jnp.cos(jnp.arange(leaf.size)) * leaf.ravel()) for leaf in leaves)


known_slopes = jax.jit(
    jax.value_and_grad(
        lambda potentials, start, steps, starts, gold: scalar(
            kernels.chain_marginals(
                kernels.clamp_log_joint(potentials, gold), starts, EVERY, start, steps
            )
        ),
        (0, 1, 2),
    )
)


@given(example=chain_examples, seed=st.integers(0, 2**32 - 1))
@few
def test_gradients_beside_known_labels_are_finite_differences(example, seed):
    rng = np.random.default_rng(seed)
    gold = np.where(rng.random(NUM_WORDS) < 0.4, rng.integers(0, NUM_LABELS, NUM_WORDS), -1)
    point = np.maximum(example.potentials, -90), example.start, example.transitions
    point[0][3, 1] -= 800  # its probability is 0, though nothing rules it out
    step = [1e-6 * rng.normal(size=x.shape) * ((x > 1e-4) | (x < 0)) for x in point]
    pairs = list(zip(point, step, strict=True))
    with precision(True):
        words = arrays(example.starts, gold)
        ahead, behind = (
            float(known_slopes(*(jnp.asarray(x + sign * d) for x, d in pairs), *words)[0])
            for sign in (1, -1)
        )
        gradients = known_slopes(*arrays(*point), *words)[1]
    assert_finite(gradients)
    slope = sum(np.sum(np.asarray(g) * d) for g, d in zip(gradients, step, strict=True))
    np.testing.assert_allclose(slope, (ahead - behind) / 2, rtol=1e-4, atol=1e-11)


@pytest.mark.parametrize("possible", [0.0, 1.0])
def test_gradients_of_impossible_sequences_and_labels_are_finite(possible):
    potentials, starts, _, start, transitions = random_chain(8)
    gold = jnp.array([2, 1, 2, 1, 1, 2, 2, -1, 2, -1, 1, 2])
    steps = transitions * possible * (1 - jnp.eye(NUM_LABELS)[1][:, None])
    assert_finite(known_slopes(potentials, 0 * start, steps, starts, gold))
    for depth in (80, 90, 100, 110):  # where float32 loses digits, and behind
        deep = potentials.at[::2, 1].add(-depth)
        assert_finite(known_slopes(deep, start, steps, starts, 0 * gold - 1))


@given(example=chain_examples, word=st.integers(0, NUM_WORDS - 1))
@few
def test_a_word_that_no_label_can_explain_is_one_without_evidence(example, word):
    unknown, impossible = example.potentials.copy(), example.potentials.copy()
    unknown[word], impossible[word] = 0, -np.inf
    oracle = reference.chain(unknown, example.lengths, example.start, example.transitions)
    with precision(True) as tolerance:
        rest = arrays(example.starts, EVERY, example.start, example.transitions)
        found = marginals(jnp.asarray(impossible), *rest)
        assert_close(found[:3], oracle[:3], **tolerance)
        assert np.isneginf(found.log_marginal)
        masked = marginals(jnp.asarray(impossible), rest[0], rest[1].at[word].set(False), *rest[2:])
        assert_finite(masked)
        gradients = known_slopes(
            jnp.asarray(impossible), *rest[2:], rest[0], 0 * example.labels[:, 0] - 1
        )
    assert_finite(gradients)


@precisions
@given(example=chain_examples)
@few
def test_counts_of_neighbours(example, double):
    q = np.where(example.mask[:, None], example.posterior, 0)
    oracle = reference.steps_between(q, example.lengths)
    with precision(double) as tolerance:
        args = arrays(example.posterior, example.starts, example.mask)
        found = both_ways(kernels.neighbour_counts, *args)
    assert_close(found, oracle, **tolerance)


@given(seed=st.integers(0, 2**32 - 1))
@few
def test_transition_probs(seed):
    rng = np.random.default_rng(seed)
    steps, firsts = rng.gamma(0.3, 5, (4, 4)), rng.gamma(0.3, 5, 4)
    allowed, may_start = rng.random((4, 4)) < 0.7, np.array([True, False, True, True])
    allowed[1] = False  # nothing may follow
    labels = reference.Labels(None, None, may_start, allowed)
    with precision(True) as tolerance:
        found = kernels.transition_probs(*arrays(steps, firsts, allowed, may_start))
    assert_close(found, reference.probabilities(steps, firsts, labels), **tolerance)
    assert not np.any(found[1][~allowed]) and not found[0][1]


def test_probabilities_without_any_allowed_label_are_finite():
    none = jnp.zeros((3, 3), bool)
    start, transitions = kernels.transition_probs(jnp.ones((3, 3)), jnp.ones(3), none, none[0])
    assert_finite((start, transitions))
    assert not np.any(start) and not np.any(transitions)
