"""A function is called until it returns True, or the block ends, and not after it."""

import threading
import time

from zsl_jax.runtime.polling import polled


def test_it_is_called_until_it_returns_true():
    calls, enough = [], threading.Event()

    def look():
        calls.append(len(calls))
        if len(calls) == 3:
            enough.set()
        return len(calls) == 3

    with polled(look, 0.001, "test"):
        assert enough.wait(10)
        time.sleep(0.01)
    assert calls == [0, 1, 2]


def test_the_block_ends_with_the_call_that_is_under_way():
    begun, ended = threading.Event(), []

    def look():
        begun.set()
        time.sleep(0.05)
        ended.append(True)
        return False

    with polled(look, 60, "test"):
        assert begun.wait(10)
    assert ended == [True]
