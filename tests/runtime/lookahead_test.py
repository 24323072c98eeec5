"""Tests of zsl_jax.runtime.lookahead."""

import threading

import pytest

from zsl_jax.runtime.lookahead import PREPARED, prepared


def test_items_are_prepared_in_order_by_another_thread():
    threads = set()

    def items():
        for number in range(20):
            threads.add(threading.current_thread().name)
            yield number

    assert list(prepared(items())) == list(range(20))
    assert len(threads) == 1 and threads != {threading.current_thread().name}
    assert list(prepared([])) == []


def test_the_next_items_are_made_while_one_is_used():
    made = [threading.Event() for _ in range(10)]
    items = prepared(event.set() or number for number, event in enumerate(made))
    assert next(items) == 0
    assert all(event.wait(30) for event in made[: PREPARED + 1])
    assert not any(event.is_set() for event in made[PREPARED + 1 :])
    items.close()


def test_an_error_comes_in_place_of_its_item_and_ends_the_thread():
    def items():
        yield 1
        raise OSError("no room")

    got = prepared(items())
    assert next(got) == 1
    with pytest.raises(OSError, match="no room"):
        next(got)
    assert not any("preparing" in thread.name for thread in threading.enumerate())
