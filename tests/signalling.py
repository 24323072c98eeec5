"""Sends programs SIGTERM or Ctrl-C at random moments, and looks at what becomes of them.

python -m tests.signalling NUM_SIGNALS [SEED]

Every program must end within `SECONDS` with the status of the signal, or have come to its end; its
output must be whole or not there, and nothing else may be left. A transfer must resume from where
it was stopped and end as the one that was left alone. Prints one line for each signal.
"""

import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests import programs, tiny_world
from tests.workflows.tagger_test import BIO, write_tagger

PROGRAMS = ("predict", "annotate", "evaluate", "aggregate", "train", "transfer")
NUMBERS = (signal.SIGTERM, signal.SIGINT)
SECONDS = 2.0  # on a busy machine, too
TIMEOUT = 300
FEW = ["--row_length=32", "--batch_words=64", "--epochs=2", "--learning_rate=0.01"]


class Told(NamedTuple):
    """One signal.

    Attributes:
      program: That it was sent to.
      name: Of the signal.
      after: Seconds from the start of the program to the signal.
      seconds: From the signal to the end of the program.
      status: Of the program; 0 if it had nothing more to do.
      faults: What is not as it should be.
    """

    program: str
    name: str
    after: float
    seconds: float
    status: int
    faults: list[str]


def prepare(folder: Path) -> dict[str, list[str]]:
    """Write a world, and return the command of each program but for its --output."""
    world = tiny_world.build(folder / "world")
    model = write_tagger(folder / "model", world.encoder, BIO)
    text = tiny_world.write_text(folder / "text.conll", tiny_world.sentences(2, 400))
    sources = [f"--source={name}={world.text}" for name in ("a", "b")]
    arguments = {
        "predict": [f"--model={model}", f"--text={text}"],
        "annotate": [f"--model={model}", f"--text={text}"],
        "evaluate": [f"--gold={text}", f"--predicted={text}", f"--significance={text}"],
        "aggregate": [*sources, "--method=dawid_skene"],
        "train": [f"--encoder={world.encoder}", f"--train={world.train}", *FEW],
        "transfer": [f"--encoder={world.encoder}", f"--text={world.text}", *sources, *FEW],
    }
    return {name: [sys.executable, "-m", f"launch.{name}", *arguments[name]] for name in PROGRAMS}


def output_of(program: str, folder: Path) -> Path:
    """Where a program writes."""
    names = {"predict": "a.conll", "annotate": "a.parquet", "evaluate": "a.json"}
    return folder / names.get(program, "a.jsonl" if program == "aggregate" else "run")


def result(output: Path) -> dict[str, bytes]:
    """What a program wrote that is the same every time."""
    files = [output] if output.is_file() else sorted(output.glob("*.safetensors"))
    return {file.name: file.read_bytes() for file in files}


def start(command: list[str], output: Path) -> subprocess.Popen:
    """Start a program, which hears Ctrl-C even if this one was started in the background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    return subprocess.Popen(
        [*command, f"--output={output}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def fork(command: list[str], output: Path) -> programs.Program:
    """Start a program that need not load the libraries."""
    return programs.start(command[2], *command[3:], f"--output={output}")


Start = Callable[[list[str], Path], subprocess.Popen | programs.Program]


def finish(
    command: list[str], output: Path, start: Start = start
) -> tuple[dict[str, bytes], float]:
    """Run to the end: what was written, and the seconds that it took."""
    started = time.monotonic()
    process = start(command, output)
    errors = process.communicate(timeout=TIMEOUT)[1]
    assert process.returncode == 0, errors
    return result(output), time.monotonic() - started


def tell(
    command: list[str], folder: Path, number: signal.Signals, after: float, expected: dict,
    start: Start = start,
) -> Told:  # fmt: skip
    """Start a program, send it a signal after so many seconds, and look at what it left."""
    program = command[2].removeprefix("launch.")
    output = output_of(program, folder)
    folder.mkdir()
    process = start(command, output)
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        process.send_signal(number)
    told = time.monotonic()
    errors = process.communicate(timeout=TIMEOUT)[1]
    seconds = time.monotonic() - told
    status = process.returncode
    faults = [f"ended after {seconds:.1f} s"] if seconds > SECONDS else []
    if status not in (0, -number, 128 + number) and "init_import_site" not in errors:
        faults.append(f"status {status}: {errors}")
    if status == 128 + number and "topped" not in errors:
        faults.append(f"no sentence: {errors}")
    faults += _left(program, output, status, expected)
    if program == "transfer":
        is_finished = (output / "result.json").exists()
        found = result(output) if is_finished else finish(command, output)[0]
        faults += ["resumed differently"] * (found != expected)
    return Told(program, number.name, round(after, 2), round(seconds, 2), status, faults)


def _left(program: str, output: Path, status: int, expected: dict) -> list[str]:
    """What is wrong in the folder of the output."""
    hidden = [str(path) for path in output.parent.rglob(".zsl_jax*")]
    faults = [f"left {hidden}"] if hidden else []
    is_there = (output / "config.json" if program in ("train", "transfer") else output).exists()
    if is_there and not result(output).items() >= expected.items() and program != "transfer":
        faults.append("the output is half-written")
    if not is_there and status == 0:
        faults.append("swallowed: no output")
    return faults


def main(num_signals: int, seed: int = 0) -> None:
    """Send so many signals, print what happened, and fail if anything is not as it should be."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        commands = prepare(folder)
        alone = {}
        for program in PROGRAMS:
            (folder / program).mkdir()
            alone[program] = finish(commands[program], output_of(program, folder / program))
        faults = 0
        for number in range(num_signals):
            program = PROGRAMS[number % len(PROGRAMS)]
            expected, seconds = alone[program]
            told = tell(
                commands[program], folder / str(number), rng.choice(NUMBERS),
                rng.uniform(0, seconds), expected,
            )  # fmt: skip
            faults += bool(told.faults)
            print(f"{number + 1:3}  {told}", flush=True)
    print(f"{num_signals - faults} of {num_signals} as they should be")
    sys.exit(faults > 0)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
