"""The encoder: BERT, RoBERTa / XLM-R and DistilBERT as one Flax Linen module.

All dense layers act on one token matrix [R*S, H], and the layers are one `nn.scan`: every parameter
of a layer is stacked on a leading axis [num_layers, ...]. Several sentences share a packed row;
attention stays inside a sentence because it is masked by equality of segments.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.ad_checkpoint import checkpoint_name
from jax.typing import DTypeLike
from jaxtyping import Array, Bool, Float, Int, Key, UInt

from zsl_jax.models.encoder_config import EncoderConfig


def gelu(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """The exact GELU, x * Phi(x), computed with erf."""
    return 0.5 * x * (1.0 + lax.erf(x * 0.5**0.5))


ACTIVATIONS = {
    "gelu": gelu,
    "gelu_new": jax.nn.gelu,
    "gelu_pytorch_tanh": jax.nn.gelu,
    "relu": jax.nn.relu,
}
KEPT = "kept"  # marks the values of a layer that are stored for the gradient


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


class Embeddings(nn.Module):
    """Sum of word, position and token type embeddings, normalised."""

    config: EncoderConfig
    dtype: DTypeLike

    @nn.compact
    def __call__(
        self, token_ids: Int[Array, " T"], positions: Int[Array, " T"], deterministic: bool
    ) -> Float[Array, "T H"]:
        """Returns [T, H] for T token ids and their positions."""
        config = self.config
        init = nn.initializers.normal(0.02)
        if self.has_variable("params", "word"):
            word: Array = self.get_variable("params", "word")  # any length: it may be sliced
        else:
            word = self.param("word", init, (config.vocab_size, config.hidden_size))
        rows = config.max_positions + config.position_offset
        position = self.param("position", init, (rows, config.hidden_size))
        hidden = word[token_ids] + position[positions + config.position_offset]
        if config.type_vocab_size:
            hidden += self.param("token_type", init, (config.type_vocab_size, config.hidden_size))[
                0
            ]
        hidden = _layer_norm(config, self.dtype, "norm")(hidden)
        return Dropout(config.dropout)(hidden, deterministic)


class Layer(nn.Module):
    """One transformer layer, normalised after each residual; the body of the scan."""

    config: EncoderConfig
    dtype: DTypeLike
    deterministic: bool

    @nn.compact
    def __call__(
        self, hidden: Float[Array, "T H"], mask: Bool[Array, "R 1 S S"]
    ) -> tuple[Float[Array, "T H"], None]:
        """Returns the layer's output [T, H], T = R*S, and None as the scan's output."""
        config = self.config
        drop = Dropout(config.dropout)
        attended = self.dense(config.hidden_size, "attention_output", self.attention(hidden, mask))
        hidden = _layer_norm(config, self.dtype, "attention_norm")(
            hidden + drop(attended, self.deterministic)
        )
        inner = self.dense(config.intermediate_size, "intermediate", hidden)
        outer = self.dense(config.hidden_size, "output", ACTIVATIONS[config.hidden_act](inner))
        hidden = _layer_norm(config, self.dtype, "output_norm")(
            hidden + drop(outer, self.deterministic)
        )
        return hidden, None

    def attention(
        self, hidden: Float[Array, "T H"], mask: Bool[Array, "R 1 S S"]
    ) -> Float[Array, "T H"]:
        """Scaled dot-product attention inside the segments."""
        rows, _, length, _ = mask.shape
        heads = self.config.num_heads
        size = self.config.hidden_size // heads

        def project(name: str) -> Float[Array, "R heads S size"]:
            tokens = self.dense(heads * size, name, hidden)
            return tokens.reshape(rows, length, heads, size).transpose(0, 2, 1, 3)

        query, key, value = project("query"), project("key"), project("value")
        scores = (query * size**-0.5) @ key.swapaxes(-1, -2)
        scores = jnp.where(mask, scores.astype(jnp.float32), jnp.finfo(jnp.float32).min)
        probs = jax.nn.softmax(scores, axis=-1).astype(self.dtype)
        probs = Dropout(self.config.attention_dropout)(probs, self.deterministic)
        context = checkpoint_name(probs @ value, KEPT)
        return context.transpose(0, 2, 1, 3).reshape(rows * length, heads * size)

    def dense(self, features: int, name: str, x: Float[Array, "T in"]) -> Float[Array, "T out"]:
        """A linear map of every token."""
        init = nn.initializers.normal(0.02)
        linear = nn.Dense(features, dtype=self.dtype, kernel_init=init, name=name)
        return checkpoint_name(linear(x), KEPT)


def _layer_norm(config: EncoderConfig, dtype: DTypeLike, name: str) -> nn.LayerNorm:
    # The statistics are float32 whatever the dtype is; the one-pass variance loses digits.
    return nn.LayerNorm(config.layer_norm_eps, dtype=dtype, use_fast_variance=False, name=name)


class Encoder(nn.Module):
    """Contextual vectors of packed rows.

    Attributes:
      config: Sizes and dropout rates.
      dtype: Data type of the activations; parameters, softmax and normalisation stay float32.
    """

    config: EncoderConfig
    dtype: DTypeLike = jnp.float32

    @nn.compact
    def __call__(
        self,
        tokens: Int[Array, "R S"] | Float[Array, "R S H"],
        positions: Int[Array, "R S"] | None,
        segments: Int[Array, "R S"],
        deterministic: bool,
    ) -> Float[Array, "R S H"]:
        """Encodes packed rows; a token attends to the tokens of its own segment.

        Args:
          tokens: [R, S], rows of the word embeddings; or [R, S, H], the output of an encoder of the
            layers below, which this encoder continues without embeddings of its own.
          positions: [R, S], from 0 in every sentence, below `max_positions`; None if this encoder
            continues another.
          segments: [R, S], number of the sentence inside its row; 0 is padding, which attends only
            to padding, so that it stays finite and does not affect any sentence.
          deterministic: True switches dropout off; False needs `rngs={"dropout": key}`.

        Returns:
          [R, S, H], the last layer's output.
        """
        rows, length = segments.shape
        if positions is None:
            hidden = tokens.reshape(rows * length, -1).astype(self.dtype)
        else:
            hidden = Embeddings(self.config, self.dtype, name="embeddings")(
                tokens.reshape(-1), positions.reshape(-1), deterministic
            )
        mask = segments[:, None, :, None] == segments[:, None, None, :]
        # Only the marked values, the large matrix products, are stored for the gradient; the
        # attention scores and everything between the products are cheaper to recompute.
        policy = jax.checkpoint_policies.save_only_these_names(KEPT)
        layer = nn.remat(Layer, prevent_cse=False, policy=policy)
        scan = nn.scan(
            layer,
            variable_axes={"params": 0},
            split_rngs={"params": True, "dropout": True},
            in_axes=nn.broadcast,
            length=self.config.num_layers,
        )
        hidden, _ = scan(self.config, self.dtype, deterministic, name="layers")(hidden, mask)
        return hidden.reshape(rows, length, self.config.hidden_size)
