"""Score finished transfers by the weight α of the tagger in Q.

python -m benchmarks.tagger_weights --experiments=runs/table4,runs/table3_ewt --data=DIR \
  --output=weights.json

Every experiment is the output of `launch.reproduce --keep_models --rows=recommended,chain_votes`. P
and the label model stay as they were trained, with the default α; the α that joins them on the test
changes. Scores are in the output, and a repeated call only does what is missing. Prints for each α
the mean over targets of the means over seeds, its difference from the default, and the least
difference on a target; "best in hindsight" takes for each target the α that is best on its own
test, which bounds what any choice by the data could gain.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from absl import flags

from benchmarks import measuring
from benchmarks.reproduced_cells import Place, places, read_cell
from launch import options
from launch.options import FLAGS
from zsl_jax.errors import InputError
from zsl_jax.io.json_file import read_json_object, write_json
from zsl_jax.io.label_model_file import read_label_model
from zsl_jax.training.config import ChainConfig
from zsl_jax.types import Sentence
from zsl_jax.workflows.chain_model import chain_from_storage, labels_by_chain
from zsl_jax.workflows.loaded_tagger import load_tagger, log_prob_function
from zsl_jax.workflows.result_table import score_ids

options.define("output")
flags.DEFINE_list("experiments", None, "Outputs of launch.reproduce, with kept models.")
flags.DEFINE_string("data", None, "Folder of the corpora, as for launch.reproduce.")
flags.DEFINE_list("seeds", None, "Seeds (default: those of the outputs).")

ROW, HINDSIGHT = "recommended", "best in hindsight"
DEFAULT = f"{ChainConfig().tagger_weight:g}"
WEIGHTS = (0, 0.05, 0.1, 0.2, 0.3, 0.5, 1)
# By α, target and seed, in percent.
Scores = dict[str, dict[str, dict[str, float]]]


def main() -> None:
    """Scores what is missing, and prints the tables."""
    file = Path(FLAGS.output)
    scores: dict[str, Scores] = dict(read_json_object(file)) if file.exists() else {}
    for output in map(Path, FLAGS.experiments):
        by_weight = scores.setdefault(output.name, {})
        for place in places(output, FLAGS.seeds):
            if place.seed in by_weight.get(DEFAULT, {}).get(place.target, {}):
                continue
            if not (model := place.folder(ROW) / "config.json").exists():
                raise InputError(
                    f"{model.parent} has no tagger; run launch.reproduce --keep_models"
                )
            for weight, score in scores_of(place).items():
                by_weight.setdefault(weight, {}).setdefault(place.target, {})[place.seed] = score
            write_json(file, scores)
            print(f"{output.name}, {place.target}, seed {place.seed}", flush=True)
    for title, by_weight in scores.items():
        print(f"\n{title}\n{measuring.format_columns(lines(by_weight))}")


def scores_of(place: Place) -> dict[str, float]:
    """The score of Q on the test by each α."""
    cell, task = read_cell(place, Path(FLAGS.data).expanduser()), place.record["test"]["task"]
    folder = place.folder(ROW)
    model, tagger = read_label_model(folder), load_tagger(folder)
    if model.chain is None or model.source_labels.label_set != cell.label_set:
        raise InputError(f"{folder} is not a transfer by the default label model")
    chain = chain_from_storage(model.chain, model.log_confusion, model.predictions)
    words = [Sentence(sentence.words) for sentence in cell.test]
    log_probs = log_prob_function(tagger, place.record["source"]["row_length"])
    log_prior = log_probs(words, lambda *_: None)
    scores = {}
    for weight in WEIGHTS:
        config = dataclasses.replace(chain.config, tagger_weight=weight)
        prior = log_prior if weight else None
        given = cell.votes[1], words, cell.label_set, prior, model.decoding
        ids, _ = labels_by_chain(chain._replace(config=config), *given)
        of_ids = score_ids(ids, cell.label_set, cell.test, task)
        scores[f"{weight:g}"] = 100 * of_ids.get("f1_conlleval", of_ids["score"])
    return scores


def lines(scores: Mapping[str, Mapping[str, Mapping[str, float]]]) -> list[dict[str, str]]:
    """A line of the table for each α, and for the best of each target."""
    targets = list(scores[DEFAULT])
    means = {
        weight: np.array([np.mean(list(by_target[target].values())) for target in targets])
        for weight, by_target in scores.items()
    }
    means[HINDSIGHT] = np.max(list(means.values()), axis=0)
    return [
        {
            "α": weight,
            "mean": f"{of_targets.mean():.2f}",
            "difference": f"{(of_targets - means[DEFAULT]).mean():+.2f}",
            "least": f"{(of_targets - means[DEFAULT]).min():+.2f}",
        }
        for weight, of_targets in means.items()
    ]


if __name__ == "__main__":
    options.require("experiments", "data", "output")
    options.run(main)
