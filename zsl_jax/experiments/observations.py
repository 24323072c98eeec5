"""Whether what the paper observes between two rows holds in a table."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from zsl_jax.evaluation.bootstrap import paired_test
from zsl_jax.experiments.comparison import RESAMPLING, resampled_mean
from zsl_jax.experiments.plan import Cell, Observation, Workplace
from zsl_jax.experiments.scores import CellResult

LEVEL = 0.05


class Observed(NamedTuple):
    """An observation in numbers, over the targets and seeds that both rows have.

    Attributes:
      observation: Which.
      differences: By target, of the means over seeds, in points.
      p_values: By target, of the paired bootstrap over the sentences of its test.
      p_value: Of the mean difference over all targets, whose tests are resampled independently.
    """

    observation: Observation
    differences: Mapping[str, float]
    p_values: Mapping[str, float]
    p_value: float | None

    @property
    def mean(self) -> float:
        """The mean difference over the targets, in points."""
        return float(np.mean(list(self.differences.values())))

    @property
    def text(self) -> str:
        """One sentence, for the notes below a table."""
        tested = "" if self.p_value is None else f" (bootstrap p = {self.p_value:.3f})"
        higher, lower = (self._targets(sign) for sign in (1, -1))
        return (
            f"{self.observation.title}: {self.mean:+.2f}{tested}; of {len(self.differences)} "
            f"targets, {higher} above and {lower} below"
        )

    def _targets(self, sign: int) -> str:
        """How many targets have a difference of this sign, and of how many that is clear."""
        those = [target for target, points in self.differences.items() if sign * points > 0]
        clear = [target for target in those if self.p_values.get(target, 1.0) < LEVEL]
        return f"{len(those)}" + (f" ({len(clear)} with p < {LEVEL})" if clear else "")


def observe(work: Workplace, results: Mapping[Cell, CellResult]) -> list[Observed]:
    """Tests the observations of which some target has both rows.

    Args:
      work: The experiment and its folders.
      results: Of the cells that are done.
    """
    found = [_observed(work, results, one) for one in work.experiment.observations]
    return [one for one in found if one.differences]


def _observed(
    work: Workplace, results: Mapping[Cell, CellResult], observation: Observation
) -> Observed:
    score, differences, p_values, resampled = work.experiment.score, {}, {}, []
    for number, (target, sides) in enumerate(_pairs(results, observation).items()):
        means = [np.mean([results[cell].score(score) for cell in cells]) for cells in sides]
        differences[target] = float(means[0] - means[1])
        own = RESAMPLING._replace(seed=number)
        better, worse = (resampled_mean(work, cells, results, score, own) for cells in sides)
        if better is not None and worse is not None:
            resampled.append(better - worse)
            p_values[target] = paired_test(0.0, resampled[-1], RESAMPLING.confidence).p_value
    p_value = None
    if differences and len(resampled) == len(differences):
        mean = np.mean(resampled, axis=0)
        p_value = paired_test(0.0, mean, RESAMPLING.confidence).p_value
    return Observed(observation, differences, p_values, p_value)


def _pairs(
    results: Mapping[Cell, CellResult], observation: Observation
) -> dict[str, tuple[list[Cell], list[Cell]]]:
    """By target, the cells of either row with the seeds that both have."""
    pairs: dict[str, tuple[list[Cell], list[Cell]]] = {}
    for cell in results:
        if (cell.setting, cell.method) != observation.better:
            continue
        setting, method = observation.worse
        other = cell._replace(setting=setting, method=method)
        if other in results:
            better, worse = pairs.setdefault(cell.target, ([], []))
            better.append(cell)
            worse.append(other)
    return pairs
