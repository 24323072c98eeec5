import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernels.examples import precision
from zsl_jax import kernels
from zsl_jax.kernels.segments import ordered_segment_sum

few = settings(max_examples=8, deadline=None)


def in_order(rows, segments, num_segments):
    """What a GPU computes."""
    inside = (segments >= 0) & (segments < num_segments)
    return jax.jit(ordered_segment_sum, static_argnums=2)(
        rows, np.where(inside, segments, num_segments), num_segments
    )


@pytest.mark.parametrize("double", [False, True], ids=["float32", "float64"])
@pytest.mark.parametrize("sums", [kernels.segment_sum, in_order], ids=["any order", "in order"])
@given(seed=st.integers(0, 2**32 - 1))
@few
def test_sums_of_segments(sums, double, seed):
    rng = np.random.default_rng(seed)
    rows, segments = rng.normal(size=(13, 3)), rng.integers(-1, 7, 13)  # some rows are left out
    expected = np.zeros((6, 3))
    for row, segment in zip(rows, segments, strict=True):
        if 0 <= segment < 6:
            expected[segment] += row
    with precision(double) as tolerance:
        rows = rows.astype(np.float64 if double else np.float32)
        np.testing.assert_allclose(sums(rows, segments, 6), expected, **tolerance)


@pytest.mark.parametrize("sums", [kernels.segment_sum, in_order], ids=["any order", "in order"])
@pytest.mark.parametrize("segments", [[0], [2, 2, 2], [-1, -1], [5, 0, 5, 0, 5]], ids=str)
def test_segments_at_the_edges(sums, segments):
    rows = np.arange(1.0, len(segments) + 1, dtype=np.float32)[:, None]
    expected = [[rows[np.array(segments) == t].sum()] for t in range(6)]
    np.testing.assert_array_equal(sums(rows, np.array(segments), 6), expected)


def test_a_process_without_an_accelerator_does_not_trace_the_sum_in_order():
    rows, segments = np.ones((4, 1), np.float32), np.zeros(4, np.int32)
    traced = str(jax.make_jaxpr(lambda *sums: kernels.segment_sum(*sums, 3))(rows, segments))
    assert ("cond" in traced) == (jax.default_backend() != "cpu")


def test_gradient_of_the_sums():
    weights = np.arange(6.0, dtype=np.float32).reshape(3, 2)
    segments = np.array([2, 0, 2, 9])

    def total(rows):
        return (kernels.segment_sum(rows, segments, 3) * weights).sum()

    gradient = jax.grad(total)(np.zeros((4, 2), np.float32))
    np.testing.assert_array_equal(gradient, [weights[2], weights[0], weights[2], [0, 0]])
