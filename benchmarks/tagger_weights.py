"""Score finished transfers with another weight of the tagger in Q, or of its start in P.

python -m benchmarks.tagger_weights --vary=alpha --experiments=runs/table4,runs/table3_ewt \
  --data=DIR --output=weights.json

Every experiment is the output of `launch.reproduce --keep_models --rows=recommended,chain_votes`.

With --vary=alpha, P and the label model stay as they were trained, with the default α; the α that
joins them on the test changes. With --vary=start, P's weights are averaged with those of the source
that its training started from; the share of the latter changes.

Scores are in the output, and a repeated call only does what is missing. Prints for each weight the
mean over targets of the means over seeds, its difference from the default with an interval from
targets drawn with replacement, and the least difference on a target. "best in hindsight" takes for
each target the weight that is best on its own test, which bounds what any choice by the data could
gain.
"""

from pathlib import Path

from absl import flags

from benchmarks import measuring, start_share_scores, tagger_weight_scores
from benchmarks.reproduced_cells import some_places
from benchmarks.variant_tables import HINDSIGHT, Scores, tables, with_hindsight
from launch import options
from launch.options import FLAGS
from zsl_jax.errors import InputError
from zsl_jax.io.json_file import read_json_object, write_json

VARIED = {"alpha": tagger_weight_scores, "start": start_share_scores}
options.define("output")
flags.DEFINE_enum("vary", None, list(VARIED), "Which weight: α in Q, or that of the start in P.")
flags.DEFINE_list("experiments", None, "Outputs of launch.reproduce, with kept models.")
flags.DEFINE_string("data", None, "Folder of the corpora, as for launch.reproduce.")
flags.DEFINE_string("row", "recommended", "Row of the transfers.")
flags.DEFINE_list("seeds", None, "Seeds (default: those of the outputs).")


def main() -> None:
    """Scores what is missing, and prints the tables."""
    file, varied = Path(FLAGS.output), VARIED[FLAGS.vary]
    by_vary: dict[str, dict[str, Scores]] = dict(read_json_object(file)) if file.exists() else {}
    scores = by_vary.setdefault(FLAGS.vary, {})
    for output in map(Path, FLAGS.experiments):
        by_weight = scores.setdefault(output.name, {})
        for place in some_places(output, FLAGS.seeds):
            if place.seed in by_weight.get(varied.DEFAULT, {}).get(place.target, {}):
                continue
            if not (folder := place.folder(FLAGS.row)).joinpath("config.json").exists():
                raise InputError(
                    f"{folder} has no tagger; run launch.reproduce --keep_models for it, or leave "
                    "its seed out of --seeds"
                )
            found = varied.scores_of(place, FLAGS.row, Path(FLAGS.data).expanduser())
            for weight, score in found.items():
                by_weight.setdefault(weight, {}).setdefault(place.target, {})[place.seed] = score
            write_json(file, by_vary)
            print(f"{output.name}, {place.target}, seed {place.seed}", flush=True)
    all_scores = {title: with_hindsight(by_weight) for title, by_weight in scores.items()}
    for title, lines in tables(all_scores, [*varied.NAMES, HINDSIGHT], varied.DEFAULT).items():
        print(f"\n{title}\n{measuring.format_columns(lines)}")


if __name__ == "__main__":
    options.require("vary", "experiments", "data", "output")
    options.run(main)
