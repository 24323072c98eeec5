"""Use every language in turn as the target of a transfer, over several seeds, and summarise.

python -m benchmarks.every_target --task=pos --encoder=DIR_OR_HUB --output=runs/pos \
  -- --max_sentences=600 --text_sentences=300 --trainable_layers=4

All languages but the target are its sources. Arguments after `--` are passed to
`benchmarks.pos_transfer` or `benchmarks.ner_transfer`, which runs one target with one seed and
writes its table to OUTPUT/TARGET-SEED; the trained sources are in OUTPUT/models-SEED. A repeated
call resumes with the cells that have no table yet. Prints, and writes to OUTPUT/summary.json, for
each method: the mean over targets of the means over seeds, with an interval from targets drawn with
replacement; the number of cells in which it is above the mean of the sources; and its smallest
advantage over that mean on any target. For every pair in `--pairs` it reports the difference of the
means with its interval, the number of cells won, and the bound of almost stochastic dominance over
all cells (below 0.5: the first is better).
"""

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from absl import app, flags

FLAGS = flags.FLAGS
LANGUAGES = {"pos": ["en", "ca", "id", "hi", "fi", "ru"], "ner": ["en", "da", "hr", "pt", "zh"]}
BEST, AGREEING = "best source", "most agreeing source"

flags.DEFINE_enum("task", "pos", list(LANGUAGES), "Parts of speech, or named entities.")
flags.DEFINE_string("encoder", None, "Encoder that every tagger starts from.", required=True)
flags.DEFINE_string("output", None, "Folder of all cells.", required=True)
flags.DEFINE_list("targets", None, "Targets (default: all languages).")
flags.DEFINE_list("seeds", ["0", "1", "2"], "Random seeds of sources, samples and training.")
flags.DEFINE_list(
    "pairs",
    [
        "chain Q:kd P",
        "chain P:kd P",
        "chain P:most agreeing source",
        "chain Q:lvm soft Q",
        "chain Q:chain votes",
    ],
    "Methods to compare, as FIRST:SECOND.",
)
flags.DEFINE_integer("resamples", 10_000, "Resamples for the intervals.", 1)

# Scores by method, target and seed.
Scores = dict[str, dict[str, dict[str, float]]]


def main(arguments: list[str]) -> None:
    """Runs the missing cells and prints the summary."""
    targets = FLAGS.targets or LANGUAGES[FLAGS.task]
    for seed in FLAGS.seeds:
        for target in targets:
            run_cell(target, seed, arguments[1:])
    scores = read_scores(Path(FLAGS.output), targets, FLAGS.seeds)
    rng = np.random.default_rng(0)
    chosen = rng.integers(len(targets), size=(FLAGS.resamples, len(targets)))
    methods = {name: _about_method(scores, name, chosen) for name in scores}
    pairs = [pair.split(":") for pair in FLAGS.pairs]
    compared = {
        f"{first} - {second}": about_pair(scores[first], scores[second], chosen)
        for first, second in pairs
        if first in scores and second in scores
    }
    for title, lines in (("method", methods), ("pair", compared)):
        print(format_lines(title, lines))
    summary = {"task": FLAGS.task, "scores": scores, "methods": methods, "pairs": compared}
    (Path(FLAGS.output) / "summary.json").write_text(json.dumps(summary, indent=1))


def run_cell(target: str, seed: str, settings: list[str]) -> None:
    """Makes one table in a process of its own, unless it exists."""
    output = Path(FLAGS.output)
    cell = output / f"{target}-{seed}"
    if (cell / "result.json").exists():
        return
    languages = [name for name in LANGUAGES[FLAGS.task] if name != target]
    cell_flags = {
        "encoder": FLAGS.encoder,
        "target": target,
        "languages": ",".join(languages),
        "models": output / f"models-{seed}",
        "seed": seed,
        "output": cell,
    }
    command = [sys.executable, "-m", f"benchmarks.{FLAGS.task}_transfer", "--overwrite"]
    command += [f"--{name}={value}" for name, value in cell_flags.items()]
    print(f"{target}, seed {seed}", flush=True)
    output.mkdir(parents=True, exist_ok=True)
    with (output / f"{target}-{seed}.log").open("w") as log:
        done = subprocess.run([*command, *settings], stdout=log, stderr=log)
    if done.returncode:
        print(f"  failed with status {done.returncode}; see {log.name}", flush=True)


