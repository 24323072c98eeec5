import functools

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernels import chain_reference as reference
from tests.kernels.examples import precision
from tests.training.chain_examples import (
    NUM_LABELS,
    NUM_SOURCES,
    as_labels,
    as_text,
    example,
    rectangular_labels,
    square_labels,
)
from zsl_jax.training.chain_fit import (
    agreement_with_posterior,
    best_labels_of_fitted_text,
    fit_chain,
)
from zsl_jax.training.chain_inference import best_labels, posterior_of_text
from zsl_jax.training.config import ChainConfig

precisions = pytest.mark.parametrize("double", [False, True], ids=["float32", "float64"])
CASES = {
    "square": (square_labels(), {}),
    "abstentions and known labels": (square_labels(bio=True), {"abstaining": 0.3, "gold": 0.1}),
    "other label sets": (rectangular_labels(), {"abstaining": 0.2, "gold": 0.1}),
}


@functools.cache
def case_and_oracle(case):
    labels, properties = CASES[case]
    problem = example(1, labels, **properties)
    return problem, reference.fit(problem.text, problem.labels)


def fit_and_apply(problem, hard=False):
    """The label model, its posterior of the text, and that of the new text."""
    text, names = as_text(problem.text, hard=hard)
    labels = as_labels(problem.labels)
    fitted, found = fit_chain(text, labels, ChainConfig())
    new, _ = as_text(problem.new, names, hard)
    return fitted, found, posterior_of_text(new, labels, ChainConfig(), fitted)


def assert_is_oracle(problem, double, expected=None, new=None):
    expected = expected or reference.fit(problem.text, problem.labels)
    if new is None:
        new = reference.posterior(expected, problem.new, problem.labels)
    with precision(double):
        fitted, found, found_new = fit_and_apply(problem)
    tolerance = {"rtol": 0, "atol": 1e-6 if double else 1e-4}
    np.testing.assert_allclose(found.posterior, expected.posterior, **tolerance)
    np.testing.assert_allclose(found_new, new, **tolerance)
    assert found.posterior.dtype == found_new.dtype == (np.float64 if double else np.float32)
    np.testing.assert_allclose(found.log_marginal, expected.log_marginal, rtol=1e-5)
    return fitted, expected, tolerance


@precisions
@pytest.mark.parametrize("case", CASES)
def test_fit_and_posterior_of_another_text(case, double):
    problem, expected = case_and_oracle(case)
    fitted, _, tolerance = assert_is_oracle(problem, double, expected)
    sources, types = expected.sources, expected.types
    np.testing.assert_allclose(fitted.kappa, expected.kappa, **tolerance)
    np.testing.assert_allclose(fitted.sources.trust, sources.trust, **tolerance)
    np.testing.assert_allclose(fitted.sources.weights, sources.weights, **tolerance)
    np.testing.assert_allclose(fitted.sources.frequency, sources.frequency, **tolerance)
    np.testing.assert_allclose(fitted.sources.mean, sources.mean, **tolerance)
    np.testing.assert_allclose(np.exp(fitted.sources.log_confusion), sources.confusion, **tolerance)
    np.testing.assert_allclose(fitted.state.prior, types.prior, **tolerance)
    np.testing.assert_allclose(fitted.state.start, types.start, **tolerance)
    np.testing.assert_allclose(fitted.state.transitions, types.transitions, **tolerance)


@precisions
def test_best_labels_of_another_text(double):
    problem, oracle = case_and_oracle("abstentions and known labels")
    with precision(double):
        text, names = as_text(problem.text)
        labels = as_labels(problem.labels)
        fitted, _ = fit_chain(text, labels, ChainConfig())
        found = best_labels(as_text(problem.new, names)[0], labels, ChainConfig(), fitted)
    expected = reference.labels_of(oracle, problem.new, problem.labels)
    np.testing.assert_array_equal(found, expected)


@precisions
def test_best_labels_of_the_text_itself_leave_each_word_out_of_its_own_type(double):
    problem, oracle = case_and_oracle("abstentions and known labels")
    log_prior = np.log(
        np.random.default_rng(0).dirichlet(np.ones(NUM_LABELS), len(oracle.posterior))
    )
    with precision(double):
        text, _ = as_text(problem.text)
        labels = as_labels(problem.labels)
        fitted, found = fit_chain(text, labels, ChainConfig())
        given = text, labels, ChainConfig(), fitted
        alone = best_labels_of_fitted_text(*given, found.posterior)
        prior = log_prior.astype(found.posterior.dtype)
        with_tagger = best_labels_of_fitted_text(*given, found.posterior, prior)
    own = reference.labels_of(oracle, problem.text, problem.labels, oracle.posterior)
    np.testing.assert_array_equal(alone, own)
    known = problem.text.gold >= 0
    np.testing.assert_array_equal(alone[known], problem.text.gold[known])
    weight = ChainConfig().tagger_weight
    tagger = weight * (log_prior - np.log(oracle.types.prior))
    own = reference.labels_of(oracle, problem.text, problem.labels, oracle.posterior, tagger)
    np.testing.assert_array_equal(with_tagger, own)
    assert 0.5 < (alone == with_tagger).mean() < 1


