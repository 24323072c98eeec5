"""A process without heartbeats is noticed by the others, and no other process is."""

import threading

import jax
import pytest
from orbax.checkpoint import multihost

from zsl_jax.runtime import heartbeats
from zsl_jax.runtime.heartbeats import TIMEOUT, Heartbeats, watching_processes


class Store:
    """The run's key-value store."""

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
    return [Heartbeats(store, index) for index in range(3)]


def all_live(processes, seconds):
    return all(process.beat(second) == [] for second in seconds for process in processes)


def test_processes_with_heartbeats_are_not_lost(three):
    assert all_live(three, range(0, 200, 2))


def test_a_process_without_heartbeats_is_lost_to_the_others_after_the_timeout(three):
    assert all_live(three, range(11))
    others = three[2], three[0]  # the last heartbeat reaches the third at once, the first later
    assert all_live(others, range(11, 11 + int(TIMEOUT)))
    later = range(11 + int(TIMEOUT), 13 + int(TIMEOUT))
    assert [[process.beat(second) for process in others] for second in later][-1] == [[1], [1]]


def test_a_process_before_its_first_heartbeat_is_waited_for(three):
    assert all_live(three[:1], range(200))


def test_a_pause_of_the_whole_machine_is_not_taken_for_a_loss(three):
    assert all_live(three, (*range(10), *range(500, 600)))


def test_a_store_that_fails_once_does_not_end_the_heartbeats(monkeypatch):
    counts, enough = [], threading.Event()

    class Failing(Store):
        def key_value_set(self, key, value, allow_overwrite):
            counts.append(value)
            if len(counts) == 2:
                raise jax.errors.JaxRuntimeError("UNAVAILABLE: once")
            if len(counts) == 4:
                enough.set()

    monkeypatch.setattr(heartbeats, "INTERVAL", 0.001)
    monkeypatch.setattr(multihost, "get_jax_distributed_client", Failing)
    with watching_processes(lambda lost: None):
        assert enough.wait(10)
