"""Compare Dawid-Skene with crowd-kit and NumPy, and the E step with the speed of memory.

python -m benchmarks.e_step --output=runs/e_step.json

The votes come from simulated sources with a planted truth. Every Dawid-Skene does the same number
of E steps from the same start (shares of the votes), with early stopping switched off; the accuracy
is that of its arg max. Figures are medians of interleaved runs; a peer whose runs would take longer
than --peer_seconds gets fewer runs, or none if a single run would. Inputs are in each program's
format (NumPy arrays; a data frame), outputs are NumPy arrays.

The E step's bytes are those that must move: votes (labels in four bytes, probabilities in two) and
prior in, posterior out. Needs the extra `bench`. `benchmarks.chain` times the chain's E step.
"""

import functools
import itertools
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

from benchmarks import measuring
from benchmarks.planted_votes import (
    Planted,
    crowd_kit_dawid_skene,
    numpy_dawid_skene,
    numpy_posterior,
    our_dawid_skene,
    our_posterior,
    planted,
    softened,
    tagger_log_prior,
    vote_table,
)
from launch import options
from launch.options import FLAGS

flags.DEFINE_list("words", ["10000", "100000", "1000000"], "Numbers of words.")
flags.DEFINE_list("sources", ["5", "16"], "Numbers of sources.")
flags.DEFINE_list("labels", ["9", "17"], "Numbers of labels.")
flags.DEFINE_integer("votes", 1_000_000, "Also use the words for that many votes (0: do not).", 0)
flags.DEFINE_integer("iterations", 10, "E steps of Dawid-Skene.", 1)
flags.DEFINE_integer("repeats", 5, "Number of runs of each program.", 1)
flags.DEFINE_float("peer_seconds", 60.0, "Seconds that one peer may take for one line.", 0.0)
flags.DEFINE_string("output", None, "JSON file of all figures.")

Run = Callable[[], Any]
Line = dict[str, Any]


def main() -> None:
    """Times every size, prints two tables, and writes the figures."""
    from zsl_jax.io.json_file import write_json

    machine = measuring.machine()
    threads = machine["cores"]
    bandwidth = measuring.copy_bandwidth(threads)
    print(f"{machine}; np.copyto with {threads} threads: {bandwidth / 1e9:.1f} GB/s", flush=True)
    aggregation: list[Line] = []
    posterior: list[Line] = []
    pace: dict[str, float] = {}
    for num_words, num_sources, num_labels in _sizes():
        data = planted(num_words, num_sources, num_labels, seed=0)
        aggregation += _aggregation(data, num_labels, pace)
        posterior += _posterior(data, num_labels, bandwidth)
        print(f"{num_words} words, {num_sources} sources, {num_labels} labels: done", flush=True)
    print(f"\nDawid-Skene, {FLAGS.iterations} E steps")
    print(measuring.format_columns([_shown(line) for line in aggregation]))
    print("\nE step")
    print(measuring.format_columns([_shown(line) for line in posterior]))
    figures = {"machine": machine, "copy_bandwidth": bandwidth, "iterations": FLAGS.iterations}
    figures |= {"dawid_skene": aggregation, "posterior": posterior}
    write_json(Path(FLAGS.output), figures)


