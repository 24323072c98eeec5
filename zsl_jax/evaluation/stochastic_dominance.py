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
    bound = ratio + NormalDist().inv_cdf(resampling.confidence) * float(resampled.std())
    return Dominance(ratio, min(1.0, max(0.0, bound)))