def test_the_own_q_of_a_word_that_occurs_once_does_not_matter_for_its_best_label():
    problem, _ = case_and_oracle("square")
    sentences = [[f"{word}{n}" for n, word in enumerate(s)] for s in problem.text.sentences[:4]]
    count = sum(map(len, sentences))
    probs, gold = problem.text.probs[:count], problem.text.gold[:count]
    text, _ = as_text(problem.text._replace(sentences=sentences, probs=probs, gold=gold))
    labels, config = as_labels(problem.labels), ChainConfig(back_off=0.01)
    fitted, found = fit_chain(text, labels, config)
    first = best_labels_of_fitted_text(text, labels, config, fitted, found.posterior)
    for label in range(NUM_LABELS):
        posterior = found.posterior.copy()
        posterior[-1] = np.eye(NUM_LABELS)[label]
        again = best_labels_of_fitted_text(text, labels, config, fitted, posterior)
        np.testing.assert_array_equal(first, again)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=3, deadline=None)
def test_order_of_sources_and_labels_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    problem = example(seed, square_labels(bio=True), abstaining=0.2, gold=0.05)
    by_source, by_label = rng.permutation(NUM_SOURCES), rng.permutation(NUM_LABELS)
    number = np.append(np.argsort(by_label), -1)  # the new number of each label, and of none

    def permuted(text):
        return text._replace(probs=text.probs[:, by_source][..., by_label], gold=number[text.gold])

    labels = problem.labels._replace(
        may_start=problem.labels.may_start[by_label],
        may_follow=problem.labels.may_follow[by_label][:, by_label],
    )
    other = problem._replace(text=permuted(problem.text), new=permuted(problem.new), labels=labels)
    with precision(True):
        fitted, found, new = fit_and_apply(problem)
        again, found_again, new_again = fit_and_apply(other)
    np.testing.assert_allclose(found_again.posterior, found.posterior[:, by_label], atol=1e-9)
    np.testing.assert_allclose(new_again, new[:, by_label], atol=1e-9)
    np.testing.assert_allclose(again.kappa, fitted.kappa[by_source], atol=1e-9)


@precisions
@pytest.mark.parametrize("case", CASES)
def test_agreement_with_the_posterior_is_cohens_kappa(case, double):
    labels, properties = CASES[case]
    problem = example(4, labels, **properties)
    rng = np.random.default_rng(0)
    posterior = rng.dirichlet(np.full(NUM_LABELS, 0.3), len(problem.text.gold))
    posterior[:3] = 0  # words that do not count
    counts = posterior.any(axis=1)
    expected = []
    for source, means in enumerate(labels.compatible):
        probs = problem.text.probs[:, source]
        speaks = counts & probs.any(axis=1)
        given, q = means[probs[speaks].argmax(axis=1)], posterior[speaks]
        by_chance = (given.mean(axis=0) * q.mean(axis=0)).sum()
        agreed = (given * q).sum(axis=1).mean()
        expected.append(max(agreed - by_chance, 0) / (1 - by_chance))
    with precision(double):
        text, _ = as_text(problem.text)
        found = agreement_with_posterior(
            text, as_labels(labels), posterior.astype(text.votes.dtype)
        )
    np.testing.assert_allclose(found, expected, atol=1e-9 if double else 1e-5)


def test_a_source_that_abstains_everywhere_is_a_source_removed():
    problem = example(2, square_labels(bio=True), abstaining=0.1)
    silent = problem._replace(
        text=problem.text._replace(probs=problem.text.probs.copy()),
        new=problem.new._replace(probs=problem.new.probs.copy()),
    )
    silent.text.probs[:, 3] = silent.new.probs[:, 3] = 0
    kept = np.arange(NUM_SOURCES) != 3
    fewer = square_labels(bio=True, num_sources=NUM_SOURCES - 1)
    expected = reference.fit(problem.text._replace(probs=problem.text.probs[:, kept]), fewer)
    new = problem.new._replace(probs=problem.new.probs[:, kept])
    posterior = reference.posterior(expected, new, fewer)
    fitted, _, tolerance = assert_is_oracle(silent, True, expected, posterior)
    np.testing.assert_allclose(fitted.kappa[kept], expected.kappa, **tolerance)


