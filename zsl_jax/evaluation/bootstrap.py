"""Uncertainty of a score on one test set: the bootstrap over its sentences.

A resample draws as many sentences as there are, with replacement. All files share the resamples, so
that differences between them are paired. The bootstrap covers the choice of test sentences, not the
training of the taggers; for that, see `stochastic_dominance`.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

DRAWN_AT_ONCE = 1 << 22  # sentences drawn in one block of resamples
EQUAL = 1e-12  # differences up to rounding errors count as equal


class Resampling(NamedTuple):
    """Settings for estimating uncertainty.

    Attributes:
      num_resamples: Number of resamples.
      confidence: Coverage of an interval or bound, such as 0.95.
      seed: Random seed.
    """

    num_resamples: int = 10_000
    confidence: float = 0.95
    seed: int = 0


class Interval(NamedTuple):
    """A score and its confidence interval.

    Attributes:
      value: The score on the original sentences.
      low: Lower end of the interval.
      high: Upper end of the interval.
    """

    value: float
    low: float
    high: float


class PairedTest(NamedTuple):
    """A test whether one side is better than the other beyond the choice of sentences.

    Attributes:
      difference: The first side's score minus the second's.
      p_value: Two-sided p-value of the hypothesis that there is no difference.
    """

    difference: Interval
    p_value: float


def f1_from_counts(counts: Int[np.ndarray, "... 3"]) -> Float[np.ndarray, "..."]:
    """Computes F1 from counts; this is accuracy if predicted and gold counts are all words.

    Args:
      counts: [..., 3], the numbers of correct, predicted and gold items.

    Returns:
      [...], 2 * correct / (predicted + gold), and 0.0 for 0 / 0.
    """
    correct, predicted, gold = np.moveaxis(np.asarray(counts, np.float64), -1, 0)
    return 2 * correct / np.maximum(predicted + gold, 1)


def resampled_scores(
    counts: Int[np.ndarray, "F B 3"], resampling: Resampling
) -> Float[np.ndarray, "F R"]:
    """Scores every file in every resample of the sentences.

    Args:
      counts: [F, B, 3], the numbers of correct, predicted and gold items of F files in each of
        B ≥ 1 sentences.
      resampling: Settings; R is the number of resamples.

    Returns:
      [F, R], F1 (or accuracy) in [0, 1].
    """
    num_files, num_sentences, _ = counts.shape
    by_sentence = counts.transpose(1, 0, 2).reshape(num_sentences, -1).astype(np.float64)
    blocks = [weights @ by_sentence for weights in _drawn(num_sentences, resampling)]
    totals = np.concatenate(blocks).reshape(-1, num_files, 3)
    return f1_from_counts(totals).T


def _drawn(num_sentences: int, resampling: Resampling) -> Iterator[Float[np.ndarray, "R B"]]:
    """Yields how often each resample contains each sentence, in blocks of resamples."""
    rng = np.random.default_rng(resampling.seed)
    rows = max(1, DRAWN_AT_ONCE // num_sentences)
    for start in range(0, resampling.num_resamples, rows):
        size = min(rows, resampling.num_resamples - start)
        draws = rng.integers(num_sentences, size=(size, num_sentences))
        draws += num_sentences * np.arange(size)[:, None]
        times = np.bincount(draws.ravel(), minlength=size * num_sentences)
        yield times.reshape(size, num_sentences).astype(np.float64)


def mean_interval(values: Float[np.ndarray, " T"], resampling: Resampling) -> Interval:
    """The mean of some values, such as differences by target, in resamples of the values.

    >>> mean_interval(np.array([1.0, 1.0]), Resampling(10))
    Interval(value=1.0, low=1.0, high=1.0)
    """
    rng, size = np.random.default_rng(resampling.seed), len(values)
    drawn = rng.integers(size, size=(resampling.num_resamples, size))
    resampled = values[drawn].mean(axis=1)
    return percentile_interval(float(values.mean()), resampled, resampling.confidence)


def percentile_interval(
    value: float, resampled: Float[np.ndarray, " R"], confidence: float
) -> Interval:
    """The interval that excludes the same share of the resamples at either end.

    Args:
      value: The score on the original sentences.
      resampled: [R], the score in every resample.
      confidence: Share of the resamples inside the interval.

    Returns:
      The value and the interval.
    """
    tail = (1 - confidence) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail]).tolist()
    return Interval(value, low, high)


def paired_test(value: float, resampled: Float[np.ndarray, " R"], confidence: float) -> PairedTest:
    """Tests whether two sides differ, by their differences in the same resamples.

    p = 2 (1 + min(#{d <= 0}, #{d >= 0})) / (1 + R), at most 1: never 0, and 1 for equal sides.

    Args:
      value: The first side's score minus the second's, on the original sentences.
      resampled: [R], the difference d in every resample.
      confidence: Coverage of the interval of the difference.

    Returns:
      The test. Swapping the sides negates the difference and keeps p.
    """
    fewer = min((resampled <= EQUAL).sum(), (resampled >= -EQUAL).sum())
    p_value = min(1.0, 2 * (1 + int(fewer)) / (1 + len(resampled)))
    return PairedTest(percentile_interval(value, resampled, confidence), p_value)
