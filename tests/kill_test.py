"""A run that is killed without warning ends, when started again, as if nothing had happened."""

import random
import signal
import subprocess
import time

import pytest

from tests import killing


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The command of a run, where it may write, and the end of the run that was left alone."""
    folder = tmp_path_factory.mktemp("killing")
    command = killing.prepare(folder)
    return command, folder, killing.finish(command, folder / killing.ALONE)


@pytest.mark.parametrize("aim", killing.AIMS)
def test_a_killed_run_ends_as_the_one_that_was_left_alone(alone, aim):
    command, folder, expected = alone
    output = folder / aim.replace(" ", "-")
    killed = killing.kill_once(command, output, aim, random.Random(aim), expected)
    assert killed.is_same, killed
    assert killed.from_step <= killed.step + 1


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_to_end_saves_and_ends_with_a_sentence(alone, name):
    command, folder, expected = alone
    output = folder / name
    number = signal.Signals[name]
    process = subprocess.Popen(
        [*command, f"--output={output}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + killing.TIMEOUT
    while killing.last_step(output) < 7 and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(number)
    _, errors = process.communicate(timeout=killing.TIMEOUT)
    assert process.returncode == 128 + number
    assert f"Stopped by {name} after step" in errors and "Traceback" not in errors
    step = killing.last_step(output)
    assert killing.finish(command, output) == expected
    resumed = [line["step"] for line in killing.metrics(output) if line["kind"] == "resumed"]
    assert resumed == [step]
