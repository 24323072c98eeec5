"""Tests of zsl_jax.evaluation.stratified_intervals: unbiased values; intervals cover the truth."""

import numpy as np
import pytest
from scipy import stats

from zsl_jax.evaluation.bootstrap import Resampling
from zsl_jax.evaluation.stratified_intervals import Stratum, stratified_scores

RESAMPLING = Resampling(num_resamples=400, seed=1)


def counts_of(correct, words):
    return np.stack([correct, words, words], axis=-1)[None]


def test_a_text_that_is_known_as_a_whole_has_no_uncertainty():
    counts = counts_of(np.array([3, 0, 5]), np.array([4, 2, 5]))
    (found,) = stratified_scores([Stratum(3, counts)], RESAMPLING)
    assert found == pytest.approx((8 / 11, 8 / 11, 8 / 11))


def test_strata_are_weighted_by_their_size():
    """A stratum of which all is wrong, and one of which two of 40 are known: 6 of 8 correct."""
    strata = [
        Stratum(10, counts_of(np.zeros(10, int), np.full(10, 4))),
        Stratum(40, counts_of(np.array([4, 2]), np.array([4, 4]))),
    ]
    (found,) = stratified_scores(strata, RESAMPLING)
    assert found.value == pytest.approx(40 * 3 / (40 * 4 + 10 * 4))
    assert found.low < 0.1 and found.high > 0.9  # one degree of freedom


def test_the_variance_is_that_of_sampling_without_replacement():
    """Var of the mean of n of N: (1 − n/N) s²/n, and no larger."""
    rng = np.random.default_rng(0)
    correct = rng.binomial(10, 0.7, 30)
    counts = counts_of(correct, np.full(30, 10))
    settings = Resampling(num_resamples=20_000)
    (found,) = stratified_scores([Stratum(40, counts)], settings)
    error = np.sqrt((1 - 30 / 40) * correct.var(ddof=1) / 30) / 10
    p, t = correct.mean() / 10, stats.t.ppf(0.975, 29)
    width = t * error / (p * (1 - p))
    expected = [1 / (1 + np.exp(-np.log(p / (1 - p)) - sign * width)) for sign in (-1, 1)]
    assert found[1:] == pytest.approx(expected, abs=0.03 * error)


def test_intervals_cover_the_truth_as_often_as_they_promise():
    """300 samples of 15 doubtful and 45 random sentences out of 600."""
    rng = np.random.default_rng(5)
    words = rng.integers(3, 15, 600)
    doubt = rng.beta(1, 8, 600)
    correct = words - rng.binomial(words, doubt)
    order = np.argsort(-doubt * words)
    chosen, rest = order[:15], order[15:]
    truth, covered, values = correct.sum() / words.sum(), 0, []
    for seed in range(300):
        drawn = rng.choice(rest, 45, replace=False)
        strata = [
            Stratum(15, counts_of(correct[chosen], words[chosen])),
            Stratum(585, counts_of(correct[drawn], words[drawn])),
        ]
        (found,) = stratified_scores(strata, RESAMPLING._replace(seed=seed))
        covered += found.low <= truth <= found.high
        values.append(found.value)
    assert 0.90 <= covered / 300 <= 0.99
    assert abs(np.mean(values) - truth) < 3 * np.std(values) / np.sqrt(300)


def test_a_sample_without_an_error_does_not_promise_perfection():
    """With 20 sentences, a share of 14 % with an error goes unseen once in twenty."""
    counts = counts_of(np.full(20, 5), np.full(20, 5))
    (found,) = stratified_scores([Stratum(2000, counts)], RESAMPLING)
    assert found.value == found.high == 1
    assert found.low == pytest.approx(1 - (1 - 0.05 ** (1 / 20)) * 0.99)


def test_a_sample_with_nothing_correct_does_not_promise_zero():
    """The mirror image: a share of 14 % that is correct goes unseen once in twenty."""
    counts = counts_of(np.zeros(20, int), np.full(20, 5))
    (found,) = stratified_scores([Stratum(2000, counts)], RESAMPLING)
    assert found.value == found.low == 0
    assert found.high == pytest.approx((1 - 0.05 ** (1 / 20)) * 0.99)


def test_a_sample_without_any_entity_says_nothing():
    strata = [Stratum(90, np.zeros((1, 4, 3), int))]
    assert stratified_scores(strata, RESAMPLING)[0] == (0, 0, 1)
    known = Stratum(1, counts_of(np.array([3]), np.array([3])))
    (found,) = stratified_scores([known, *strata], RESAMPLING)
    assert found.value == found.high == 1
    assert found.low < 0.2


def test_sentences_that_are_all_alike_leave_both_ends_open():
    counts = counts_of(np.full(3, 1), np.full(3, 2))
    (found,) = stratified_scores([Stratum(300, counts)], RESAMPLING)
    assert found.low < 0.25 and found.value == 0.5 and found.high > 0.75


def test_intervals_of_rare_entities_cover_the_truth():
    """Sources that find none, a few or nearly all of 60 entities in 300 sentences."""
    rng = np.random.default_rng(2)
    gold = rng.multinomial(60, np.full(300, 1 / 300))
    correct = np.stack([rng.binomial(gold, share) for share in (0.0, 0.04, 0.96)])
    counts = np.stack([correct, np.broadcast_to(gold, correct.shape), correct * 0 + gold], axis=-1)
    truth = correct.sum(axis=1) / gold.sum()
    covered = np.zeros(3)
    for seed in range(200):
        drawn = rng.choice(300, 10, replace=False)
        found = stratified_scores([Stratum(300, counts[:, drawn])], RESAMPLING._replace(seed=seed))
        covered += [one.low <= score <= one.high for one, score in zip(found, truth, strict=True)]
    assert (covered / 200 >= 0.9).all()
