"""Programs that are told to end do so at once, and leave nothing half-written."""

import random
import signal

import pytest

from tests import signalling


@pytest.fixture(scope="module")
def commands(tmp_path_factory):
    folder = tmp_path_factory.mktemp("signals")
    return folder, signalling.prepare(folder)


@pytest.mark.parametrize("program", ["predict", "aggregate", "train"])
def test_a_signal_at_a_random_moment_ends_a_program(commands, program):
    folder, found = commands
    alone = folder / f"{program}-alone"
    alone.mkdir()
    expected, seconds = signalling.finish(found[program], signalling.output_of(program, alone))
    for number in signalling.NUMBERS:
        after = random.Random(f"{program} {number}").uniform(0.3, 0.9) * seconds
        told = signalling.tell(
            found[program], folder / f"{program}-{number}", signal.Signals(number), after, expected
        )
        assert not told.faults, told
