"""Rotary positions, with layers of global and of local attention (ModernBERT).

Every pair of numbers in a query or a key is rotated by an angle that is proportional to its
position, so that their product depends on the distance alone. Hence positions may be counted from
the beginning of a packed row instead of the beginning of the sentence.

Su et al. 2021, RoFormer: Enhanced Transformer with Rotary Position Embedding,
https://arxiv.org/abs/2104.09864; Warner et al. 2024, Smarter, Better, Faster, Longer: A Modern
Bidirectional Encoder, https://arxiv.org/abs/2412.13663.
"""

import dataclasses
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from zsl_jax.errors import InputError
from zsl_jax.models.config_values import Values, shown

KINDS = ("full_attention", "sliding_attention")
_OLD_KEYS = ("global_rope_theta", "local_rope_theta")
_BASES = (160_000.0, 10_000.0)  # of transformers, for files without them


@dataclasses.dataclass(frozen=True)
class RotaryPositions:
    """Settings of rotary positions.

    Attributes:
      is_local: For every layer of the whole model, whether its attention is local.
      window: Largest distance over which local attention reaches.
      global_base: Base of the wavelengths in layers of global attention.
      local_base: The same in layers of local attention.
    """

    is_local: tuple[bool, ...]
    window: int
    global_base: float
    local_base: float

    @staticmethod
    def from_huggingface(values: Values, num_layers: int) -> "RotaryPositions":
        """Reads the settings from a config.json of any version of transformers.

        Raises:
          InputError: The layers' kinds or the rotations are not supported.
        """
        kinds = values.config.get("layer_types")
        if kinds is None:
            every = values.size("global_attn_every_n_layers", 3)
            kinds = [KINDS[bool(layer % every)] for layer in range(min(num_layers, 1 << 16))]
        if not isinstance(kinds, list) or len(kinds) != num_layers or not set(kinds) <= set(KINDS):
            raise InputError(
                f"{values.where}: layer_types {shown(kinds)} does not give one of "
                f"{' and '.join(KINDS)} for each of {num_layers} layers; use the model's own file"
            )
        bases = [_base(values, *names) for names in zip(KINDS, _OLD_KEYS, _BASES, strict=True)]
        is_local = tuple(kind == KINDS[1] for kind in kinds)
        return RotaryPositions(is_local, values.size("local_attention", 128) // 2, *bases)

    def of_layer(self, layer: Array | np.ndarray) -> "LayerRotation":
        """Returns what differs between the layers, for one of them."""
        is_local = jnp.asarray(self.is_local)[layer]
        base = jnp.where(is_local, jnp.float32(self.local_base), jnp.float32(self.global_base))
        return LayerRotation(base, jnp.where(is_local, self.window, np.iinfo(np.int32).max))


class LayerRotation(NamedTuple):
    """Rotary positions of one layer.

    Attributes:
      base: [], base of the wavelengths.
      reach: [], largest distance over which attention reaches.
    """

    base: Float[Array, ""]
    reach: Int[Array, ""]

    def rotate(self, vectors: Float[Array, "R heads S size"]) -> Float[Array, "R heads S size"]:
        """Rotates queries or keys by their positions in the row; computed in float32."""
        length, size = vectors.shape[-2:]
        rates = 1.0 / self.base ** (jnp.arange(0, size, 2, dtype=jnp.float32) / size)
        angles = jnp.arange(length, dtype=jnp.float32)[:, None] * rates
        cos, sin = jnp.cos(angles), jnp.sin(angles)
        first, second = jnp.split(vectors.astype(jnp.float32), 2, axis=-1)
        rotated = [first * cos - second * sin, second * cos + first * sin]
        return jnp.concatenate(rotated, axis=-1).astype(vectors.dtype)

    def reaches(self, length: int) -> Bool[Array, "S S"]:
        """Whether attention reaches from one place of a row to another."""
        places = jnp.arange(length)
        return jnp.abs(places[:, None] - places) <= self.reach


def _base(values: Values, kind: str, old_key: str, default: float) -> float:
    """The base of one kind of layers, which newer files nest under the kind."""
    rotations = values.config.get("rope_parameters") or {}
    rotation = rotations.get(kind) if isinstance(rotations, dict) else None
    rotation = rotation if isinstance(rotation, dict) else {}
    values.require("rope_scaling", values.config.get("rope_scaling"), None)
    values.require("rope_type", rotation.get("rope_type", "default"), "default")
    values.require("partial_rotary_factor", rotation.get("partial_rotary_factor", 1.0), 1.0)
    base = rotation.get("rope_theta", values.config.get(old_key, default))
    if type(base) not in (int, float) or not 1 < base < 1e30:
        raise InputError(
            f"{values.where}: the rotary base of {kind} is {shown(base)}, not a number above 1; "
            "use the model's own file"
        )
    return float(base)
