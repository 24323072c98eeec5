"""Precision, recall and F1 from counts, and what two labellings need to be compared.

0 / 0 is 0.0: no predicted entity means precision 0.
"""

from collections.abc import Sequence
from typing import NamedTuple

from zsl_jax.errors import InputError

Labels = Sequence[Sequence[str]]


class Score(NamedTuple):
    """Precision, recall and their harmonic mean, each in [0, 1].

    Attributes:
      precision: The share of what was predicted that is right.
      recall: The share of the gold that was found.
      f1: 2 * precision * recall / (precision + recall).
      support: The number of entities or words in the gold.
    """

    precision: float
    recall: float
    f1: float
    support: int


def score_counts(right: int, given: int, wanted: int) -> Score:
    """Scores from counts.

    Args:
      right: How many of the predicted are in the gold.
      given: How many are predicted.
      wanted: How many are in the gold.

    Returns:
      right / given, right / wanted, 2 * right / (given + wanted), and `wanted`.
    """
    return Score(
        precision=ratio(right, given),
        recall=ratio(right, wanted),
        f1=ratio(2 * right, given + wanted),
        support=wanted,
    )


def ratio(part: int, whole: int) -> float:
    """part / whole, and 0.0 where there is no whole."""
    return part / whole if whole else 0.0


def check_lengths(gold: Labels, predicted: Labels) -> None:
    """Checks that two labellings are of the same text.

    Args:
      gold: The labels of each sentence.
      predicted: As `gold`.

    Raises:
      InputError: At the first sentence whose numbers of labels differ.
    """
    for number, (true, guess) in enumerate(zip(gold, predicted, strict=False), start=1):
        if len(true) != len(guess):
            raise InputError(
                f"Sentence {number} has {len(true)} gold labels, but {len(guess)} predicted ones; "
                "predict the very words of the gold file."
            )
    if len(gold) != len(predicted):
        raise InputError(
            f"There are {len(gold)} sentences with gold labels, but {len(predicted)} with "
            f"predicted ones (from sentence {min(len(gold), len(predicted)) + 1} on); predict the "
            "very text of the gold file."
        )
