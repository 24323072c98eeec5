"""Calibration of probabilities: of the words labelled with 80 %, four in five should be correct."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

NUM_BINS = 10


class Bin(NamedTuple):
    """The words whose label has a probability in some range.

    Attributes:
      low: The least probability of the range.
      high: The greatest.
      num_words: How many words; ranges without any are left out.
      probability: Their mean probability.
      accuracy: The share of them whose label is correct.
    """

    low: float
    high: float
    num_words: int
    probability: float
    accuracy: float


class Calibration(NamedTuple):
    """A reliability diagram in numbers.

    Attributes:
      bins: From the least probable on.
      error: The expected calibration error: mean |accuracy − probability| over the words.
    """

    bins: tuple[Bin, ...]
    error: float


def calibration(
    probs: Float[np.ndarray, " N"], correct: Bool[np.ndarray, " N"], num_bins: int = NUM_BINS
) -> Calibration:
    """Compares the probabilities of the predicted labels with how often they are correct.

    Args:
      probs: [N], of each word's label, from 0 to 1.
      correct: [N], whether the label is correct.
      num_bins: Ranges of equal width.

    >>> calibration(np.array([0.95, 0.95, 0.25]), np.array([True, False, True]), 2).bins[1]
    Bin(low=0.5, high=1.0, num_words=2, probability=0.95, accuracy=0.5)
    """
    probs, correct = np.asarray(probs, np.float64), np.asarray(correct)
    places = np.clip((probs * num_bins).astype(int), 0, num_bins - 1)
    bins = []
    for place in np.unique(places).tolist():
        inside = places == place
        means = float(probs[inside].mean()), float(correct[inside].mean())
        bins.append(Bin(place / num_bins, (place + 1) / num_bins, int(inside.sum()), *means))
    gaps = sum(found.num_words * abs(found.accuracy - found.probability) for found in bins)
    return Calibration(tuple(bins), gaps / max(len(probs), 1))
