"""Score finished transfers by the weight α of the tagger in Q.

python -m benchmarks.tagger_weights --experiments=runs/table4,runs/table3_ewt --data=DIR \
  --output=weights.json

Every experiment is the output of `launch.reproduce --keep_models --rows=recommended,chain_votes`. P
and the label model stay as they were trained, with the default α; the α that joins them on the test
changes. Scores are in the output, and a repeated call only does what is missing. Prints for each α
the mean over targets of the means over seeds, its difference from the default with an interval from
targets drawn with replacement, and the least difference on a target. "best in hindsight" takes for
each target the α that is best on its own test, which bounds what any choice by the data could gain.
"""

from pathlib import Path

from absl import flags

from benchmarks import measuring
from benchmarks.reproduced_cells import some_places
from benchmarks.tagger_weight_scores import (
    DEFAULT,
    HINDSIGHT,
    NAMES,
    ROW,
    scores_of,
    with_hindsight,
)
from benchmarks.variant_tables import Scores, tables
from launch import options
from launch.options import FLAGS
from zsl_jax.errors import InputError
from zsl_jax.io.json_file import read_json_object, write_json

options.define("output")
flags.DEFINE_list("experiments", None, "Outputs of launch.reproduce, with kept models.")
flags.DEFINE_string("data", None, "Folder of the corpora, as for launch.reproduce.")
flags.DEFINE_list("seeds", None, "Seeds (default: those of the outputs).")


def main() -> None:
    """Scores what is missing, and prints the tables."""
    file = Path(FLAGS.output)
    scores: dict[str, Scores] = dict(read_json_object(file)) if file.exists() else {}
    for output in map(Path, FLAGS.experiments):
        by_weight = scores.setdefault(output.name, {})
        for place in some_places(output, FLAGS.seeds):
            if place.seed in by_weight.get(DEFAULT, {}).get(place.target, {}):
                continue
            if not (folder := place.folder(ROW)).joinpath("config.json").exists():
                raise InputError(
                    f"{folder} has no tagger; run launch.reproduce --keep_models for it, or leave "
                    "its seed out of --seeds"
                )
            for weight, score in scores_of(place, Path(FLAGS.data).expanduser()).items():
                by_weight.setdefault(weight, {}).setdefault(place.target, {})[place.seed] = score
            write_json(file, scores)
            print(f"{output.name}, {place.target}, seed {place.seed}", flush=True)
    all_scores = {title: with_hindsight(by_weight) for title, by_weight in scores.items()}
    for title, lines in tables(all_scores, [*NAMES, HINDSIGHT], DEFAULT).items():
        print(f"\n{title}\n{measuring.format_columns(lines)}")


if __name__ == "__main__":
    options.require("experiments", "data", "output")
    options.run(main)
