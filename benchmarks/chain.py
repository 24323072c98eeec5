"""Time the reliability-weighted chain on planted votes, beside other label models and an M step.

python -m benchmarks.chain --words=1000000 --output=runs/chain.json

The votes are float16 probabilities of sources with a planted truth; words are drawn from a
vocabulary by Zipf's law, in sentences of one length. The first table has, per word, the fit to the
whole text, one E step of the chain (evidence, and three estimates of word types and chain) and one
with the paper's label model, given a tagger's log-probabilities, and one pass of an M step of an
encoder with random weights. The second table has label models that are fitted to the most probable
labels of the first --peer_words words: ours, crowd-kit's Dawid-Skene and skweak's HMM, where these
packages are installed; --peer_words=0 omits it. Figures are medians of interleaved runs; a program
that takes over a minute gets fewer of them.
"""

import functools
import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from absl import flags

from benchmarks import measuring, planted_votes
from launch import options
from launch.options import FLAGS

flags.DEFINE_integer("words", 1_000_000, "Number of words.", 1)
flags.DEFINE_integer("sources", 5, "Number of sources.", 1)
flags.DEFINE_integer("labels", 17, "Number of labels.", 2)
flags.DEFINE_integer("sentence_words", 20, "Words per sentence.", 1)
flags.DEFINE_integer("vocabulary", 100_000, "Number of distinct words.", 1)
flags.DEFINE_integer("seed", 0, "Random seed.")
flags.DEFINE_integer("repeats", 3, "Number of runs of each program.", 1)
flags.DEFINE_integer("peer_words", 10_000, "Words for the second table (0: none).", 0)
flags.DEFINE_integer("iterations", 10, "E steps of Dawid-Skene.", 1)
flags.DEFINE_string("encoder_shape", "e5-small", "Shape of the encoder of the M step.")
flags.DEFINE_float("m_step_seconds", 20.0, "Seconds for which the M step is timed.", 0.0)
flags.DEFINE_string("output", None, "JSON file of all figures.")

Run = Callable[[], Any]
Line = dict[str, Any]
BUDGET = 60.0  # seconds of one program, after which it is not run again
M_STEP = "M step, one pass"
PEERS = {"crowdkit": "crowd-kit", "skweak": "skweak"}


def main() -> None:
    """Times every program, prints two tables, and writes the figures."""
    from zsl_jax.io.json_file import write_json

    machine = measuring.machine()
    print(f"machine: {machine}", flush=True)
    sizes = FLAGS.words, FLAGS.sources, FLAGS.labels, FLAGS.sentence_words, FLAGS.vocabulary
    text, labels, log_prior = planted_votes.planted_text(*sizes, seed=FLAGS.seed)
    runs, memory = e_steps(text, labels, log_prior)
    lines = [*_timed(runs, len(text.votes)), m_step()]
    for line in lines:
        line["of_m_step"] = line["per_word"] / lines[-1]["per_word"]
    print(f"the fit needs {memory / 1e6:.0f} MB besides the votes\n")
    print(measuring.format_columns(list(map(_shown, lines))), flush=True)
    fits = []
    if FLAGS.peer_words:
        part = beginning(text, FLAGS.peer_words)
        fits = _timed(label_models(part, labels), len(part.votes))
        print("\n" + measuring.format_columns(list(map(_shown, fits))))
    if FLAGS.output:
        figures = {"machine": machine, "fit_memory": memory, "e_steps": lines, "fits": fits}
        write_json(Path(FLAGS.output), figures)


def e_steps(text, labels, log_prior) -> tuple[dict[str, Run], int]:
    """The chain's fit, its E step and the paper's, and the bytes that the fit needs."""
    from zsl_jax.training import chain_fit
    from zsl_jax.training.chain_inference import evidence
    from zsl_jax.training.config import ChainConfig, JointWeights
    from zsl_jax.training.e_step import label_posterior

    config = ChainConfig()
    fit = functools.partial(chain_fit.fit_chain, text, labels, config)
    chain_fit.fit_chain(beginning(text, planted_votes.BLOCK), labels, config)  # compiles
    (fitted, result), memory = measuring.peak_memory(fit)
    confusion = fitted.sources.log_confusion

    def e_step() -> None:
        scores = evidence(text, labels, fitted.sources, config) + log_prior
        chain_fit.chain_posterior(text, labels, config, scores, result.posterior.copy(), 2.0)

    def paper() -> None:
        label_posterior(JointWeights(), log_prior, text.votes, confusion)

    return {"chain, fit": fit, "chain, E step": e_step, "paper, E step": paper}, memory


