"""Time the pieces of the E step's label arithmetic, and compare them with the speed of memory.

python -m benchmarks.e_step_pieces --output=runs/e_step_pieces.json

One block of words stays in the caches; a piece is one compiled program on it, in its best memory
order, and is timed many times. "Allowed" is the time that memory takes, at the share --share of its
copy bandwidth, for what must move: votes and prior in, posterior out. One pass over the block
cannot be faster than the sum of the pieces unless XLA compiles a piece better.
"""

import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

from benchmarks import measuring
from launch import options
from launch.options import FLAGS

flags.DEFINE_integer("num_sources", 5, "Number of sources, U.", 1)
flags.DEFINE_integer("num_labels", 17, "Number of labels, K.", 2)
flags.DEFINE_integer("repeats", 200, "Number of runs of each piece.", 5)
flags.DEFINE_float("share", 0.3, "Share of the copy bandwidth.", 0.0)
flags.DEFINE_string("output", None, "JSON file of all figures.")


def main() -> None:
    """Times the pieces, prints tables for labels and for probabilities, and writes the figures."""
    from zsl_jax.io.json_file import write_json
    from zsl_jax.runtime.blocks import BLOCK_WORDS

    machine = measuring.machine()
    bandwidth = measuring.copy_bandwidth(machine["cores"])
    print(f"{machine}; np.copyto: {bandwidth / 1e9:.1f} GB/s; {BLOCK_WORDS} words", flush=True)
    figures: dict[str, Any] = {"machine": machine, "copy_bandwidth": bandwidth}
    width = 2 * 4 * FLAGS.num_labels  # bytes of prior and posterior
    moved = {
        "labels": 4 * FLAGS.num_sources + width,
        "probabilities": 2 * FLAGS.num_sources * FLAGS.num_labels + width,
    }
    for kind, pieces in _pieces(BLOCK_WORDS).items():
        taken = measuring.interleaved(pieces, FLAGS.repeats)
        times = {name: 1e9 * statistics.median(taken[name]) / BLOCK_WORDS for name in pieces}
        allowed = 1e9 * moved[kind] / (FLAGS.share * bandwidth)
        together = sum(value for name, value in times.items() if name != "all of it")
        times |= {"sum of the pieces": together, f"allowed at {FLAGS.share}": allowed}
        print(f"\n{kind}, {moved[kind]} bytes per word")
        rows = [{"piece": name, "ns per word": f"{value:.1f}"} for name, value in times.items()]
        print(measuring.format_columns(rows))
        figures[kind] = times
    write_json(Path(FLAGS.output), figures)


def _pieces(words: int) -> dict[str, dict[str, Callable[[], Any]]]:
    """Compiled programs on arrays on the device, for labels and for probabilities."""
    import jax
    import jax.numpy as jnp

    from benchmarks.planted_votes import our_posterior, planted, softened, tagger_log_prior
    from zsl_jax import kernels

    sources, labels = FLAGS.num_sources, FLAGS.num_labels
    data = planted(words, sources, labels, seed=0)
    rng = np.random.default_rng(0)
    log_prior = tagger_log_prior(data.truth, labels, rng)
    probs = softened(data.labels, labels, rng).astype(np.float16)
    confusion = np.exp(data.log_confusion)
    by_source = np.ascontiguousarray(np.moveaxis(probs, 0, -1)).astype(np.float32)

    def with_hidden_states(votes):
        tables = jnp.asarray(data.log_confusion)
        return sum(tables[u].at[votes[:, u]].get(mode="promise_in_bounds") for u in range(sources))

    def product(matrix, values):
        return jnp.matmul(matrix.T, values, precision=jax.lax.Precision.HIGHEST)

    def programs(function: Callable[..., Any], *arguments: Any) -> Callable[[], Any]:
        compiled = jax.jit(function)
        placed = jax.device_put(arguments)
        jax.block_until_ready(compiled(*placed))
        return lambda: jax.block_until_ready(compiled(*placed))

    def normalised(joint):
        return kernels.posterior_and_objective(joint, jnp.ones(words, bool)).posterior

    one_product = programs(product, confusion[0], by_source[0])
    softmax = programs(normalised, log_prior)
    return {
        "labels": {
            "look-ups of all sources": programs(with_hidden_states, data.labels),
            "softmax": softmax,
            "all of it": our_posterior(log_prior, data.labels, data.log_confusion),
        },
        "probabilities": {
            "float16 to float32": programs(lambda a: a.astype(jnp.float32), probs),
            "products of all sources": lambda: [one_product() for _ in range(sources)],
            "logarithms": programs(jnp.log, by_source),
            "softmax": softmax,
            "all of it": our_posterior(log_prior, probs, data.log_confusion),
        },
    }


if __name__ == "__main__":
    options.require("output")
    options.run(main)
