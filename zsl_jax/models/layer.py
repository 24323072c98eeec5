"""One transformer layer of any family; `EncoderConfig` names what differs."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.ad_checkpoint import checkpoint_name
from jax.typing import DTypeLike
from jaxtyping import Array, Bool, Float

from zsl_jax.models.attention import attend
from zsl_jax.models.dropout import Dropout
from zsl_jax.models.encoder_config import EncoderConfig


@jax.custom_jvp
def erf(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """The error function; JAX 0.12 cannot differentiate its own inside `shard_map`."""
    return lax.erf(x)


@erf.defjvp
def _erf_jvp(primals, tangents):
    (x,), (tangent,) = primals, tangents
    slope = lax.full_like(x, 2.0 / np.sqrt(np.pi)) * (tangent * lax.exp(-lax.square(x)))
    return erf(x), slope


def gelu(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """The exact GELU, x * Phi(x), computed with erf."""
    return 0.5 * x * (1.0 + erf(x * 0.5**0.5))


ACTIVATIONS = {
    "gelu": gelu,
    "gelu_new": jax.nn.gelu,
    "gelu_pytorch_tanh": jax.nn.gelu,
    "relu": jax.nn.relu,
}
KEPT = "kept"  # marks the values of a layer that are stored for the gradient


class Shared(NamedTuple):
    """What all layers share.

    Attributes:
      mask: [R, 1, S, S], whether two places belong to the same sentence.
      relative: Embeddings of relative positions; None where the family has none.
    """

    mask: Bool[Array, "R 1 S S"]
    relative: Float[Array, "positions H"] | None


class Layer(nn.Module):
    """One transformer layer; the body of the scan."""

    config: EncoderConfig
    dtype: DTypeLike
    deterministic: bool

    @nn.compact
    def __call__(
        self, hidden: Float[Array, "T H"], layer: Array | np.ndarray, shared: Shared
    ) -> tuple[Float[Array, "T H"], None]:
        """Returns the output [T, H], T = R*S, of the layer of this number, and None."""
        drop = Dropout(self.config.dropout)

        def add(norm_name: str, part: Callable[[Array], Array], hidden: Array) -> Array:
            normalise = layer_norm(self.config, self.dtype, norm_name)
            if not self.config.norm_first:
                return normalise(hidden + drop(part(hidden), self.deterministic))
            normalised = normalise(hidden)
            if norm_name == "attention_norm" and not self.config.has_first_norm:
                normalised = jnp.where(layer == 0, hidden, normalised)
            return hidden + drop(part(normalised), self.deterministic)

        hidden = add("attention_norm", lambda x: self.attention(x, layer, shared), hidden)
        return add("output_norm", self.feed_forward, hidden), None

    def feed_forward(self, hidden: Float[Array, "T H"]) -> Float[Array, "T H"]:
        """Two dense layers with an activation, and with a gate where the family has one."""
        config = self.config
        width = config.intermediate_size * (1 + config.is_gated)
        inner = self.linear("intermediate", width)(hidden)
        if config.is_gated:
            inner, gate = jnp.split(inner, 2, axis=-1)
        inner = ACTIVATIONS[config.hidden_act](inner)
        return self.linear("output", config.hidden_size)(inner * gate if config.is_gated else inner)

    def attention(
        self, hidden: Float[Array, "T H"], layer: Array | np.ndarray, shared: Shared
    ) -> Float[Array, "T H"]:
        """Scaled dot-product attention inside the segments, and its output's projection."""
        config, mask = self.config, shared.mask
        length = mask.shape[-1]
        scale = (config.hidden_size // config.num_heads) ** -0.5
        if config.rotary:
            joint = self.linear("query_key_value", 3 * config.hidden_size)(hidden)
            query, key, value = (self.heads(x, length) for x in jnp.split(joint, 3, axis=-1))
            rotation = config.rotary.of_layer(layer)
            query, key = rotation.rotate(query), rotation.rotate(key)
            mask &= rotation.reaches(length)
        else:
            maps = [self.linear(name, config.hidden_size) for name in ("query", "key", "value")]
            query, key, value = (self.heads(project(hidden), length) for project in maps)
        if config.relative:
            scale *= (1 + len(config.relative.kinds)) ** -0.5
        other_scores = None
        if config.relative and shared.relative is not None:
            table = Dropout(config.dropout)(shared.relative, self.deterministic)
            places = table[config.relative.rows(length)]
            position_query, position_key = (
                self.heads(project(places), len(places))[0] * scale for project in maps[:2]
            )
            other_scores = config.relative.scores(query, key, position_query, position_key)
        drop = None
        if config.attention_dropout and not self.deterministic:
            drop = functools.partial(Dropout(config.attention_dropout), deterministic=False)
        context = attend(query, key, value, mask, scale, other_scores, drop)
        context = checkpoint_name(context, KEPT)
        context = context.transpose(0, 2, 1, 3).reshape(hidden.shape)
        return self.linear("attention_output", config.hidden_size)(context)

    def heads(self, tokens: Float[Array, "T H"], length: int) -> Float[Array, "R heads S size"]:
        """Tokens in rows of a length, their numbers divided among the heads."""
        heads = self.config.num_heads
        rows = tokens.reshape(-1, length, heads, tokens.shape[-1] // heads)
        return rows.transpose(0, 2, 1, 3)

    def linear(self, name: str, features: int) -> Callable[[Array], Array]:
        """A linear map of every token, whose results are stored for the gradient."""
        linear = dense(self.config, self.dtype, name, features)
        return lambda x: checkpoint_name(linear(x), KEPT)


def dense(config: EncoderConfig, dtype: DTypeLike, name: str, features: int) -> nn.Dense:
    """A dense layer, initialised as BERT's."""
    init = nn.initializers.normal(0.02)
    return nn.Dense(features, use_bias=config.has_biases, dtype=dtype, kernel_init=init, name=name)


def layer_norm(config: EncoderConfig, dtype: DTypeLike, name: str) -> nn.LayerNorm:
    """A normalisation; its statistics are float32 whatever the dtype is."""
    return nn.LayerNorm(
        config.layer_norm_eps,
        dtype=dtype,
        use_bias=config.has_biases,
        use_fast_variance=False,  # the one-pass variance loses digits
        name=name,
    )
