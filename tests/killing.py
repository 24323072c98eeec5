"""Kills a small run without warning at chosen moments, resumes it, and compares the ends.

python -m tests.killing NUM_KILLS [SEED]

Prints one line per kill: where it hit, from which update the run resumed, and whether the final
parameters, σ and predictions are those of the run that was left alone, bit for bit.
"""

import json
import random
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import pytest
from filelock import FileLock

from tests import tiny_world
from tests.programs import Program, program, start
from zsl_jax.io.run_folder import RunFolder

ROUNDS = 3
ALONE = "alone"
LEARNED, LABELLED = ("model.safetensors", "label_model.safetensors"), "labelled.parquet"
AIMS = ("save", "E step", "M step")


class Killed(NamedTuple):
    """One kill.

    Attributes:
      aim: What the run was meant to be doing.
      step: Updates that metrics.jsonl had when it was killed.
      saving: Whether an unfinished checkpoint lay in the folder.
      from_step: The update after which the second process went on; 0 is the beginning.
      is_same: Whether it ended as the run that was left alone.
    """

    aim: str
    step: int
    saving: bool
    from_step: int
    is_same: bool


def prepare(folder: Path) -> list[str]:
    """Write a world with two sources; the arguments of a transfer, but for its --output."""
    world = tiny_world.build(folder / "world")
    sources = []
    for seed in (1, 2):
        model = folder / f"model{seed}"
        program(
            "train", f"--encoder={world.encoder}", f"--train={world.train}", f"--seed={seed}",
            f"--output={model}", "--epochs=2", "--row_length=32", "--batch_words=64",
            "--learning_rate=0.01",
        )  # fmt: skip
        sources.append(f"--source=s{seed}={model}")
    return [
        f"--encoder={world.encoder}", f"--text={world.text}", *sources, f"--rounds={ROUNDS}",
        "--epochs=2", "--row_length=32", "--batch_words=16", "--learning_rate=0.01",
        "--save_every_steps=5", "--seed=3",
    ]  # fmt: skip


def prepare_once(folder: Path) -> list[str]:
    """What `prepare` returns; the first process that asks also leaves a run alone, in `ALONE`."""
    arguments = folder / "arguments.json"
    with FileLock(f"{folder}.lock"):
        if not arguments.exists():
            folder.mkdir()
            prepared = prepare(folder)
            finish(prepared, folder / ALONE, with_labels=True)
            arguments.write_text(json.dumps(prepared))
    return json.loads(arguments.read_text())


def finish(arguments: list[str], output: Path, with_labels: bool = False) -> dict[str, bytes]:
    """Run to the end; the bytes of the tagger and of σ, and of the tagger's labels for the text."""
    program("transfer", *arguments, f"--output={output}")
    if with_labels:
        text = next(value for value in arguments if value.startswith("--text="))
        labelled = output / LABELLED
        program("predict", f"--model={output}", text, f"--output={labelled}", "--row_length=32")
    return result(output, with_labels)


def result(output: Path, with_labels: bool = False) -> dict[str, bytes]:
    """What `finish` returns, of a run that has ended."""
    return {name: (output / name).read_bytes() for name in (*LEARNED, *[LABELLED] * with_labels)}


def kill_once(
    arguments: list[str], output: Path, aim: str, rng: random.Random, expected: dict[str, bytes]
) -> Killed:
    """Start, kill at a random moment of the kind aimed at, start again, compare."""
    process = start("launch.transfer", *arguments, f"--output={output}")
    per_round = last_step(output.with_name(ALONE)) // ROUNDS
    _wait_for(aim, output, per_round, rng, process)
    process.send_signal(signal.SIGKILL)
    process.finish()
    step = last_step(output)
    saving = bool(_unfinished(output))
    found = finish(arguments, output, len(expected) > 2)
    from_step = sum(resumed_from(output))
    return Killed(aim, step, saving, from_step, found == expected)


def _wait_for(aim: str, output: Path, per_round: int, rng: random.Random, process: Program) -> None:
    """Return when the run is where it is to be killed, or has ended by itself."""
    chosen_round, chosen_step = rng.randint(1, ROUNDS), rng.randint(1, ROUNDS * per_round)
    chosen_save = rng.randint(1, ROUNDS * per_round // 5)
    seen: set[str] = set()
    while process.poll() is None:
        time.sleep(0.003)
        if aim == "save":
            seen |= _unfinished(output)
            if len(seen) >= chosen_save:
                return
        elif aim == "E step":
            lines = metrics(output)
            rounds = sum(line["kind"] == "round" for line in lines)
            if rounds == chosen_round and last_step(output) == chosen_round * per_round:
                time.sleep(rng.random() * 0.05)
                return
        elif last_step(output) >= chosen_step:
            return


def _unfinished(output: Path) -> set[str]:
    return {path.name for path in output.glob("checkpoints/*/*tmp*")}


def metrics(output: Path) -> list[dict]:
    """The lines of metrics.jsonl so far."""
    path = output / "metrics.jsonl"
    lines = path.read_text().split("\n")[:-1] if path.exists() else []
    return [json.loads(line) for line in lines]


def resumed_from(output: Path) -> list[int]:
    """The update from which the last start resumed; nothing if it began anew."""
    return [line["step"] for line in metrics(output) if line["kind"] == "resumed"]


def last_step(output: Path) -> int:
    """Updates that metrics.jsonl has."""
    return max((line["step"] for line in metrics(output) if line["kind"] == "step"), default=0)


class Ended(BaseException):
    """Ends a run as no handler expects."""


def end_at(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Let runs in this process end when this update is reported."""
    append = RunFolder.append_metrics

    def append_or_end(self, **metrics):
        append(self, **metrics)
        if metrics["kind"] == "step" and metrics["step"] == step:
            raise Ended

    monkeypatch.setattr(RunFolder, "append_metrics", append_or_end)


def main(num_kills: int, seed: int = 0) -> None:
    """Kill so many times, print what happened, and fail if a run ended differently."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        arguments = prepare(folder)
        expected = finish(arguments, folder / ALONE, with_labels=True)
        same = 0
        for number in range(num_kills):
            aim = AIMS[number % len(AIMS)]
            killed = kill_once(arguments, folder / f"run{number}", aim, rng, expected)
            same += killed.is_same
            print(f"{number + 1:3}  {killed}", flush=True)
    print(f"{same} of {num_kills} ended as the run that was left alone")
    sys.exit(same != num_kills)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
