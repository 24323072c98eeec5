"""Whether what the paper observes between two rows holds in a table."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from zsl_jax.evaluation.bootstrap import Interval, mean_interval, paired_test
from zsl_jax.evaluation.stochastic_dominance import stochastic_dominance
from zsl_jax.experiments.comparison import RESAMPLING, resampled_mean
from zsl_jax.experiments.plan import Cell, Observation, Workplace
from zsl_jax.experiments.scores import BEST_SOURCE, CellResult

LEVEL = 0.05


class Side(NamedTuple):
    """One side of an observation on one target.

    Attributes:
      cells: Of one row, with all seeds that both sides have.
      labels_from: Which of their labels, as in `CellResult.scores`.
    """

    cells: list[Cell]
    labels_from: str


class Observed(NamedTuple):
    """An observation in numbers, over the targets and seeds that both rows have.

    Attributes:
      observation: Which.
      scores: By target, in percent: the scores of the better row and of the other one by seed.
      p_values: By target, of the paired bootstrap over the sentences of its test.
      p_value: Of the mean difference over all targets, whose tests are resampled independently.
    """

    observation: Observation
    scores: Mapping[str, tuple[np.ndarray, np.ndarray]]
    p_values: Mapping[str, float]
    p_value: float | None

    @property
    def differences(self) -> dict[str, float]:
        """By target, of the means over seeds, in points."""
        return {
            target: float(own.mean() - other.mean()) for target, (own, other) in self.scores.items()
        }

    @property
    def mean(self) -> float:
        """The mean difference over the targets, in points."""
        return float(np.mean(list(self.differences.values())))

    @property
    def interval(self) -> Interval:
        """The mean difference in resamples of the targets."""
        return mean_interval(np.array(list(self.differences.values())), RESAMPLING)

    @property
    def epsilon(self) -> float | None:
        """The largest exact ε of a target over the seeds; None where one has a single seed."""
        pairs = list(self.scores.values())
        if min(len(own) for own, _ in pairs) < 2:
            return None
        return max(stochastic_dominance(*pair, RESAMPLING).epsilon_min for pair in pairs)

    @property
    def text(self) -> str:
        """One sentence, for the notes below a table."""
        tested = "" if self.p_value is None else f" (bootstrap p = {self.p_value:.3f})"
        higher, lower = (self._targets(sign) for sign in (1, -1))
        said = (
            f"{self.observation.title}: {self.mean:+.2f}{tested}; of {len(self.differences)} "
            f"target{'s' if len(self.differences) > 1 else ''}, {higher} above and {lower} below"
        )
        return said + (self._spread() if len(self.differences) > 1 else "")

    def _spread(self) -> str:
        """The interval over targets, the lowest one, the cells won, and ε."""
        _, low, high = self.interval
        epsilon = self.epsilon
        lowest = min(self.differences, key=lambda target: self.differences[target])
        won = np.concatenate([own > other for own, other in self.scores.values()])
        said = (
            f", {RESAMPLING.confidence:.0%} over targets {low:+.2f} to {high:+.2f}, lowest "
            f"{lowest} {self.differences[lowest]:+.2f}; {won.sum()} of {won.size} cells above"
        )
        return said + ("" if epsilon is None else f"; exact ε at most {epsilon:.2f}")

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
    return [one for one in found if one.scores]


def _observed(
    work: Workplace, results: Mapping[Cell, CellResult], observation: Observation
) -> Observed:
    score, scores, p_values, resampled = work.experiment.score, {}, {}, []
    for number, (target, sides) in enumerate(_sides(results, observation).items()):
        better, worse = (
            np.array([results[cell].score(score, labels_from) for cell in cells])
            for cells, labels_from in sides
        )
        scores[target] = better, worse
        own = RESAMPLING._replace(seed=number)
        drawn = [
            resampled_mean(work, cells, results, score, own, labels_from)
            for cells, labels_from in sides
        ]
        if drawn[0] is not None and drawn[1] is not None:
            resampled.append(drawn[0] - drawn[1])
            p_values[target] = paired_test(0.0, resampled[-1], RESAMPLING.confidence).p_value
    p_value = None
    if scores and len(resampled) == len(scores):
        mean = np.mean(resampled, axis=0)
        p_value = paired_test(0.0, mean, RESAMPLING.confidence).p_value
    return Observed(observation, scores, p_values, p_value)


def _sides(
    results: Mapping[Cell, CellResult], observation: Observation
) -> dict[str, tuple[Side, Side]]:
    """By target, both sides with the seeds that they have in common."""
    pairs: dict[str, tuple[Side, Side]] = {}
    for cell in results:
        if (cell.setting, cell.method) != observation.better:
            continue
        setting, method = observation.worse or observation.better
        other = cell._replace(setting=setting, method=method)
        if other not in results:
            continue
        wanted = observation.labels_from
        kinds = (
            wanted or results[cell].counts_from,
            wanted or results[other].counts_from if observation.worse else BEST_SOURCE,
        )
        if kinds[0] in results[cell].scores and kinds[1] in results[other].scores:
            sides = pairs.setdefault(cell.target, (Side([], kinds[0]), Side([], kinds[1])))
            for side, own in zip(sides, (cell, other), strict=True):
                side.cells.append(own)
    return pairs
