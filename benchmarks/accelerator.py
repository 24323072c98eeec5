"""Measure training and prediction on this machine's accelerator, beside PyTorch where installed.

python -m benchmarks.accelerator [--output=FILE.json]

Needs neither network nor files: weights are random in the shapes of real encoders, text is random
with the lengths of real text. Ends within --budget seconds: measurements that would begin later are
left out, and listed. Programs are compiled first, several at once; then each runs alone. Prints
words per second, the share of the measured speed of a bfloat16 matrix product (useful FLOPs: 6 per
parameter of a matrix and subword for an update, 2 for a prediction, plus attention inside
sentences; padding is not counted) and the device's peak memory.

* M step: `training.steps.update` on packed rows of 128 subwords, --batch_words words per update.
* E step: log P of every word and Q from it and five soft sources.
* annotate, predict: log P of every word in float32, as these programs compute it.
* torch: transformers' token classifier; see `benchmarks.accelerator_torch`.

Every program and shape has a process of its own, so that none keeps memory from the next.
"""

import contextlib
import importlib.util
import itertools
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from absl import flags

from benchmarks import measuring
from benchmarks.measuring import Speed
from launch import options
from launch.options import FLAGS
from zsl_jax.errors import InputError

flags.DEFINE_list("shapes", ["e5-small", "xlm-r-base", "xlm-r-large"], "Shapes of encoders.")
PROGRAMS = ("ours", "torch", "torch.compile")
flags.DEFINE_list("programs", list(PROGRAMS), "Programs to measure, in this order.")
flags.register_validator(
    "programs", set(PROGRAMS).issuperset, f"must be one or several of {', '.join(PROGRAMS)}"
)
flags.DEFINE_integer("text_sentences", 4096, "Sentences of the text.", 1)
flags.DEFINE_float("seconds", 6.0, "Time for one stage of one program, after its first call.", 0.0)
flags.DEFINE_float("budget", 450.0, "Time for all.", 1.0)
flags.DEFINE_integer(
    "compile_at_once", 3, "Programs that are compiled at once before the first is timed.", 0
)
flags.DEFINE_integer("matmul_size", 8192, "Rows of the matrices whose product is the peak.", 1)
flags.DEFINE_string("output", None, "JSON file of all figures.")
SETTINGS = ("batch_words", "dropout", "attention_dropout", "dtype", "accumulate", "remat", "seed")
options.define(*SETTINGS)


def main() -> None:
    """Prints a line for each stage of each program, and writes the figures."""
    end = time.monotonic() + FLAGS.budget
    os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"  # so that its memory can be measured
    os.environ["HF_HUB_OFFLINE"] = "1"
    has_torch = importlib.util.find_spec("torch") is not None
    programs = FLAGS.programs if has_torch else PROGRAMS[:1]
    pairs = list(itertools.product(programs, FLAGS.shapes))
    with tempfile.TemporaryDirectory() as folder:
        _keep_compiled_programs(folder)
        compiled = [pair for pair in pairs if pair[0] != "torch"]
        if FLAGS.compile_at_once and compiled:
            _compile(end, compiled)
        ((device, peak),) = _alone(end, _peak, FLAGS.matmul_size, FLAGS.seconds)
        print(f"{device}: bfloat16 matmul {peak / 1e9:,.1f} GFLOP/s", flush=True)
        rows = _rows(end, pairs, peak)
    if rows:
        print(measuring.format_columns(rows))
    if FLAGS.output:
        from zsl_jax.io.json_file import write_json

        write_json(Path(FLAGS.output), {"device": device, "matmul_peak": peak, "rows": rows})


def _keep_compiled_programs(folder: str) -> None:
    """Lets the processes below find what others of them have compiled."""
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", f"{folder}/jax")
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", f"{folder}/inductor")
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"


def _compile(end: float, pairs: Sequence[tuple[str, str]]) -> None:
    """Calls programs once, several at a time; what fails is reported when it is measured."""

    def once(pair: tuple[str, str]) -> None:
        with contextlib.suppress(Exception):
            for _ in _alone(end, _measure, *_arguments(*pair, seconds=0.0)):
                pass

    start = time.monotonic()
    with ThreadPoolExecutor(FLAGS.compile_at_once) as pool:
        list(pool.map(once, pairs))
    print(f"compiled in {time.monotonic() - start:.0f} s", flush=True)


def _rows(end: float, pairs: Sequence[tuple[str, str]], peak: float) -> list[dict[str, Any]]:
    """The speeds of all stages; each line is printed as soon as it is known."""
    rows: list[dict[str, Any]] = []
    for program, shape in pairs:
        try:
            for speed in _alone(end, _measure, *_arguments(program, shape, FLAGS.seconds)):
                rows.append(_row(shape, speed, peak))
                print(measuring.format_columns(rows).splitlines()[-1], flush=True)
        except Exception as error:  # too little memory or time: the others are still measured
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            print(f"{shape}, {program}: not measured ({reason})", flush=True)
    return rows


def _arguments(program: str, shape: str, seconds: float) -> tuple[Any, ...]:
    """Those of `_measure`."""
    settings = {name: FLAGS[name].value for name in SETTINGS}
    return program, shape, FLAGS.text_sentences, settings, seconds


def _alone(end: float, function: Callable[..., Iterable[Any]], *arguments: Any) -> Iterator[Any]:
    """Yields what a function yields in a fresh process, which ends when the time is over."""
    fresh = multiprocessing.get_context("spawn")
    receiver, sender = fresh.Pipe(duplex=False)
    process = fresh.Process(target=_send_all, args=(sender, function, arguments), daemon=True)
    process.start()
    sender.close()
    try:
        while receiver.poll(max(0.0, end - time.monotonic())):
            value = receiver.recv()
            if isinstance(value, _Done):
                if value.error:
                    raise InputError(value.error)
                return
            yield value
    except EOFError:
        raise InputError("its process ended, perhaps for lack of memory") from None
    finally:
        process.kill()
        process.join()
    raise InputError(f"the time of {FLAGS.budget:.0f} s is used up; give a larger `budget`")


class _Done(NamedTuple):
    """The end of what a process yields, with its error if there is one."""

    error: str


def _send_all(sender: Connection, function: Callable[..., Iterable[Any]], arguments) -> None:
    try:
        for value in function(*arguments):
            sender.send(value)
    except Exception as error:
        sender.send(_Done(str(error) or type(error).__name__))
    else:
        sender.send(_Done(""))


def _peak(size: int, seconds: float) -> Iterator[tuple[str, float]]:
    from benchmarks import accelerator_ours

    yield accelerator_ours.device(), accelerator_ours.matmul_peak(size, "bfloat16", seconds)


def _measure(
    program: str, shape: str, num_sentences: int, settings: dict[str, Any], seconds: float
) -> Iterator[Speed]:
    from zsl_jax.training.config import TrainConfig

    config = TrainConfig(**settings)
    if program == "ours":
        from benchmarks import accelerator_ours

        return accelerator_ours.measure(shape, num_sentences, config, seconds)
    from benchmarks import accelerator_torch

    compiled = program == "torch.compile"
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
    FLAGS.set_default("batch_words", 512)
    options.run(main)
