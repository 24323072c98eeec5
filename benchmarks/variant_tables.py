"""Tables of variants by experiment, for `label_model_parts` and `tagger_weights`."""

from collections.abc import Mapping, Sequence

import numpy as np

from zsl_jax.evaluation.bootstrap import Resampling, mean_interval

ALL, HINDSIGHT = "all", "best in hindsight"
# By variant, target and seed, in percent.
Scores = dict[str, dict[str, dict[str, float]]]


def tables(
    scores: Mapping[str, Scores], names: Sequence[str], default: str
) -> dict[str, list[dict[str, str]]]:
    """The lines of each experiment, and of all targets together, by title.

    Args:
      scores: By experiment.
      names: The variants, in the order of the lines.
      default: The one that the others are compared with.
    """
    every: Scores = {}
    for experiment, by_variant in scores.items():
        for name, by_target in by_variant.items():
            of_all = every.setdefault(name, {})
            of_all.update({f"{experiment} {t}": seeds for t, seeds in by_target.items()})
    return {
        title: [_line(n, found[n], found[default]) for n in names if any(found.get(n, {}).values())]
        for title, found in [*scores.items(), (ALL, every)]
    }


def with_hindsight(scores: Scores) -> Scores:
    """Scores by variant, and those of the variant of each target that is best on its own test."""
    best = {
        target: max(
            (by_target[target] for by_target in scores.values()),
            key=lambda by_seed: np.mean(list(by_seed.values())),
        )
        for target in next(iter(scores.values()), {})
    }
    return {**scores, HINDSIGHT: best}


def _line(
    name: str, scores: Mapping[str, Mapping[str, float]], default: Mapping[str, Mapping[str, float]]
) -> dict[str, str]:
    """A line of a table; the difference is over the targets and seeds that the variant has."""
    scores = {target: by_seed for target, by_seed in scores.items() if by_seed}
    means = [np.mean(list(by_seed.values())) for by_seed in scores.values()]
    differences = {
        target: np.mean([score - default[target][seed] for seed, score in by_seed.items()])
        for target, by_seed in scores.items()
    }
    difference, low, high = mean_interval(np.array(list(differences.values())), Resampling())
    worst = min(differences, key=differences.__getitem__)
    return {
        "variant": name,
        "cells": str(sum(map(len, scores.values()))),
        "mean": f"{np.mean(means):.2f}",
        "difference": f"{difference:+.2f}",
        "95 %": f"{low:+.2f} to {high:+.2f}",
        "least": f"{differences[worst]:+.2f} ({worst})",
    }
