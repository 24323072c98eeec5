"""The encoder: all families as one Flax Linen module; `EncoderConfig` names what differs.

All dense layers act on one token matrix [R*S, H], and the layers are one `nn.scan`: every parameter
of a layer is stacked on a leading axis [num_layers, ...]. Several sentences share a packed row;
attention stays inside a sentence because it is masked by equality of segments.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.typing import DTypeLike
from jaxtyping import Array, Float, Int

from zsl_jax import kernels
from zsl_jax.models.dropout import Dropout
from zsl_jax.models.encoder_config import EncoderConfig
from zsl_jax.models.layer import KEPT, Layer, Shared, dense, layer_norm

# What is stored of a layer for the gradient. "cheap" stores the marked values, the large matrix
# products; the attention scores and everything between the products are cheaper to recompute.
REMAT = {
    "none": None,
    "cheap": jax.checkpoint_policies.save_only_these_names(KEPT),
    "all": jax.checkpoint_policies.nothing_saveable,
}


@jax.custom_vjp
def looked_up(table: Float[Array, "V H"], rows: Int[Array, " T"]) -> Float[Array, "T H"]:
    """Rows of a table; the gradient adds up in a fixed order on every device."""
    return table[rows]


def _looked_up(table: Array, rows: Array) -> tuple[Array, tuple[Array, int]]:
    return table[rows], (rows, len(table))


def _gradient_of_table(rows_and_size: tuple[Array, int], gradient: Array) -> tuple[Array, None]:
    rows, size = rows_and_size
    return kernels.segment_sum(gradient, rows, size), None


looked_up.defvjp(_looked_up, _gradient_of_table)


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
        width = config.embedding_size or config.hidden_size
        if self.has_variable("params", "word"):
            word: Array = self.get_variable("params", "word")  # any length: it may be sliced
        else:
            word = self.param("word", init, (config.vocab_size, width))
        hidden = looked_up(word, token_ids)
        if config.has_position_embeddings:
            rows = config.max_positions + config.position_offset
            position = self.param("position", init, (rows, width))
            hidden += looked_up(position, positions + config.position_offset)
        if config.type_vocab_size:
            hidden += self.param("token_type", init, (config.type_vocab_size, width))[0]
        if config.has_embedding_norm:
            hidden = layer_norm(config, self.dtype, "norm")(hidden)
        hidden = Dropout(config.dropout)(hidden.astype(self.dtype), deterministic)
        if config.embedding_size:
            hidden = dense(config, self.dtype, "project", config.hidden_size)(hidden)
        return hidden


class RelativeEmbeddings(nn.Module):
    """The embeddings of relative positions, which all layers share.

    They are not trained above frozen layers, which use them, too.
    """

    config: EncoderConfig
    dtype: DTypeLike
    is_frozen: bool

    @nn.compact
    def __call__(self) -> Float[Array, "positions H"]:
        """Returns the embeddings of all buckets of distances."""
        relative, config = self.config.relative, self.config
        assert relative is not None
        init = nn.initializers.normal(0.02)
        table: Array = self.param("embedding", init, (2 * relative.span, config.hidden_size))
        if relative.is_normalised:
            table = layer_norm(config, self.dtype, "norm")(table)
        return lax.stop_gradient(table) if self.is_frozen else table


def layers_at_once(config: EncoderConfig, deterministic: bool) -> int:
    """How many layers are compiled one after the other instead of as a loop.

    All of them for training on a GPU, where a loop copies all that it stores for the gradient and
    all that it reads of it; elsewhere, and without a gradient, a loop, which compiles sooner.
    """
    trains_on_gpu = jax.default_backend() == "gpu" and not deterministic
    return config.num_layers if trains_on_gpu else 1


class Encoder(nn.Module):
    """Contextual vectors of packed rows.

    Attributes:
      config: Sizes and dropout rates.
      dtype: Data type of the activations; parameters, softmax and normalisation stay float32.
      remat: What of a layer is computed again for the gradient; a key of `REMAT`.
    """

    config: EncoderConfig
    dtype: DTypeLike = jnp.float32
    remat: str = "cheap"

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
        config = self.config
        rows, length = segments.shape
        if positions is None:
            hidden = tokens.reshape(rows * length, -1).astype(self.dtype)
        else:
            hidden = Embeddings(config, self.dtype, name="embeddings")(
                tokens.reshape(-1), positions.reshape(-1), deterministic
            )
        mask = segments[:, None, :, None] == segments[:, None, None, :]
        relative = None
        if config.relative:
            relative = RelativeEmbeddings(config, self.dtype, positions is None, name="relative")()
        policy = REMAT[self.remat]
        layer = nn.remat(Layer, prevent_cse=False, policy=policy) if policy else Layer
        scan = nn.scan(
            layer,
            variable_axes={"params": 0},
            split_rngs={"params": True, "dropout": True},
            in_axes=(0, nn.broadcast),
            length=config.num_layers,
            unroll=layers_at_once(config, deterministic),
        )
        layers = np.arange(config.first_layer, config.first_layer + config.num_layers)
        hidden, _ = scan(config, self.dtype, deterministic, name="layers")(
            hidden, layers, Shared(mask, relative)
        )
        if config.has_final_norm:
            hidden = layer_norm(config, self.dtype, "final_norm")(hidden)
        return hidden.reshape(rows, length, config.hidden_size)
