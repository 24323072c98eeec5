"""The tagger: an encoder and a linear head; log-probabilities at every subword."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike
from jaxtyping import Array, Float, Int

from zsl_jax.models.dropout import Dropout
from zsl_jax.models.encoder import Encoder
from zsl_jax.models.encoder_config import EncoderConfig
from zsl_jax.models.layer import ACTIVATIONS, dense, layer_norm

Params = dict[str, Any]


class TokenClassifier(nn.Module):
    """log P(label | sentence) at every subword.

    Attributes:
      config: The encoder's sizes and dropout rates.
      num_labels: K.
      dtype: Data type of the encoder's activations; the head is float32.
      remat: What of a layer is computed again for the gradient; see `Encoder`.
    """

    config: EncoderConfig
    num_labels: int
    dtype: DTypeLike = jnp.float32
    remat: str = "cheap"

    @nn.compact
    def __call__(
        self,
        tokens: Int[Array, "R S"] | Float[Array, "R S H"],
        positions: Int[Array, "R S"] | None,
        segments: Int[Array, "R S"],
        deterministic: bool,
    ) -> Float[Array, "R S K"]:
        """Tags packed rows.

        Args:
          tokens: [R, S], rows of the word embeddings; or [R, S, H], the output of the layers below,
            if this tagger's encoder continues them.
          positions: [R, S], from 0 in every sentence; None if the encoder continues other layers.
          segments: [R, S], number of the sentence inside its row; 0 is padding.
          deterministic: True switches dropout off; False needs `rngs={"dropout": key}`.

        Returns:
          [R, S, K], float32; the exponentials sum to 1 at every position, padding included.
          `training.e_step` picks the first subword of each word by `Batch.word_ids`, and the loss
          in `training.update` masks the others.
        """
        hidden = Encoder(self.config, self.dtype, self.remat, name="encoder")(
            tokens, positions, segments, deterministic
        )
        if self.config.prediction_head:
            hidden = PredictionHead(self.config, self.dtype, name="prediction_head")(hidden)
        hidden = Dropout(self.config.head_dropout)(hidden, deterministic).astype(jnp.float32)
        init = nn.initializers.normal(0.02)
        logits = nn.Dense(self.num_labels, kernel_init=init, name="classifier")(hidden)
        return jax.nn.log_softmax(logits, axis=-1)


class PredictionHead(nn.Module):
    """ModernBERT's layer between encoder and classifier."""

    config: EncoderConfig
    dtype: DTypeLike

    @nn.compact
    def __call__(self, hidden: Float[Array, "R S H"]) -> Float[Array, "R S H"]:
        """Returns the normalised output of a dense layer."""
        config = self.config
        assert config.prediction_head is not None
        activation = ACTIVATIONS[config.prediction_head]
        inner = activation(dense(config, self.dtype, "dense", config.hidden_size)(hidden))
        return layer_norm(config, self.dtype, "norm")(inner)


def word_embeddings(params: Params) -> Float[Array, "V H"]:
    """The matrix of word embeddings inside a tagger's parameters.

    Args:
      params: A tagger's parameters.

    Returns:
      [V, H], the leaf itself.
    """
    return params["encoder"]["embeddings"]["word"]


def slice_word_embeddings(params: Params, used_ids: Int[np.ndarray, " used"]) -> Params:
    """Keeps the word embeddings of some token ids; row i then belongs to token `used_ids[i]`.

    Only rows that occur in a corpus change during training; the optimiser does not need the others.

    Args:
      params: A tagger's parameters.
      used_ids: [used], distinct token ids.

    Returns:
      The parameters with [used, H] word embeddings; all other leaves are shared.
    """
    return _with_word_embeddings(params, word_embeddings(params)[used_ids])


def restore_word_embeddings(
    params: Params, full_matrix: Float[Array, "V H"], used_ids: Int[np.ndarray, " used"]
) -> Params:
    """Undoes `slice_word_embeddings`.

    Args:
      params: Parameters with [used, H] word embeddings.
      full_matrix: [V, H], the matrix that was sliced; it is not changed.
      used_ids: [used], the distinct token ids that were kept.

    Returns:
      The parameters with a [V, H] NumPy matrix: `full_matrix` with the rows `used_ids` replaced.
    """
    matrix = np.array(full_matrix)
    matrix[used_ids] = np.asarray(word_embeddings(params))
    return _with_word_embeddings(params, matrix)


def _with_word_embeddings(params: Params, matrix: Any) -> Params:
    embeddings = {**params["encoder"]["embeddings"], "word": matrix}
    return {**params, "encoder": {**params["encoder"], "embeddings": embeddings}}
