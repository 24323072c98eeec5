from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zsl_jax.evaluation.bootstrap import Resampling
from zsl_jax.evaluation.stochastic_dominance import (
    epsilon_of_many_draws,
    stochastic_dominance,
    violation_ratio,
)

few = settings(max_examples=60, deadline=None)
scores = st.lists(st.integers(0, 12), min_size=2, max_size=6)
MANY = Resampling(num_resamples=2_000)


def ratio(first, second):
    return float(violation_ratio(np.array(first, float), np.array(second, float)))


def integrated(first, second):
    """The violation ratio in fractions, by sums over the n * m equal parts of (0, 1)."""
    n, m = len(first), len(second)
    pairs = [(sorted(first)[part // m], sorted(second)[part // n]) for part in range(n * m)]
    total = sum(Fraction(f - g) ** 2 for f, g in pairs)
    violated = sum(Fraction(g - f) ** 2 for f, g in pairs if f < g)
    return violated / total if total else Fraction(1, 2)


@few
@given(scores, scores)
def test_the_ratio_is_the_integral(first, second):
    assert ratio(first, second) == pytest.approx(float(integrated(first, second)), abs=1e-12)
    assert ratio(first, second) + ratio(second, first) == pytest.approx(1.0)


@few
@given(scores, scores, st.data())
def test_a_better_score_never_violates_more(first, second, data):
    raised = list(first)
    raised[data.draw(st.integers(0, len(first) - 1))] += data.draw(st.integers(1, 12))
    assert ratio(raised, second) <= ratio(first, second) + 1e-12


@few
@given(scores, scores, st.integers(-5, 5), st.sampled_from([0.25, 2.0, 8.0]))
def test_shift_and_scale_do_not_matter(first, second, shift, scale):
    moved = [[scale * value + shift for value in side] for side in (first, second)]
    assert ratio(*moved) == pytest.approx(ratio(first, second), abs=1e-9)


def test_dominance_of_separated_and_equal_scores():
    low, high = np.array([0.1, 0.2, 0.3]), np.array([0.5, 0.6])
    assert stochastic_dominance(high, low, MANY) == (0.0, 0.0)
    assert stochastic_dominance(low, high, MANY) == (1.0, 1.0)
    constant = np.full(3, 0.7)
    assert stochastic_dominance(constant, constant, MANY) == (0.5, 0.5)
    same = stochastic_dominance(low, low, MANY)
    assert same.violation_ratio == 0.5 < same.epsilon_min <= 1.0


def test_many_distributions_at_once():
    first, second = np.random.default_rng(0).random((2, 7, 4))
    found = violation_ratio(first, second[:, :3])
    assert found == pytest.approx([ratio(a, b[:3]) for a, b in zip(first, second, strict=True)])


def test_the_bound_is_that_of_all_resamples():
    first, second = np.array([0.33, 0.07, 0.84]), np.array([0.10, 0.36])
    drawn = [
        integrated([*map(Fraction, a)], [*map(Fraction, b)])
        for a in product(first, repeat=3)
        for b in product(second, repeat=2)
    ]
    found = stochastic_dominance(first, second, Resampling(50_000, 0.9))
    deviation = np.std([float(value) for value in drawn])
    assert found.violation_ratio == pytest.approx(float(integrated([*map(Fraction, first)],
                                                        [*map(Fraction, second)])))  # fmt: skip
    assert found.epsilon_min == pytest.approx(
        found.violation_ratio + 1.2815516 * deviation, rel=0.02
    )


def test_the_bound_grows_with_confidence_and_depends_on_the_seed_alone():
    first, second = np.array([0.5, 0.7, 0.8]), np.array([0.4, 0.6, 0.75])
    bounds = [
        stochastic_dominance(first, second, MANY._replace(confidence=confidence)).epsilon_min
        for confidence in (0.5, 0.8, 0.95)
    ]
    assert bounds[0] < bounds[1] < bounds[2]
    again = [stochastic_dominance(first, second, MANY) for _ in range(2)]
    assert again[0] == again[1]


def test_the_bound_of_many_draws_is_the_ratio_and_hardly_more():
    """Dror et al. (2019) draw 1,000 scores per side and divide by √500, whatever the seeds."""
    first, second = np.array([80.0, 83, 79]), np.array([81.0, 80, 78])
    ratio = float(violation_ratio(first, second))
    many = epsilon_of_many_draws(first, second, MANY)
    exact = stochastic_dominance(first, second, MANY).epsilon_min
    assert ratio < many < ratio + 0.01 < exact
    rng = np.random.default_rng(0)  # the same draws, integrated on the grid of their program
    grid = np.arange(0, 1, 0.005)

    def quantile(scores):
        ordered = np.sort(scores)
        return ordered[np.maximum(np.ceil(grid * len(scores)).astype(int), 1) - 1]

    def epsilon(f, g):
        difference = quantile(g) - quantile(f)
        return (np.maximum(difference, 0) ** 2).sum() / (difference**2).sum()

    drawn = [rng.choice(side, (300, 1000)) for side in (first, second)]
    deviation = np.std([epsilon(f, g) for f, g in zip(*drawn, strict=True)])
    theirs = epsilon(first, second) + 1.6448536 * deviation / 500**0.5
    assert many == pytest.approx(theirs, abs=0.02)
