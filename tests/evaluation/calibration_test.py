"""Tests of zsl_jax.evaluation.calibration."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zsl_jax.evaluation.calibration import Bin, calibration


def test_bins_hold_the_words_of_their_range_and_empty_ones_are_left_out():
    probs = np.array([0.05, 0.5, 0.55, 1.0])
    found = calibration(probs, np.array([False, True, False, True]))
    assert found.bins == (
        Bin(0.0, 0.1, 1, 0.05, 0.0),
        Bin(0.5, 0.6, 2, pytest.approx(0.525), 0.5),
        Bin(0.9, 1.0, 1, 1.0, 1.0),
    )
    assert found.error == pytest.approx((0.05 + 2 * 0.025) / 4)


def test_no_words_have_no_error():
    assert calibration(np.zeros(0), np.zeros(0, bool)) == ((), 0.0)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40))
def test_bins_share_out_all_words(pairs):
    probs, right = (np.array(values) for values in zip(*pairs, strict=True))
    found = calibration(probs, right)
    assert sum(part.num_words for part in found.bins) == len(pairs)
    assert sum(part.num_words * part.accuracy for part in found.bins) == pytest.approx(right.sum())
    assert 0 <= found.error <= 1
