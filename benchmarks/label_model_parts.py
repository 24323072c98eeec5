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
from collections.abc import Sequence
from pathlib import Path

from absl import flags

from benchmarks import measuring
from benchmarks.label_model_variants import DEFAULT, VARIANTS, score_of
from benchmarks.reproduced_cells import Place, read_cell, some_places, states_of
from benchmarks.variant_tables import Scores, tables
from launch import options
from launch.options import FLAGS
from zsl_jax.errors import InputError
from zsl_jax.io.json_file import read_json_object, write_json

options.define("output")
flags.DEFINE_list("experiments", None, "Outputs of launch.reproduce.")
flags.DEFINE_string("data", None, "Folder of the corpora, as for launch.reproduce.")
flags.DEFINE_list("variants", None, "Variants (default: all).")
flags.DEFINE_list("seeds", None, "Seeds (default: those of the outputs).")


def main() -> None:
    """Scores what is missing, and prints the tables."""
    file = Path(FLAGS.output)
    scores: dict[str, Scores] = dict(read_json_object(file)) if file.exists() else {}
    names = list(dict.fromkeys([DEFAULT, *(FLAGS.variants or VARIANTS)]))
    if unknown := [name for name in names if name not in VARIANTS]:
        raise InputError(f"--variants={','.join(unknown)}: give some of {', '.join(VARIANTS)}")
    for output in map(Path, FLAGS.experiments):
        by_variant = scores.setdefault(output.name, {})
        for place in some_places(output, FLAGS.seeds):
            if add_scores(by_variant, place, names):
                write_json(file, scores)
                print(f"{output.name}, {place.target}, seed {place.seed}", flush=True)
    for title, lines in tables(scores, names, DEFAULT).items():
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


if __name__ == "__main__":
    options.require("experiments", "data", "output")
    options.run(main)
