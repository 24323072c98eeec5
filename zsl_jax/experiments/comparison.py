"""The best of the proposed methods against the best baseline, as the paper marks its tables."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from zsl_jax.evaluation import metrics
from zsl_jax.evaluation.bootstrap import Resampling, paired_test, resampled_scores
from zsl_jax.evaluation.stochastic_dominance import epsilon_of_many_draws, stochastic_dominance
from zsl_jax.experiments.corpora import labelled_test
from zsl_jax.experiments.plan import Cell, Method, Role, Workplace
from zsl_jax.experiments.scores import CellResult, predicted_labels

RESAMPLING = Resampling(num_resamples=1000)
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
      p_value: Of the paired bootstrap over the test's sentences; None without predictions.
    """

    best: str
    baseline: str
    difference: float
    epsilon_lax: float | None
    epsilon_exact: float | None
    p_value: float | None

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
    seeds = max((frozenset(own) for own in scores.values()), key=len, default=frozenset())
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
    return Comparison(best, baseline, means[best] - means[baseline], lax, exact, None)


def _highest(means: Mapping[str, float], methods: Sequence[Method], role: Role) -> str:
    """The method of a role with the highest mean; empty if there is none."""
    names = [method.name for method in methods if method.role is role and method.name in means]
    return max(names, key=lambda name: means[name], default="")


def with_bootstrap(
    work: Workplace, found: Comparison, where: tuple[str, str], results: Mapping[Cell, CellResult]
) -> Comparison:
    """Adds the paired bootstrap on the main score (strict F1 for entities) of one target.

    Args:
      work: The experiment and its folders.
      found: Of this target.
      where: Setting and target.
      results: Of all cells.
    """
    gold = [sentence.labels or () for sentence in labelled_test(work, where[1])]
    sides = []
    for name in (found.best, found.baseline):
        cells = [c for c in results if (c.setting, c.target) == where and c.method == name]
        labels = [predicted_labels(work, cell, results[cell].counts_from) for cell in cells]
        if any(own is None for own in labels):
            return found
        counts = [metrics.sentence_counts(gold, own or [], work.experiment.task) for own in labels]
        sides.append(resampled_scores(np.stack(counts), RESAMPLING).mean(axis=0))
    test = paired_test(found.difference, sides[0] - sides[1], RESAMPLING.confidence)
    return found._replace(p_value=test.p_value)
