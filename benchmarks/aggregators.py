"""Compare every label model here with skweak's HMM and crowd-kit on sources' labels.

python -m benchmarks.aggregators --gold=FILE --source=NAME=FILE --source=NAME=FILE \
  --output=runs/aggregators.json

Every program is given the sources' labels for all words of --gold, without probabilities, is fitted
to them, and is scored on the same words; "chain, soft" is also given the probabilities. Times are
medians of interleaved runs, after a warm-up run. Needs the packages `skweak` and `crowd-kit`; rows
of a package that is not installed are omitted.
"""

import functools
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags
from jaxtyping import Int

from benchmarks import measuring
from benchmarks.planted_votes import crowd_kit_dawid_skene, vote_table
from benchmarks.skweak_hmm import skweak_labels
from launch import inputs, options
from launch.options import FLAGS

options.define("source", "label_map", "column", "output", "task")
flags.DEFINE_string("gold", None, "Labelled text with the words of the sources' files.")
flags.DEFINE_integer("repeats", 3, "Number of runs of each program.", 1)

Labelling = Callable[[], Int[np.ndarray, " N"]]


def main() -> None:
    """Labels the text by every program; prints and writes scores, times and memory."""
    from zsl_jax.io.json_file import write_json
    from zsl_jax.workflows.result_table import score_ids

    gold, votes, label_set = read()
    runs = ours(gold, votes, label_set) | peers(gold, votes, label_set)
    results = {name: measuring.peak_memory(run) for name, run in runs.items()}
    taken = measuring.interleaved(runs, FLAGS.repeats, np.inf)
    lines = []
    for name, (ids, memory) in results.items():
        scores = score_ids(ids, label_set, gold, FLAGS.task)
        timing = measuring.summary(taken[name])
        lines.append({"program": name, "score": scores["score"], "memory": memory} | timing)
    print(measuring.format_columns([_shown(line) for line in lines]))
    write_json(Path(FLAGS.output), {"machine": measuring.machine(), "rows": lines})


def read():
    """Reads the labelled text, the sources' votes for its words, and the label set."""
    from zsl_jax.data.predictions.prediction_files import read_predictions
    from zsl_jax.data.predictions.same_words import check_words
    from zsl_jax.data.predictions.votes import source_votes
    from zsl_jax.errors import InputError
    from zsl_jax.labels import common_source_labels
    from zsl_jax.workflows.source_conversion import in_target_labels, label_sets

    gold = inputs.read_labelled("gold").sentences
    sources, predictions = inputs.sources(), []
    for source in sources:
        predicted = read_predictions(source.path, gold)
        check_words(predicted, gold, source.path)
        if (predicted.labels < 0).any():
            raise InputError(
                f"--source={source.name}={source.path} abstains from some words, which the other "
                "programs cannot read; give sources that label every word"
            )
        predictions.append(in_target_labels(source, predicted))
    label_names = [predicted.label_names for predicted in predictions]
    source_labels = common_source_labels(label_names, label_sets(predictions))
    votes = source_votes(predictions, source_labels, [source.name for source in sources])
    return gold, votes, source_labels.label_set


def ours(gold, votes, label_set) -> dict[str, Labelling]:
    """Our label models, fitted from scratch in every run."""
    from zsl_jax.types import Sentence
    from zsl_jax.workflows.chain_model import aggregate_with_text
    from zsl_jax.workflows.vote_aggregation import METHODS, TEXT_METHODS, aggregate_votes

    text = [Sentence(sentence.words) for sentence in gold]
    hard = votes._replace(probs=None)
    runs: dict[str, Labelling] = {
        name: functools.partial(_labels, aggregate_votes, hard, label_set.size, name)
        for name in METHODS
    }
    for name in TEXT_METHODS:
        runs[name] = functools.partial(_labels, aggregate_with_text, hard, text, label_set, name)
    if votes.probs is not None:
        runs["chain, soft"] = functools.partial(
            _labels, aggregate_with_text, votes, text, label_set, "chain"
        )
    return runs


def _labels(of: Callable[..., Any], *arguments: Any) -> Int[np.ndarray, " N"]:
    return of(*arguments).labels


def peers(gold, votes, label_set) -> dict[str, Labelling]:
    """Other programs, as far as they are installed."""
    runs: dict[str, Labelling] = {}
    if importlib.util.find_spec("crowdkit"):
        table = vote_table(votes.labels)
        runs["crowd-kit Dawid-Skene"] = lambda: crowd_kit_dawid_skene(table, 100).argmax(axis=1)
    if importlib.util.find_spec("skweak"):
        runs["skweak HMM"] = functools.partial(skweak_labels, gold, votes.labels, label_set)
    return runs


def _shown(line: dict[str, Any]) -> dict[str, str]:
    return {
        "program": line["program"],
        "score": f"{100 * line['score']:.2f}",
        "seconds": f"{line['median']:.2f}",
        "peak MB": f"{line['memory'] / 1e6:.0f}",
    }


if __name__ == "__main__":
    options.require("gold", "source", "output")
    options.run(main)
