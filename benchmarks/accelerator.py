"""Measure training and prediction on this machine's accelerator, beside PyTorch where installed.

python -m benchmarks.accelerator [--output=FILE.json]

Needs neither network nor files: weights are random in the shapes of real encoders, text is random
with the lengths of real text. Ends within --budget seconds: measurements that would begin later are
left out, and listed. Prints words per second, the share of the measured speed of a bfloat16 matrix
product (useful FLOPs: 6 per parameter of a matrix and subword for an update, 2 for a prediction,
plus attention inside sentences; padding is not counted) and the device's peak memory.

* M step: `training.steps.update` on packed rows of 128 subwords, --batch_words words per update.
* E step: log P of every word and Q from it and five soft sources.
* annotate, predict: log P of every word in float32, as these programs compute it.
* torch: transformers' token classifier; see `benchmarks.accelerator_torch`.

Every program and shape has a process of its own, so that none keeps memory from the next.
"""

import concurrent.futures
import importlib.util
import multiprocessing
import os
import time
from pathlib import Path
from typing import Any

from absl import flags

from benchmarks import measuring
from benchmarks.measuring import Speed
from launch import options
from launch.options import FLAGS
from zsl_jax.errors import InputError

flags.DEFINE_list("shapes", ["e5-small", "xlm-r-base", "xlm-r-large"], "Shapes of encoders.")
flags.DEFINE_integer("text_sentences", 4096, "Sentences of the text.", 1)
flags.DEFINE_float("seconds", 6.0, "Time for one stage of one program, after its first call.", 0.0)
flags.DEFINE_float("budget", 450.0, "Time for all.", 1.0)
flags.DEFINE_integer("matmul_size", 8192, "Rows of the matrices whose product is the peak.", 1)
flags.DEFINE_string("output", None, "JSON file of all figures.")
options.define("batch_words", "dropout", "dtype", "accumulate", "remat", "seed")
PROGRAMS = ("ours", "torch", "torch, compiled")


def main() -> None:
    """Prints a table for each program, and writes the figures."""
    end = time.monotonic() + FLAGS.budget
    os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"  # so that its memory can be measured
    os.environ["HF_HUB_OFFLINE"] = "1"
    device, peak = _alone(end, _peak, FLAGS.matmul_size, FLAGS.seconds)
    print(f"{device}: bfloat16 matmul {peak / 1e9:,.1f} GFLOP/s", flush=True)
    has_torch = importlib.util.find_spec("torch") is not None
    rows: list[dict[str, Any]] = []
    for shape in FLAGS.shapes:
        for program in PROGRAMS if has_torch else PROGRAMS[:1]:
            arguments = (program, shape, FLAGS.text_sentences, _settings(), FLAGS.seconds)
            try:
                speeds = _alone(end, _measure, *arguments)
            except Exception as error:  # too little memory or time: the others are still measured
                reason = str(error).strip().partition("\n")[0] or type(error).__name__
                print(f"{shape}, {program}: not measured ({reason})", flush=True)
                continue
            measured = [_row(shape, speed, peak) for speed in speeds]
            print(measuring.format_columns(measured), flush=True)
            rows += measured
    if FLAGS.output:
        from zsl_jax.io.json_file import write_json

        write_json(Path(FLAGS.output), {"device": device, "matmul_peak": peak, "rows": rows})


def _settings() -> dict[str, Any]:
    names = ("batch_words", "dropout", "dtype", "accumulate", "remat", "seed")
    return {name: FLAGS[name].value for name in names}


def _alone(end: float, function, *arguments) -> Any:
    """Calls a function in a fresh process, which is ended when the time is over."""
    fresh = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, fresh) as pool:
        call = pool.submit(function, *arguments)
        try:
            return call.result(timeout=max(0.0, end - time.monotonic()))
        except concurrent.futures.TimeoutError:
            for process in multiprocessing.active_children():
                process.terminate()
            raise InputError(
                f"the time of {FLAGS.budget:.0f} s is used up; give a larger `budget`"
            ) from None


def _peak(size: int, seconds: float) -> tuple[str, float]:
    from benchmarks import accelerator_ours

    return accelerator_ours.device(), accelerator_ours.matmul_peak(size, "bfloat16", seconds)


def _measure(
    program: str, shape: str, num_sentences: int, settings: dict[str, Any], seconds: float
) -> list[Speed]:
    from zsl_jax.training.config import TrainConfig

    config = TrainConfig(**settings)
    if program == "ours":
        from benchmarks import accelerator_ours

        return accelerator_ours.measure(shape, num_sentences, config, seconds)
    from benchmarks import accelerator_torch

    compiled = program == PROGRAMS[-1]
    return accelerator_torch.measure(shape, num_sentences, config, seconds, compiled)


def _row(shape: str, speed: Speed, peak: float) -> dict[str, Any]:
    memory = speed.peak_memory
    return {
        "shape": shape,
        "program": speed.program,
        "stage": speed.stage,
        "words/s": round(speed.words_per_second),
        "of matmul peak": f"{speed.flops_per_second / peak:.2f}",
        "GB": "" if memory is None else f"{memory / 1e9:.1f}",
    }


if __name__ == "__main__":
    options.run(main)
