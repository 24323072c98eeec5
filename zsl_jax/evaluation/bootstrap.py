"""How sure a score on one test set is: the bootstrap over its sentences.

A resample draws as many sentences as there are, with replacement; the same resamples serve all
files, so that differences between them are paired. What varies is the choice of the test sentences,
not the training of the taggers: for that, see `stochastic_dominance`.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

DRAWN_AT_ONCE = 1 << 22  # sentences, over the resamples of a block
EQUAL = 1e-12  # means of several files' scores are equal up to rounding


class Resampling(NamedTuple):
    """How uncertainty is estimated.

    Attributes:
      num_resamples: How many resamples are drawn.
      confidence: The coverage of an interval or bound, such as 0.95.
      seed: Of the draws.
    """

    num_resamples: int = 10_000
    confidence: float = 0.95
    seed: int = 0


class Interval(NamedTuple):
    """A number and the interval that holds it with the given confidence.

    Attributes:
      value: On the sentences as they are.
      low: The interval's lower end.
      high: Its upper end.
    """

    value: float
    low: float
    high: float


class PairedTest(NamedTuple):
    """Whether one side is better than the other on other sentences, too.

    Attributes:
      difference: The first side's score minus the second's.
      p_value: Two-sided: how well no difference would go with the resamples.
    """

    difference: Interval
    p_value: float


def f1_from_counts(counts: Int[np.ndarray, "... 3"]) -> Float[np.ndarray, "..."]:
    """The F1 of counts; accuracy, if what is predicted and gold are all words.

    Args:
      counts: [..., 3], the numbers of right, predicted and gold.

    Returns:
      [...], 2 * right / (predicted + gold), and 0.0 for 0 / 0.
    """
    right, given, wanted = np.moveaxis(np.asarray(counts, np.float64), -1, 0)
    return 2 * right / np.maximum(given + wanted, 1)


def resampled_scores(
    counts: Int[np.ndarray, "F B 3"], resampling: Resampling
) -> Float[np.ndarray, "F R"]:
    """The scores of every file in every resample of the sentences.

    Args:
      counts: [F, B, 3], the numbers of right, predicted and gold of F files in each of B sentences,
        at least one.
      resampling: R is its number of resamples.

    Returns:
      [F, R], F1 (or accuracy) in [0, 1].
    """
    num_files, num_sentences, _ = counts.shape
    by_sentence = counts.transpose(1, 0, 2).reshape(num_sentences, -1).astype(np.float64)
    blocks = [weights @ by_sentence for weights in _drawn(num_sentences, resampling)]
    totals = np.concatenate(blocks).reshape(-1, num_files, 3)
    return f1_from_counts(totals).T


def _drawn(num_sentences: int, resampling: Resampling) -> Iterator[Float[np.ndarray, "R B"]]:
    """How often each resample has each sentence, in blocks of resamples."""
    rng = np.random.default_rng(resampling.seed)
    rows = max(1, DRAWN_AT_ONCE // num_sentences)
    for start in range(0, resampling.num_resamples, rows):
        size = min(rows, resampling.num_resamples - start)
        draws = rng.integers(num_sentences, size=(size, num_sentences))
        draws += num_sentences * np.arange(size)[:, None]
        times = np.bincount(draws.ravel(), minlength=size * num_sentences)
        yield times.reshape(size, num_sentences).astype(np.float64)


def percentile_interval(
    value: float, resampled: Float[np.ndarray, " R"], confidence: float
) -> Interval:
    """The interval that leaves out the same share of the resamples at either end.

    Args:
      value: On the sentences as they are.
      resampled: [R], the same in every resample.
      confidence: The share of the resamples in the interval.

    Returns:
      The value and the interval.
    """
    tail = (1 - confidence) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail]).tolist()
    return Interval(value, low, high)


def paired_test(value: float, resampled: Float[np.ndarray, " R"], confidence: float) -> PairedTest:
    """Tests whether two sides differ, from their differences in the same resamples.

    p = 2 (1 + min(#{d <= 0}, #{d >= 0})) / (1 + R), at most 1: never 0, and 1 for equal sides.

    Args:
      value: The first side's score minus the second's, on the sentences as they are.
      resampled: [R], the same differences d in every resample.
      confidence: Of the interval of the difference.

    Returns:
      The test. Swapped sides negate the difference and keep p.
    """
    fewer = min((resampled <= EQUAL).sum(), (resampled >= -EQUAL).sum())
    p_value = min(1.0, 2 * (1 + int(fewer)) / (1 + len(resampled)))
    return PairedTest(percentile_interval(value, resampled, confidence), p_value)
