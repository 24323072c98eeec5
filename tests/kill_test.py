"""A run that is killed without warning ends, when started again, as if nothing had happened."""

import random
import signal
import time

import pytest

from tests import killing
from tests.programs import TIMEOUT, start


@pytest.fixture(scope="module")
def alone(run_left_alone):
    """The arguments of a run, where it may write, and the end of the run that was left alone."""
    arguments, output = run_left_alone
    return arguments, output.parent, killing.result(output)


@pytest.mark.parametrize("aim", killing.AIMS)
def test_a_killed_run_ends_as_the_one_that_was_left_alone(alone, aim):
    arguments, folder, expected = alone
    output = folder / aim.replace(" ", "-")
    killed = killing.kill_once(arguments, output, aim, random.Random(aim), expected)
    assert killed.is_same, killed
    assert killed.from_step <= killed.step + 1


def test_signals_to_end_save_and_end_with_a_sentence(alone):
    """And the run, which was told to end twice, ends as the one that was left alone."""
    arguments, folder, expected = alone
    output, steps = folder / "signals", []
    for name in ("SIGTERM", "SIGINT"):
        number, before = signal.Signals[name], killing.last_step(output)
        process = start("launch.transfer", *arguments, f"--output={output}")
        deadline = time.monotonic() + TIMEOUT
        while killing.last_step(output) < before + 7 and time.monotonic() < deadline:
            time.sleep(0.005)
        process.send_signal(number)
        done = process.finish()
        assert done.returncode == 128 + number
        assert f"Stopped by {name} after step" in done.stderr and "Traceback" not in done.stderr
        assert killing.resumed_from(output) == steps[-1:]
        steps.append(killing.last_step(output))
    assert killing.finish(arguments, output) == expected
    assert killing.resumed_from(output) == steps[-1:]