def _sizes() -> list[tuple[int, int, int]]:
    """Numbers of words, sources and labels of every line, in ascending order."""
    sizes = set()
    for sources, labels in itertools.product(map(int, FLAGS.sources), map(int, FLAGS.labels)):
        words = {int(number) for number in FLAGS.words}
        words |= {FLAGS.votes // sources} if FLAGS.votes else set()
        sizes |= {(number, sources, labels) for number in words}
    return sorted(sizes)


def _aggregation(data: Planted, num_labels: int, pace: dict[str, float]) -> list[Line]:
    """Dawid-Skene on one set of votes, one line per program.

    `pace` holds each program's last seconds per vote and label, to predict what takes too long.
    """
    size = {"num_labels": num_labels, "iterations": FLAGS.iterations}
    runs: dict[str, Run] = {
        "zsl_jax": functools.partial(our_dawid_skene, data.labels, **size),
        "NumPy": functools.partial(numpy_dawid_skene, data.labels, **size),
    }
    num_entries = data.labels.size * num_labels
    if num_entries * pace.get("crowd-kit", 0.0) <= FLAGS.peer_seconds:
        table = vote_table(data.labels)
        runs["crowd-kit"] = functools.partial(crowd_kit_dawid_skene, table, FLAGS.iterations)
    lines = _timed(runs, data, num_labels)
    pace.update({line["program"]: line["median"] / num_entries for line in lines})
    if "crowd-kit" not in runs:
        lines.append(_size_of(data, num_labels) | {"program": "crowd-kit", "runs": 0})
    return lines


def _posterior(data: Planted, num_labels: int, bandwidth: float) -> list[Line]:
    """The E step on one set of labels and on one of probabilities."""
    rng = np.random.default_rng(0)
    log_prior = tagger_log_prior(data.truth, num_labels, rng)
    lines = []
    for kind in ("hard", "soft"):
        votes = data.labels
        if kind == "soft":
            votes = softened(data.labels, num_labels, rng).astype(np.float16)
        confusion = data.log_confusion
        runs: dict[str, Run] = {
            "kernels": our_posterior(log_prior, votes, confusion),
            "whole E step": functools.partial(_whole_e_step, log_prior, votes, confusion),
            "NumPy": functools.partial(numpy_posterior, log_prior, votes, confusion),
        }
        moved = votes.nbytes + 2 * log_prior.nbytes
        for line in _timed(runs, data, num_labels):
            rate = moved / line["median"]
            figures = {"votes are": kind, "bytes_per_second": rate, "of_copy": rate / bandwidth}
            lines.append(line | figures)
    return lines


def _whole_e_step(log_prior, votes, log_confusion) -> np.ndarray:
    from zsl_jax.training.config import JointWeights
    from zsl_jax.training.e_step import label_posterior

    return label_posterior(JointWeights(), log_prior, votes, log_confusion).posterior


def _timed(runs: dict[str, Run], data: Planted, num_labels: int) -> list[Line]:
    """Time and memory of several programs on the same votes, and their accuracy."""
    first = {name: measuring.seconds(run) for name, run in runs.items() if name != "crowd-kit"}
    results = {name: measuring.peak_memory(run) for name, run in runs.items()}
    taken = measuring.interleaved(runs, FLAGS.repeats, FLAGS.peer_seconds)
    lines = []
    for name, (posterior, memory) in results.items():
        line = _size_of(data, num_labels) | {"program": name} | measuring.summary(taken[name])
        line["ratio"] = line["median"] / statistics.median(taken[next(iter(runs))])
        line["memory"] = memory
        line["accuracy"] = float(np.mean(posterior.argmax(1) == data.truth))
        if name not in ("NumPy", "crowd-kit"):
            line["compile"] = max(first[name] - line["median"], 0.0)
        lines.append(line)
    return lines


def _size_of(data: Planted, num_labels: int) -> Line:
    words, sources = data.labels.shape
    return {"words": words, "U": sources, "K": num_labels, "votes": words * sources}


def _shown(line: Line) -> dict[str, str]:
    """The columns of the printed table."""
    shown = {name: str(line[name]) for name in ("words", "U", "K", "votes", "program")}
    if not line["runs"]:
        return shown | {"runs": "0: too slow"}
    if "of_copy" in line:
        shown["votes are"] = line["votes are"]
    shown["median ms"] = f"{1e3 * line['median']:.1f}"
    shown["runs"] = str(line["runs"])
    shown["times first"] = f"{line['ratio']:.1f}"
    shown["peak MB"] = f"{line['memory'] / 1e6:.0f}"
    shown["accuracy"] = f"{line['accuracy']:.4f}"
    shown["compile s"] = f"{line['compile']:.2f}" if "compile" in line else ""
    if "of_copy" in line:
        shown["GB/s"] = f"{line['bytes_per_second'] / 1e9:.2f}"
        shown["of copy"] = f"{line['of_copy']:.3f}"
    return shown


if __name__ == "__main__":
    options.require("output")
    options.run(main)
