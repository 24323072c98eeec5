"""Scaled dot-product attention: a fused kernel where the device has one, plain products elsewhere.

The fused kernel is cuDNN's flash attention behind `jax.nn.dot_product_attention`: it neither stores
the scores nor reads them again. It takes 16-bit activations, rows of an even length and heads of a
multiple of 8, and has no dropout of the attention probabilities and no scores besides query times
key.

Dao 2023, FlashAttention-2: Faster Attention with Better Parallelism and Work Partitioning,
https://arxiv.org/abs/2307.08691.
"""

import functools
import re
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import Array, Bool, Float

FUSED_SINCE = 8  # major compute capability of the first GPUs with the fused kernel: Ampere
MOST_SIZE = 128  # of a head, which every one of these GPUs takes


def attend(
    query: Float[Array, "R heads S size"],
    key: Float[Array, "R heads S size"],
    value: Float[Array, "R heads S size"],
    mask: Bool[Array, "R 1 S S"],
    scale: float,
    other_scores: Float[Array, "R heads S S"] | None = None,
    drop: Callable[[Array], Array] | None = None,
) -> Float[Array, "R heads S size"]:
    """softmax(scale * query key' + other scores) value, where the mask is True.

    The softmax is computed in float32. Every place must be allowed to attend to at least one.

    Args:
      query: Queries.
      key: Keys.
      value: Values.
      mask: Whether a place (second last axis) attends to another (last axis).
      scale: Factor of the products.
      other_scores: Scores that are added to the scaled products.
      drop: Dropout of the probabilities.

    Returns:
      [R, heads, S, size], in the data type of the values.
    """
    is_plain = other_scores is None and drop is None
    if is_plain and has_fused_kernel(value.dtype, *value.shape[-2:]):
        query, key, value = (x.swapaxes(1, 2) for x in (query, key, value))
        context = jax.nn.dot_product_attention(
            query, key, value, mask=mask, scale=scale, implementation="cudnn"
        )
        return context.swapaxes(1, 2)
    scores = (query * scale) @ key.swapaxes(-1, -2)
    if other_scores is not None:
        scores += other_scores
    scores = jnp.where(mask, scores.astype(jnp.float32), jnp.finfo(jnp.float32).min)
    probs = jax.nn.softmax(scores, axis=-1).astype(value.dtype)
    return (probs if drop is None else drop(probs)) @ value


def has_fused_kernel(dtype: DTypeLike, length: int, size: int) -> bool:
    """Whether the devices have the fused kernel, and it takes rows and heads of these sizes."""
    fits = length % 2 == 0 and size % 8 == 0 and size <= MOST_SIZE
    return fits and jnp.dtype(dtype).itemsize == 2 and _gpus_have_fused_kernel()


@functools.cache
def _gpus_have_fused_kernel() -> bool:
    """Whether all of this process's devices are NVIDIA GPUs that are new enough."""
    versions = [str(getattr(device, "compute_capability", "")) for device in jax.local_devices()]
    numbers = [re.fullmatch(r"(\d+)\.\d+", version) for version in versions]
    return all(number and int(number[1]) >= FUSED_SINCE for number in numbers)
