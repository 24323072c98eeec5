"""Tests of zsl_jax.runtime.processes that need no second process."""

import pytest

from zsl_jax.errors import InputError
from zsl_jax.runtime import processes


def fails():
    raise InputError("a cannot be read")


def test_values_of_all_processes_are_merged(monkeypatch):
    assert processes.merged(lambda: {"a": "1"}) == {"a": "1"}
    monkeypatch.setattr(processes, "gather", lambda value: [value, [None, {"b": "2"}]])
    assert processes.merged(lambda: {"a": "1"}) == {"a": "1", "b": "2"}


def test_if_one_process_fails_all_raise_its_error(monkeypatch):
    with pytest.raises(InputError, match="a cannot be read"):
        processes.merged(fails)
    monkeypatch.setattr(processes, "gather", lambda value: [value, ["b cannot be read", {}]])
    with pytest.raises(InputError, match="b cannot be read"):
        processes.merged(lambda: {"a": "1"})
