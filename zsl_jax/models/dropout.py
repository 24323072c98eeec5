"""Dropout whose random bits are a hash, which fuses with its consumer."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Key, UInt


def hashed_bits(key: Key[Array, ""], shape: tuple[int, ...]) -> UInt[Array, "..."]:
    """32 random bits for every entry of an array: a hash of the entry's index and the key.

    Sufficient for dropout, which only needs bits without visible order. The few integer operations
    fuse with their consumer, whereas `jax.random.bits` goes through memory on a CPU.

    Args:
      key: One key of any generator.
      shape: Shape of the result; beyond 2**32 entries the bits repeat.

    Returns:
      uint32 of the given shape; the same for the same key and shape on every device.
    """
    words = jax.random.key_data(key)
    bits = jnp.zeros(shape, jnp.uint32)
    for axis, stride in enumerate(np.cumprod((1, *shape[:0:-1]))[::-1]):
        bits += lax.broadcasted_iota(jnp.uint32, shape, axis) * np.uint32(stride % 2**32)
    bits = bits * np.uint32(0x9E3779B9) ^ words[0]
    bits = (bits ^ bits >> 16) * np.uint32(0x85EBCA6B)  # the constants are MurmurHash3's
    bits = (bits ^ bits >> 13 ^ words[-1]) * np.uint32(0xC2B2AE35)
    return bits ^ bits >> 16


class Dropout(nn.Module):
    """Sets entries to zero with probability `rate` and scales the others to keep the mean.

    No random bits are drawn if the rate is 0.
    """

    rate: float

    @nn.compact
    def __call__(self, x: Float[Array, "..."], deterministic: bool) -> Float[Array, "..."]:
        """Returns `x` itself if `deterministic` or if the rate is 0."""
        if deterministic or self.rate == 0:
            return x
        dropped = np.uint32(self.rate * 2**32)
        kept = hashed_bits(self.make_rng("dropout"), x.shape) >= dropped
        return jnp.where(kept, x / (1 - self.rate), jnp.zeros_like(x))
