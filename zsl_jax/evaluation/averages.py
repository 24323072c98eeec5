"""Mean and standard deviation over several prediction files of a text, such as one per seed."""

from collections.abc import Mapping, Sequence
from statistics import mean, stdev
from typing import Any, NamedTuple


class Average(NamedTuple):
    """Mean and standard deviation of several numbers.

    Attributes:
      mean: The mean.
      sd: The standard deviation with n - 1; 0.0 for a single number.
    """

    mean: float
    sd: float


def average(values: Sequence[float]) -> Average:
    """Computes mean and standard deviation.

    Args:
      values: At least one number.

    Returns:
      Mean and standard deviation.
    """
    return Average(mean(values), stdev(values) if len(values) > 1 else 0.0)


def average_scores(files: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Averages the scores of several files.

    Args:
      files: As `metrics.score` returns them, at least one, all of the same task.

    Returns:
      "accuracy" and, with entities, "f1_strict" and "f1_conlleval", each with "mean" and "sd"; the
      same for each type's strict F1 under "per_type", or each label's F1 under "per_label". A file
      without a type or label counts as 0.0.
    """
    names = [name for name in ("accuracy", "f1_strict", "f1_conlleval") if name in files[0]]
    averages: dict[str, Any] = {
        name: average([scores[name] for scores in files])._asdict() for name in names
    }
    if "strict" in files[0]:
        return {**averages, "per_type": _average_f1([file["strict"]["per_type"] for file in files])}
    return {**averages, "per_label": _average_f1([file["per_label"] for file in files])}


def _average_f1(tables: Sequence[Mapping[str, Mapping[str, Any]]]) -> dict[str, dict[str, float]]:
    names = sorted({name for table in tables for name in table})
    return {
        name: average([table[name]["f1"] if name in table else 0.0 for table in tables])._asdict()
        for name in names
    }
