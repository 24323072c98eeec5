"""launch.transfer with a clock and a memory meter for each of its stages.

python -m benchmarks.staged_transfer --stages=stages.json FLAGS OF launch.transfer

Functions that are stages are wrapped, with nothing else changed. Time and memory count for the
innermost stage. `benchmarks.transfer_memory` calls this program.
"""

import functools
import importlib
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from absl import flags

from benchmarks import measuring
from launch import options, transfer
from launch.options import FLAGS
from zsl_jax.buckets import RUN_SCHEMES

flags.DEFINE_string("stages", None, "File that gets the figures (JSON).")
STAGES = (
    ("digests of files", "launch.run_spec", "shared_digests"),
    ("text", "launch.inputs", "read_shards"),
    ("predictions", "zsl_jax.workflows.transfer_task", "predictions_of"),
    ("votes", "zsl_jax.workflows.transfer_task", "source_votes"),
    ("subwords", "zsl_jax.workflows.transfer_task", "encode_text"),
    ("keys of words", "zsl_jax.workflows.transfer_task", "text_words"),
    ("label model", "zsl_jax.workflows.transfer_task", "with_chain"),
    ("E step", "zsl_jax.training.paper_rounds.PaperModel", "e_step"),
    ("E step", "zsl_jax.training.chain_rounds.ChainEM", "e_step"),
    ("M step", "zsl_jax.training.loop", "run_epoch"),
    ("labels of the text", "zsl_jax.workflows.transfer_run", "finished_run"),
    ("writing labels", "zsl_jax.workflows.transfer_run", "write_text_labels"),
)
OTHER = "everything else"
SAMPLED_EVERY = 0.05  # seconds


class Meter:
    """Seconds and peak memory by stage."""

    def __init__(self) -> None:
        self._running = [OTHER]
        self._since = time.perf_counter(), time.process_time()
        self._lines: dict[str, dict[str, float]] = {}
        threading.Thread(target=self._watch, daemon=True).start()

    def measured(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, whose calls count as a stage."""

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            self._count()
            self._running.append(stage)
            try:
                return function(*args, **kwargs)
            finally:
                self._count()
                self._running.pop()

        return call

    def lines(self) -> list[dict[str, Any]]:
        """For each stage its seconds, on the clock and of the processors, and bytes of memory."""
        self._count()
        return [{"stage": stage, **line} for stage, line in self._lines.items()]

    def _line(self) -> dict[str, float]:
        zeros = dict.fromkeys(("seconds", "cpu_seconds", "anonymous", "mapped"), 0.0)
        return self._lines.setdefault(self._running[-1], zeros)

    def _count(self) -> None:
        line, now = self._line(), (time.perf_counter(), time.process_time())
        line["seconds"] += now[0] - self._since[0]
        line["cpu_seconds"] += now[1] - self._since[1]
        self._since = now
        self._sample(line)

    def _sample(self, line: dict[str, float]) -> None:
        for name, field in (("anonymous", "RssAnon"), ("mapped", "RssFile")):
            line[name] = max(line[name], measuring.status(field))

    def _watch(self) -> None:
        while True:
            self._sample(self._line())
            time.sleep(SAMPLED_EVERY)


def main() -> None:
    """Wraps the stages, runs the transfer, and writes the figures."""
    from zsl_jax.io.json_file import write_json

    meter = Meter()
    for stage, place, name in STAGES:
        target = _resolve(place)
        setattr(target, name, meter.measured(stage, getattr(target, name)))
    transfer.main()
    write_json(Path(FLAGS.stages), {"stages": meter.lines()})


def _resolve(place: str) -> Any:
    """A module, or a class in one."""
    module, _, name = place.rpartition(".")
    if name[0].isupper():
        return getattr(importlib.import_module(module), name)
    return importlib.import_module(place)


if __name__ == "__main__":
    options.require("text", "output", "stages")
    options.run(main, {"output": RUN_SCHEMES})
