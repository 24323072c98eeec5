"""launch.reproduce as a program: several processes on one table, and a killed one."""

import json
import re
import signal
import time
from pathlib import Path

import pytest

from tests import programs
from tests.experiments.tiny_experiment import YAML, write_data, write_experiment

ROWS = """rows:
  - direct
  - {name: kd, like: kd, sources: several}
  - {name: mine, sources: several, approach: lvm, label_model: paper, rounds: 2}
  - majority
  - bea
"""


@pytest.fixture(scope="module")
def arguments(world, tmp_path_factory):
    folder = tmp_path_factory.mktemp("reproduce")
    text = YAML[: YAML.index("rows:")] + ROWS + YAML[YAML.index("profiles:") :]
    path = write_experiment(folder, text.replace("seeds: [0, 1]", "seeds: [0]"))
    data = write_data(folder / "data")
    return [f"--experiment={path}", f"--data={data}", f"--encoder={world.encoder}"]


def start(arguments, output, *more):
    return programs.start("launch.reproduce", *arguments, f"--output={output}", *more)


def begun(text):
    """The cells that a process has begun."""
    return re.findall(r"^\d+ of 5: (\S+)$", text, re.M)


def numbers(output: Path):
    blocks = json.loads((output / "table.json").read_text(encoding="utf-8"))["blocks"]
    return [[(row["name"], row["entries"]) for row in block["rows"]] for block in blocks]


def test_two_processes_share_a_table_and_a_killed_one_resumes(arguments, tmp_path):
    shared, alone = tmp_path / "shared", tmp_path / "alone"
    killed, other = start(arguments, shared), start(arguments, shared)
    limit = time.monotonic() + programs.TIMEOUT
    while not list(shared.glob("*/*/*/0/result.json")) and time.monotonic() < limit:
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    outputs = [process.finish().stdout for process in (killed, other)]
    again, lone = (start(arguments, output).finish() for output in (shared, alone))
    outputs.append(again.stdout)
    assert again.returncode == 0
    done = [cell for text in outputs for cell in begun(text)]
    assert len(set(done)) == 5 and len(done) <= 6  # only the killed one's cell is done again
    assert len(list(shared.glob("models/*/0/result.json"))) == 2
    assert lone.returncode == 0 and len(begun(lone.stdout)) == 5
    assert numbers(shared) == numbers(alone)
    assert "Tiny table" in lone.stdout and "Missing cells" not in lone.stdout
    listed = start(arguments, shared, "--list", "--share=2/2").finish()
    assert listed.stdout.split() == ["done", "multi/cc/kd/0", "done", "multi/cc/majority/0"]


BAD = {
    "--share=3/2": "--share=3/2 must read I/N with I from 1 to N, such as 2/4",
    "--only=multi,mutli": "--only=mutli names no cell; --list without --only names them all",
    "--share=6/6": "--share=6/6 is empty; give N up to the number of cells, 5",
    "--data=gs://b/x": "--data=gs://b/x: gs:// is not supported here; give a path on a disk",
    "--experiment=gs://b/x.yaml": "--experiment=gs://b/x.yaml: gs:// is not supported here",
    "--rows=x": "--rows=x is not a row; the rows are direct, kd, mine, majority, bea",
}


def test_wrong_flags_are_one_sentence(arguments, tmp_path):
    for flag, message in BAD.items():
        done = start(arguments, tmp_path, flag).finish()
        assert done.returncode == 2 and "Traceback" not in done.stderr
        assert f"error: {message}" in done.stderr, done.stderr
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert list(tmp_path.iterdir()) == []
