"""launch.reproduce as a program: several processes on one table, and a killed one."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.experiments.tiny_experiment import YAML, write_data, write_experiment

ROWS = """rows:
  - direct
  - {name: kd, like: kd, sources: several}
  - {name: mine, sources: several, approach: lvm, label_model: paper, rounds: 2}
  - majority
  - bea
"""
SLOW = 300


@pytest.fixture(scope="module")
def command(world, tmp_path_factory):
    folder = tmp_path_factory.mktemp("reproduce")
    text = YAML[: YAML.index("rows:")] + ROWS + YAML[YAML.index("profiles:") :]
    path = write_experiment(folder, text.replace("seeds: [0, 1]", "seeds: [0]"))
    return [
        sys.executable, "-m", "launch.reproduce", f"--experiment={path}",
        f"--data={write_data(folder / 'data')}", f"--encoder={world.encoder}",
    ]  # fmt: skip


def start(command, output):
    return subprocess.Popen(
        [*command, f"--output={output}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def begun(text):
    """The cells that a process has begun."""
    return re.findall(r"^\d+ of 5: (\S+)$", text, re.M)


def numbers(output: Path):
    blocks = json.loads((output / "table.json").read_text(encoding="utf-8"))["blocks"]
    return [[(row["name"], row["entries"]) for row in block["rows"]] for block in blocks]


def test_two_processes_share_a_table_and_a_killed_one_resumes(command, tmp_path):
    shared, alone = tmp_path / "shared", tmp_path / "alone"
    killed, other = start(command, shared), start(command, shared)
    limit = time.monotonic() + SLOW
    while not list(shared.glob("*/*/*/0/result.json")) and time.monotonic() < limit:
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    outputs = [process.communicate(timeout=SLOW)[0] for process in (killed, other)]
    again = start(command, shared)
    outputs.append(again.communicate(timeout=SLOW)[0])
    assert again.returncode == 0
    done = [cell for text in outputs for cell in begun(text)]
    assert len(set(done)) == 5 and len(done) <= 6  # only the killed one's cell is done again
    assert len(list(shared.glob("models/*/0/result.json"))) == 2
    lone = start(command, alone)
    text, _ = lone.communicate(timeout=SLOW)
    assert lone.returncode == 0 and len(begun(text)) == 5
    assert numbers(shared) == numbers(alone)
    assert "Tiny table" in text and "Missing cells" not in text
    listed = subprocess.run(
        [*command, f"--output={shared}", "--list", "--share=2/2"], capture_output=True, text=True
    )
    assert listed.stdout.split() == ["done", "multi/cc/kd/0", "done", "multi/cc/majority/0"]


BAD = {
    "--share=3/2": "--share=3/2 must read I/N with I from 1 to N, such as 2/4",
    "--only=mutli": "--only=mutli names no cell; see --list",
    "--approaches=x": "--approaches=x is not a row; the rows are direct, kd, mine, majority, bea",
}


def test_wrong_flags_are_one_sentence(command, tmp_path):
    environment = {**os.environ, "JAX_PLATFORMS": "cpu"}
    started = {
        flag: subprocess.Popen(
            [*command, f"--output={tmp_path}", flag],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
        )
        for flag in BAD
    }  # fmt: skip
    for flag, process in started.items():
        error = process.communicate(timeout=SLOW)[1]
        assert process.returncode == 2 and "Traceback" not in error
        assert f"error: {BAD[flag]}" in error and len(error.strip().splitlines()) == 1, error
    assert list(tmp_path.iterdir()) == []
