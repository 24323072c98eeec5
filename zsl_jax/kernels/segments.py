"""Sums of rows by segment, the same bit for bit in every run.

A GPU adds the rows of a segment in whatever order its threads arrive, and floating-point sums
depend on the order. There, rows are sorted by segment and added by a segmented scan instead, whose
order is fixed. A process that only has CPUs does not trace that scan, which would be most of the
time of tracing a small program with such a sum.

Blelloch 1990, Prefix Sums and Their Applications, https://www.cs.cmu.edu/~guyb/papers/Ble93.pdf.
"""

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from zsl_jax.kernels.arguments import at_least_int32, kernel


@kernel(static=("num_segments",))
def segment_sum(
    rows: Float[Array, "N K"], segments: Int[Array, " N"], num_segments: int
) -> Float[Array, "T K"]:
    """Returns the sum of the rows of each segment: S_t = Σ_n [segment_n = t] row_n.

    Args:
      rows: [N, K].
      segments: [N], from 0 to T − 1; rows of other segments, such as -1, are left out.
      num_segments: T.

    Returns:
      [T, K].

    Examples:
      >>> segment_sum(jnp.array([[1.0], [2.0], [4.0], [8.0]]), jnp.array([1, 0, 1, -1]), 3)
      Array([[2.],
             [5.],
             [0.]], dtype=float32)
    """
    segments = at_least_int32(segments)
    inside = (segments >= 0) & (segments < num_segments)
    segments = jnp.where(inside, segments, num_segments).astype(jnp.int32)

    def in_order(rows: Array, segments: Array) -> Array:
        return ordered_segment_sum(rows, segments, num_segments)

    def in_any_order(rows: Array, segments: Array) -> Array:
        return jax.ops.segment_sum(rows, segments, num_segments)

    if jax.default_backend() == "cpu":
        return in_any_order(rows, segments)
    return lax.platform_dependent(
        rows, segments, cuda=in_order, rocm=in_order, default=in_any_order
    )


def ordered_segment_sum(
    rows: Float[Array, "N K"], segments: Int[Array, " N"], num_segments: int
) -> Float[Array, "T K"]:
    """The sums of `segment_sum` by a segmented scan, for segments from 0 to T; T is left out."""
    order = jnp.argsort(segments, stable=True)
    sorted_segments = segments[order]
    changes = sorted_segments[1:] != sorted_segments[:-1]
    edge = jnp.ones(1, bool)

    def combine(left, right):
        begins, total = right
        return left[0] | begins, jnp.where(begins[:, None], total, left[1] + total)

    begins = jnp.concatenate([edge, changes])
    _, totals = lax.associative_scan(combine, (begins, rows[order]))
    is_last = jnp.concatenate([changes, edge])
    # Every row has a place of its own, so that nothing is added to the same place twice.
    outside = num_segments + 1 + jnp.arange(len(segments), dtype=jnp.int32)
    places = jnp.where(is_last, sorted_segments, outside)
    sums = jnp.zeros((num_segments, rows.shape[1]), rows.dtype)
    return sums.at[places].set(totals, mode="drop", unique_indices=True)