def m_step() -> Line:
    """The speed of updates on random text, about 512 words at a time."""
    from benchmarks import accelerator_ours
    from zsl_jax.training.config import TrainConfig

    config = TrainConfig(batch_words=512, seed=FLAGS.seed)
    stages = accelerator_ours.measure(FLAGS.encoder_shape, 400, config, FLAGS.m_step_seconds)
    per_word = 1 / next(stages).words_per_second
    return {"program": f"{M_STEP}, {FLAGS.encoder_shape}", "per_word": per_word}


def label_models(text, labels) -> dict[str, Run]:
    """Label models that are fitted from scratch to the sources' labels."""
    from zsl_jax.training import chain_fit
    from zsl_jax.training.config import ChainConfig

    hard = text.votes.argmax(axis=-1).astype("int32")
    size, rounds = labels.meanings.stands_for.shape[1], FLAGS.iterations
    given = text._replace(votes=hard)
    runs: dict[str, Run] = {
        "chain": lambda: chain_fit.fit_chain(given, labels, ChainConfig()),
        "Dawid-Skene": lambda: planted_votes.our_dawid_skene(hard, size, rounds),
    }
    for package, name in PEERS.items():
        if not importlib.util.find_spec(package):
            print(f"{name} is not installed and has no row", flush=True)
    if importlib.util.find_spec("crowdkit"):
        table = planted_votes.vote_table(hard)
        runs["crowd-kit Dawid-Skene"] = lambda: planted_votes.crowd_kit_dawid_skene(table, rounds)
    if importlib.util.find_spec("skweak"):
        runs["skweak HMM"] = _skweak(given, size)
    return runs


def _skweak(text, num_labels: int) -> Run:
    """skweak's HMM on plain labels; words are the ids of their forms."""
    import numpy as np

    from benchmarks.skweak_hmm import skweak_labels
    from zsl_jax.labels import LabelSet
    from zsl_jax.types import Sentence

    forms = np.split(text.keys[:, -1], np.cumsum(text.lengths)[:-1])
    sentences = [Sentence(tuple(map(str, words.tolist()))) for words in forms]
    label_set = LabelSet(tuple(f"label{label}" for label in range(num_labels)))
    return functools.partial(skweak_labels, sentences, text.votes, label_set)


def beginning(text, num_words: int):
    """The first sentences of a text, with at most this many words, but at least one sentence."""
    count = max(num_words // FLAGS.sentence_words, 1)
    lengths = text.lengths[:count]
    words = int(lengths.sum())
    return text._replace(votes=text.votes[:words], lengths=lengths, keys=text.keys[:words])


def _timed(runs: Mapping[str, Run], num_words: int) -> list[Line]:
    """Median seconds of each program, after a run to warm up, and those per word."""
    for run in runs.values():
        run()
    lines: list[Line] = []
    for name, taken in measuring.interleaved(runs, FLAGS.repeats, BUDGET).items():
        line: Line = {"program": name, "words": num_words} | measuring.summary(taken)
        lines.append(line | {"per_word": line["median"] / num_words})
    return lines


def _shown(line: Line) -> dict[str, str]:
    """The columns of the printed tables."""
    shown = {"program": line["program"], "words": f"{line['words']:,}" if "words" in line else ""}
    shown["median s"] = f"{line['median']:.2f}" if "median" in line else ""
    shown["µs per word"] = f"{1e6 * line['per_word']:.2f}"
    return shown | ({"of an M step": f"{line['of_m_step']:.4f}"} if "of_m_step" in line else {})


if __name__ == "__main__":
    options.run(main)
