"""Precision, recall and F1 from counts, and the check that two labellings are comparable.

0 / 0 is 0.0: without predicted entities, precision is 0.
"""

from collections.abc import Sequence
from typing import NamedTuple

from zsl_jax.errors import InputError

Labels = Sequence[Sequence[str]]


class Score(NamedTuple):
    """Precision, recall and their harmonic mean, each in [0, 1].

    Attributes:
      precision: Share of the predicted entities or words that are correct.
      recall: Share of the gold entities or words that were found.
      f1: 2 * precision * recall / (precision + recall).
      support: Number of gold entities or words.
    """

    precision: float
    recall: float
    f1: float
    support: int


def score_counts(correct: int, predicted: int, gold: int) -> Score:
    """Computes scores from counts.

    Args:
      correct: Number of predicted items that are in the gold.
      predicted: Number of predicted items.
      gold: Number of gold items.

    Returns:
      correct / predicted, correct / gold, 2 * correct / (predicted + gold), and `gold`.
    """
    return Score(
        precision=ratio(correct, predicted),
        recall=ratio(correct, gold),
        f1=ratio(2 * correct, predicted + gold),
        support=gold,
    )


def ratio(part: int, whole: int) -> float:
    """part / whole, and 0.0 if the whole is 0."""
    return part / whole if whole else 0.0


def check_lengths(gold: Labels, predicted: Labels) -> None:
    """Checks that two labellings belong to the same text.

    Args:
      gold: The labels of each sentence.
      predicted: As `gold`.

    Raises:
      InputError: The numbers of sentences or words differ; the message names the first sentence.
    """
    for number, (true, guess) in enumerate(zip(gold, predicted, strict=False), start=1):
        if len(true) != len(guess):
            raise InputError(
                f"sentence {number} has {len(true)} gold labels, but {len(guess)} predicted ones; "
                "predict exactly the words of the gold file"
            )
    if len(gold) != len(predicted):
        raise InputError(
            f"there are {len(gold)} sentences with gold labels, but {len(predicted)} with "
            f"predicted ones (different from sentence {min(len(gold), len(predicted)) + 1} on); "
            "predict exactly the text of the gold file"
        )
