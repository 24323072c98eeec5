"""A process that no longer counts is noticed, and no other one."""

import pytest

from zsl_jax.runtime.presence import PATIENCE, Presence


class Store:
    """The run's store: what processes have written in it."""

    def __init__(self):
        self.values = {}

    def key_value_set(self, key, value, allow_overwrite):
        assert allow_overwrite
        self.values[key] = value

    def key_value_dir_get(self, folder):
        return [(key, value) for key, value in self.values.items() if key.startswith(folder)]


@pytest.fixture
def three():
    store = Store()
    return [Presence(store, index) for index in range(3)]


def test_processes_that_count_are_not_lost(three):
    for seconds in range(0, 200, 2):
        assert [process.lost(seconds) for process in three] == [[], [], []]


def test_a_process_that_stops_counting_is_lost_to_all_others_after_a_while(three):
    for second in range(11):
        assert [process.lost(second) for process in three] == [[], [], []]
    last = 11 + PATIENCE  # the first one only sees the last count when it counts again
    others = three[2], three[0]
    for second in range(11, 100):
        lost = [process.lost(second) for process in others]
        if any(lost):
            break
    assert last <= second <= last + 1 and [1] in lost


def test_a_process_that_has_not_started_to_count_is_waited_for(three):
    for seconds in range(200):
        assert three[0].lost(seconds) == []


def test_a_pause_of_the_whole_machine_is_not_taken_for_a_loss(three):
    for second in (*range(10), *range(500, 600)):
        assert [process.lost(second) for process in three] == [[], [], []]
