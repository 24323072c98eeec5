"""The best of the proposed methods against the best baseline, as the paper marks its tables."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from zsl_jax.evaluation import metrics
from zsl_jax.evaluation.bootstrap import Resampling, paired_test, resampled_scores
from zsl_jax.evaluation.stochastic_dominance import epsilon_of_many_draws, stochastic_dominance
from zsl_jax.experiments.corpora import labelled_test
from zsl_jax.experiments.plan import Cell, Method, Role, Workplace
from zsl_jax.experiments.scores import CellResult, predicted_labels

RESAMPLING = Resampling(num_resamples=1000)
_READINGS = {"f1_conlleval": "conlleval", "f1_strict": "strict"}  # by the F1 that they give
MOST = 0.5  # the largest ε of a method that counts as better
Scores = Mapping[str, Mapping[int, float]]


class Comparison(NamedTuple):
    """Two methods on one target (or on the mean of all).

    Attributes:
      best: Name of the best proposed method.
      baseline: Name of the best baseline.
      difference: Of their means over seeds, in points.
      epsilon_lax: From `epsilon_of_many_draws`, the paper's test; None with fewer than two seeds.
      epsilon_exact: From `stochastic_dominance`, the stricter one.
      p_values: Of the paired bootstrap over the test's sentences, by score: that of the table
        first, and for entities the other F1; empty without predictions.
    """

    best: str
    baseline: str
    difference: float
    epsilon_lax: float | None
    epsilon_exact: float | None
    p_values: Mapping[str, float] = MappingProxyType({})

    @property
    def is_significant(self) -> bool:
        """Whether the paper's test calls the proposed method better."""
        return self.difference > 0 and self.epsilon_lax is not None and self.epsilon_lax <= MOST


def compare(scores: Scores, methods: Sequence[Method]) -> Comparison | None:
    """Compares the best proposed method with the best baseline.

    Args:
      scores: In percent, by method and seed; only methods with the same seeds are compared.
      methods: Those of the table.

    Returns:
      The comparison without a bootstrap; None without a method of either role.
    """
    compared = [m.name for m in methods if m.role is not Role.BOUND and m.name in scores]
    sets = sorted(sorted(scores[name]) for name in compared)
    seeds = set(max(sets, key=len, default=()))  # the most, and of these the lowest
    means = {
        m: float(np.mean(list(own.values()))) for m, own in scores.items() if set(own) == seeds
    }
    best, baseline = (_highest(means, methods, role) for role in (Role.PROPOSED, Role.BASELINE))
    if not best or not baseline:
        return None
    ours, theirs = (
        np.array([scores[name][seed] for seed in sorted(seeds)]) for name in (best, baseline)
    )
    lax = exact = None
    if len(seeds) > 1:
        lax = epsilon_of_many_draws(ours, theirs, RESAMPLING)
        exact = stochastic_dominance(ours, theirs, RESAMPLING).epsilon_min
    return Comparison(best, baseline, means[best] - means[baseline], lax, exact)


def _highest(means: Mapping[str, float], methods: Sequence[Method], role: Role) -> str:
    """The method of a role with the highest mean; empty if there is none."""
    names = [method.name for method in methods if method.role is role and method.name in means]
    return max(names, key=lambda name: means[name], default="")


def with_bootstrap(
    work: Workplace, found: Comparison, where: tuple[str, str], results: Mapping[Cell, CellResult]
) -> Comparison:
    """Adds the paired bootstrap of one target, for entities in both readings.

    Args:
      work: The experiment and its folders.
      found: Of this target.
      where: Setting and target.
      results: Of all cells.
    """
    own = [c for c in results if (c.setting, c.target) == where]
    sides = [[c for c in own if c.method == name] for name in (found.best, found.baseline)]
    scores = dict.fromkeys(
        [work.experiment.score, *(_READINGS if work.experiment.task == "ner" else ())]
    )
    p_values = {}
    for score in scores:
        best, baseline = (resampled_mean(work, cells, results, score) for cells in sides)
        if best is None or baseline is None:
            return found
        test = paired_test(0.0, best - baseline, RESAMPLING.confidence)
        p_values[score] = test.p_value
    return found._replace(p_values=p_values)


def resampled_mean(
    work: Workplace,
    cells: Sequence[Cell],
    results: Mapping[Cell, CellResult],
    score: str,
    resampling: Resampling = RESAMPLING,
    labels_from: str | None = None,
) -> Float[np.ndarray, " R"] | None:
    """The mean score of some cells with one target in resamples of the sentences of its test.

    Args:
      work: The experiment and its folders.
      cells: Those of one row and target, with all seeds.
      results: Of all cells.
      score: Which score.
      resampling: Settings; R is the number of resamples.
      labels_from: Which labels of the cells; None for those that count.

    Returns:
      [R] scores in [0, 1]; None if the labels of a cell are missing.
    """
    gold = [sentence.labels or () for sentence in labelled_test(work, cells[0].target)]
    task = "plain" if score == "accuracy" else work.experiment.task
    reading = _READINGS.get(score, "strict")
    counts = []
    for cell in cells:
        labels = predicted_labels(work, cell, labels_from or results[cell].counts_from)
        if labels is None:
            return None
        counts.append(metrics.sentence_counts(gold, labels, task, reading))
    return resampled_scores(np.stack(counts), resampling).mean(axis=0)
