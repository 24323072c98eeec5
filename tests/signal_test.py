"""Programs that are told to end do so at once, and leave nothing half-written."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from tests import signalling


@pytest.fixture(scope="module")
def commands(tmp_path_factory):
    folder = tmp_path_factory.mktemp("signals")
    return folder, signalling.prepare(folder)


@pytest.mark.parametrize("program", ["predict", "annotate", "evaluate", "aggregate", "train"])
def test_a_signal_at_a_random_moment_ends_a_program(commands, program):
    """Once its libraries are loaded; transfers are told to end in `kill_test`."""
    folder, found = commands
    alone = folder / f"{program}-alone"
    alone.mkdir()
    output = signalling.output_of(program, alone)
    expected, seconds = signalling.finish(found[program], output, signalling.fork)
    rng = random.Random(program)
    number, after = rng.choice(signalling.NUMBERS), rng.uniform(0.3, 0.9) * seconds
    told = signalling.tell(
        found[program], folder / f"{program}-told", signal.Signals(number), after, expected,
        signalling.fork,
    )  # fmt: skip
    assert not told.faults, told


@pytest.mark.parametrize("number", signalling.NUMBERS)
def test_a_signal_ends_the_demo_before_its_encoder_is_unpacked(tmp_path, monkeypatch, number):
    monkeypatch.setenv("ZSL_CACHE", str(tmp_path / "cache"))
    process = signalling.start([sys.executable, "-m", "launch.demo"], tmp_path / "run")
    while not list((tmp_path / "cache").glob("*")) and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(number)
    told = time.monotonic()
    errors = process.communicate(timeout=signalling.TIMEOUT)[1]
    assert time.monotonic() - told < signalling.SECONDS and process.returncode == 128 + number
    assert errors.endswith("stopped; no file is left half-written\n")
    assert not list((tmp_path / "cache").iterdir())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_program_that_is_still_loading_libraries_ends_at_once(tmp_path, number):
    """The library holds Python's lock, so that no handler of Python can run."""
    (tmp_path / "absl").mkdir()
    (tmp_path / "absl" / "__init__.py").write_text(
        "print('loading', flush=True); sum(range(10**11))"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "launch.train"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env={**os.environ, "PYTHONPATH": f"{tmp_path}:{os.getcwd()}"},
    )  # fmt: skip
    try:
        assert process.stdout.readline() == "loading\n"
        process.send_signal(number)
        assert process.wait(timeout=10) == -number
        assert process.stderr.read() == ""
    finally:
        process.kill()
        process.communicate()