def read_scores(output: Path, targets: list[str], seeds: list[str]) -> Scores:
    """The main score of every row of every existing table, in percent."""
    scores: Scores = defaultdict(lambda: defaultdict(dict))
    for target in targets:
        for seed in seeds:
            file = output / f"{target}-{seed}" / "result.json"
            if not file.exists():
                continue
            result = json.loads(file.read_text())
            by_row = {
                (r["name"], r["labels_from"]): 100 * r["scores"]["score"] for r in result["rows"]
            }
            sources = {name: value for (name, kind), value in by_row.items() if kind == "source"}
            scores[BEST][target][seed] = max(sources.values())
            agreeing = max(result["agreement"], key=result["agreement"].get)
            scores[AGREEING][target][seed] = sources[agreeing]
            for (name, kind), value in by_row.items():
                if kind != "source":
                    scores[f"{name} {kind}"][target][seed] = value
    return {name: dict(by_target) for name, by_target in scores.items()}


def _about_method(scores: Scores, name: str, chosen: np.ndarray) -> dict[str, Any]:
    about = about_pair(scores[name], scores["mean votes"], chosen)
    by_target = [np.mean(list(seeds.values())) for seeds in scores[name].values()]
    return {
        "mean": float(np.mean(by_target)),
        "cells": about["cells"],
        "above the mean": about["cells won"],
        "least": about["least"],
        "on": about["on"],
    }


def about_pair(
    first: dict[str, dict[str, float]], second: dict[str, dict[str, float]], chosen: np.ndarray
) -> dict[str, Any]:
    """Compares the first side's scores with the second's, on cells that both have.

    Args:
      first: Scores of the first side, by target and seed.
      second: Scores of the second side, by target and seed.
      chosen: [R, T], indices of targets, drawn with replacement.
    """
    from zsl_jax.evaluation.bootstrap import Resampling
    from zsl_jax.evaluation.stochastic_dominance import stochastic_dominance

    cells = [(t, s) for t in first for s in first[t] if s in second.get(t, {})]
    if not cells:
        return {"cells": 0}
    differences = {t: [first[t][s] - second[t][s] for u, s in cells if u == t] for t, _ in cells}
    by_target = np.array([np.mean(values) for values in differences.values()])
    means = by_target[chosen % len(by_target)].mean(axis=1)
    worst = min(range(len(by_target)), key=by_target.__getitem__)
    firsts, seconds = (np.array([side[t][s] for t, s in cells]) for side in (first, second))
    return {
        "difference": float(by_target.mean()),
        "interval": [float(np.percentile(means, share)) for share in (2.5, 97.5)],
        "cells": len(cells),
        "cells won": int(sum(d > 0 for values in differences.values() for d in values)),
        "least": float(by_target[worst]),
        "on": list(differences)[worst],
        "epsilon_min": stochastic_dominance(firsts, seconds, Resampling()).epsilon_min,
    }


def format_lines(title: str, lines: dict[str, dict[str, Any]]) -> str:
    """A table of text."""
    from benchmarks.measuring import format_columns

    def shown(value: Any) -> str:
        if isinstance(value, list):
            return " to ".join(f"{end:.2f}" for end in value)
        return f"{value:.2f}" if isinstance(value, float) else str(value)

    return format_columns(
        [{title: name} | {k: shown(v) for k, v in line.items()} for name, line in lines.items()]
    )


if __name__ == "__main__":
    app.run(main)
