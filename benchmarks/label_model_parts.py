"""Score the default label model, without a tagger, with one part changed at a time.

python -m benchmarks.label_model_parts --experiments=runs/table4,runs/table3_ewt --data=DIR \
  --output=parts.json

Every experiment is the output of `launch.reproduce`, with the row chain_votes; its source models,
texts and predictions are used again. The label model is fitted to the text of each target and seed,
and scored on its test: tags by accuracy, entities by the F1 of conlleval. Scores are in the output,
and a repeated call only does what is missing. Prints for each variant the mean over targets of the
means over seeds, its difference from the default with an interval from targets drawn with
replacement, and the least difference on a target.
"""

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from absl import flags

from benchmarks import measuring
from benchmarks.label_model_variants import DEFAULT, VARIANTS, score_of
from benchmarks.reproduced_cells import ROW, Place, places, read_cell, states_of
from launch import options
from launch.options import FLAGS
from zsl_jax.errors import InputError
from zsl_jax.evaluation.bootstrap import Resampling, mean_interval
from zsl_jax.io.json_file import read_json_object, write_json

options.define("output")
flags.DEFINE_list("experiments", None, "Outputs of launch.reproduce.")
flags.DEFINE_string("data", None, "Folder of the corpora, as for launch.reproduce.")
flags.DEFINE_list("variants", None, "Variants (default: all).")
flags.DEFINE_list("seeds", None, "Seeds (default: those of the outputs).")

ALL = "all"
# By variant, target and seed, in percent.
Scores = dict[str, dict[str, dict[str, float]]]


def main() -> None:
    """Scores what is missing, and prints the tables."""
    file = Path(FLAGS.output)
    scores: dict[str, Scores] = dict(read_json_object(file)) if file.exists() else {}
    names = list(dict.fromkeys([DEFAULT, *(FLAGS.variants or VARIANTS)]))
    if unknown := [name for name in names if name not in VARIANTS]:
        raise InputError(f"--variants={','.join(unknown)}: give some of {', '.join(VARIANTS)}")
    for output in map(Path, FLAGS.experiments):
        by_variant = scores.setdefault(output.name, {})
        if not (found := [*places(output, FLAGS.seeds)]):
            raise InputError(
                f"--experiments: {output} has no finished row {ROW} with these seeds; run "
                f"launch.reproduce --output={output} --rows={ROW}"
            )
        for place in found:
            if add_scores(by_variant, place, names):
                write_json(file, scores)
                print(f"{output.name}, {place.target}, seed {place.seed}", flush=True)
    for title, lines in tables(scores, names).items():
        print(f"\n{title}\n{measuring.format_columns(lines)}")


def add_scores(scores: Scores, place: Place, names: Sequence[str]) -> bool:
    """Adds the scores of variants that a target and seed lacks; whether there were any."""
    of_target = {name: scores.setdefault(name, {}).setdefault(place.target, {}) for name in names}
    missing = [name for name, by_seed in of_target.items() if place.seed not in by_seed]
    if not missing:
        return False
    cell, task = read_cell(place, Path(FLAGS.data).expanduser()), place.record["test"]["task"]
    states = functools.cache(functools.partial(states_of, place, cell))
    for name in missing:
        of_target[name][place.seed] = score_of(cell, VARIANTS[name], task, states)
    return True


def tables(scores: Mapping[str, Scores], names: Sequence[str]) -> dict[str, list[dict[str, str]]]:
    """The lines of each experiment, and of all targets together, by title."""
    every: Scores = {}
    for experiment, by_variant in scores.items():
        for name, by_target in by_variant.items():
            of_all = every.setdefault(name, {})
            of_all.update({f"{experiment} {t}": seeds for t, seeds in by_target.items()})
    return {
        title: [_line(n, found[n], found[DEFAULT]) for n in names if any(found.get(n, {}).values())]
        for title, found in [*scores.items(), (ALL, every)]
    }


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


if __name__ == "__main__":
    options.require("experiments", "data", "output")
    options.run(main)