def with_copies(problem, source, copy, noise=0.0):
    """The problem with the predictions of one source in the place of those of another."""
    rng, texts = np.random.default_rng(0), []
    for text in (problem.text, problem.new):
        probs, replaced = text.probs.copy(), rng.random(len(text.probs)) >= noise
        probs[replaced, copy] = probs[replaced, source]
        texts.append(text._replace(probs=probs))
    return problem._replace(text=texts[0], new=texts[1])


def test_an_exact_copy_of_a_source_changes_nothing():
    problem = example(7, square_labels(bio=True), abstaining=0.1)
    copied, kept = with_copies(problem, source=2, copy=4), np.arange(NUM_SOURCES) != 4
    fewer = square_labels(bio=True, num_sources=NUM_SOURCES - 1)
    expected = reference.fit(problem.text._replace(probs=problem.text.probs[:, kept]), fewer)
    new = problem.new._replace(probs=problem.new.probs[:, kept])
    posterior = reference.posterior(expected, new, fewer)
    fitted, _, tolerance = assert_is_oracle(copied, True, expected, posterior)
    np.testing.assert_allclose(fitted.kappa, expected.kappa[[0, 1, 2, 3, 2]], **tolerance)
    np.testing.assert_array_equal(fitted.copies.sum(axis=1), [1, 1, 2, 1, 2])
    shares = np.array([1, 1, 0.5, 1, 0.5])[:, None] * expected.sources.weights[[0, 1, 2, 3, 2]]
    np.testing.assert_allclose(fitted.sources.weights, shares, **tolerance)


@pytest.fixture(scope="module")
def near_copies():
    problem = example(10, rectangular_labels(), abstaining=0.1)
    problem = with_copies(problem, source=2, copy=4, noise=0.15)
    return problem, reference.fit(problem.text, problem.labels)


@precisions
def test_fit_with_near_copies(near_copies, double):
    problem, expected = near_copies
    given_ = np.where(problem.text.probs.any(axis=2), problem.text.probs.argmax(axis=2), -1)
    pairs = reference.pairwise_agreement(given_, problem.text.probs.shape[2])
    assert 0.2 < reference.near_copies(pairs)[2, 4] < 0.8
    assert_is_oracle(problem, double, expected)


def test_labels_are_one_hot_probabilities():
    problem = example(3, square_labels(bio=True), abstaining=0.2, gold=0.1)
    one_hot = np.eye(NUM_LABELS)
    texts = [
        text._replace(probs=one_hot[text.probs.argmax(2)] * text.probs.any(2, keepdims=True))
        for text in (problem.text, problem.new)
    ]
    as_probs = problem._replace(text=texts[0], new=texts[1])
    hard, soft = fit_and_apply(problem, hard=True), fit_and_apply(as_probs)
    for first, second in zip(jax.tree.leaves(hard), jax.tree.leaves(soft), strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-4, atol=1e-5)


def test_known_labels_are_certain_even_where_the_tagging_scheme_forbids_them():
    problem = example(4, square_labels(bio=True), abstaining=0.2)
    known = np.full(len(problem.text.gold), -1)
    known[::3], known[1::3] = 0, 2  # "O", then "I-X"
    known[5] = known[9] = -1
    problem = problem._replace(text=problem.text._replace(gold=known))
    with precision(False):
        fitted, found, new = fit_and_apply(problem)
    for leaf in jax.tree.leaves((found, new, fitted.kappa, fitted.state)):
        assert np.isfinite(leaf).all()
    one_hot = np.eye(NUM_LABELS)[known[known >= 0]]
    np.testing.assert_allclose(found.posterior[known >= 0], one_hot, atol=1e-6)
    np.testing.assert_allclose(found.posterior.sum(1), 1, rtol=1e-5)


def test_a_text_on_which_all_sources_abstain_has_a_uniform_posterior():
    problem = example(5, square_labels())
    problem.text.probs[:] = 0
    _, found, new = fit_and_apply(problem)
    assert np.isfinite(new).all()
    np.testing.assert_allclose(found.posterior, 1 / NUM_LABELS, rtol=1e-4)


def test_a_new_text_of_unknown_words_and_one_of_empty_sentences():
    problem = example(6, square_labels())
    empty = problem.new._replace(
        sentences=[[], []], probs=problem.new.probs[:0], gold=problem.new.gold[:0]
    )
    unknown = problem.new._replace(sentences=[["?"] * len(s) for s in problem.new.sentences])
    oracle = reference.fit(problem.text, problem.labels)
    for new in (empty, unknown):
        _, _, found = fit_and_apply(problem._replace(new=new))
        expected = reference.posterior(oracle, new, problem.labels)
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, atol=1e-4)
