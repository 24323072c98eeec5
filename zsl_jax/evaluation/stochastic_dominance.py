"""Tests whether one training method beats another over seeds: almost stochastic dominance.

A dominates B if its quantile function is nowhere below B's. The violation ratio measures how far
that is from true, and ε_min bounds it from above: below 0.5, A is almost stochastically dominant
(del Barrio et al., 2018; Dror et al., 2019).
"""

from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from zsl_jax.evaluation.bootstrap import Resampling


class Dominance(NamedTuple):
    """How far one side is from dominating the other.

    Attributes:
      violation_ratio: From 0 (better in every quantile) to 1 (worse in every quantile).
      epsilon_min: Upper bound of the ratio at the given confidence; below 0.5 the first side is
        better.
    """

    violation_ratio: float
    epsilon_min: float


def violation_ratio(
    first: Float[np.ndarray, "... n"], second: Float[np.ndarray, "... m"]
) -> Float[np.ndarray, "..."]:
    """The share of the squared distance of two quantile functions where the first is lower.

    ε = ∫ max(G⁻¹(t) - F⁻¹(t), 0)² dt / ∫ (G⁻¹(t) - F⁻¹(t))² dt over t in (0, 1), exactly: between
    the multiples of 1/n and 1/m both functions are constant.

    Args:
      first: [..., n], scores whose empirical distribution is F; higher is better.
      second: [..., m], scores whose empirical distribution is G.

    Returns:
      [...], in [0, 1]; swapping the sides gives 1 - ε. 0.5 if both distributions are the same.

    >>> round(float(violation_ratio(np.array([0.8, 0.7]), np.array([0.6, 1.0]))), 6)
    0.8
    """
    n, m = first.shape[-1], second.shape[-1]
    ends = np.union1d(np.arange(n + 1) / n, np.arange(m + 1) / m)
    middles, widths = (ends[1:] + ends[:-1]) / 2, np.diff(ends)
    lower = np.sort(first, axis=-1)[..., (middles * n).astype(int)]
    upper = np.sort(second, axis=-1)[..., (middles * m).astype(int)]
    distance = (upper - lower) ** 2 @ widths
    violation = np.maximum(upper - lower, 0) ** 2 @ widths
    return np.where(distance > 0, violation / np.where(distance > 0, distance, 1), 0.5)


DRAWN = 1000  # scores of each side in a resample of `epsilon_of_many_draws`


def epsilon_of_many_draws(
    first: Float[np.ndarray, " n"], second: Float[np.ndarray, " m"], resampling: Resampling
) -> float:
    """ε_min as the program of Dror et al. (2019) computes it, which is the laxer test.

    It resamples 1,000 scores per side, however many there are, and divides their standard deviation
    by √500, so that the bound is hardly above the violation ratio: with three seeds it does not
    allow for the choice of seeds. `stochastic_dominance` resamples as many scores as there are.

    Args:
      first: [n], one score per seed.
      second: [m], the scores of the other side.
      resampling: The number of resamples, the confidence and the seed.

    Returns:
      The bound, in [0, 1]; at most 0.5 claims that the first side is better.

    >>> first, second = np.array([3.0, 5, 4]), np.array([4.0, 3, 2])
    >>> epsilon_of_many_draws(first, second, Resampling(50))
    0.0
    """
    rng = np.random.default_rng(resampling.seed)
    drawn = [rng.choice(side, (resampling.num_resamples, DRAWN)) for side in (first, second)]
    deviation = float(violation_ratio(*drawn).std()) / (DRAWN / 2) ** 0.5
    ratio = float(violation_ratio(first, second))
    return _bound(ratio, deviation, resampling.confidence)


def _bound(ratio: float, deviation: float, confidence: float) -> float:
    return min(1.0, max(0.0, ratio + NormalDist().inv_cdf(confidence) * deviation))


def stochastic_dominance(
    first: Float[np.ndarray, " n"], second: Float[np.ndarray, " m"], resampling: Resampling
) -> Dominance:
    """Tests whether the first side's scores almost stochastically dominate the second's.

    ε_min = ε - Φ⁻¹(1 - confidence) · sd(ε*), where ε* are the violation ratios of resampled scores.
    (The factors √(nm / (n + m)) of the papers cancel.) With few seeds the bound is coarse.

    Args:
      first: [n], one score per seed, at least two.
      second: [m], the scores of the other side.
      resampling: Settings for the standard deviation, and the confidence of the bound.

    Returns:
      The violation ratio and its upper bound, both in [0, 1].
    """
    rng = np.random.default_rng(resampling.seed)
    resampled = violation_ratio(
        *(rng.choice(side, (resampling.num_resamples, len(side))) for side in (first, second))
    )
    ratio = float(violation_ratio(first, second))
    return Dominance(ratio, _bound(ratio, float(resampled.std()), resampling.confidence))
