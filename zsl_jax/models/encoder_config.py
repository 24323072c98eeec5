"""Sizes, traits and dropout rates of an encoder, read from a Hugging Face `config.json`."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from zsl_jax.errors import InputError
from zsl_jax.models.config_values import Values, shown
from zsl_jax.models.families import FAMILIES, Family
from zsl_jax.models.relative import RelativePositions
from zsl_jax.models.rotary import RotaryPositions

# Names of the activations as in config.json; `layer.ACTIVATIONS` has the functions.
HIDDEN_ACTS = ("gelu", "gelu_new", "gelu_pytorch_tanh", "relu")
_PREDICTIONS = "or give its predictions as a source"
_SIZES = (
    "vocab_size",
    "hidden_size",
    "num_layers",
    "num_heads",
    "intermediate_size",
    "max_positions",
)


@dataclasses.dataclass(frozen=True)
class EncoderConfig:
    """Sizes, traits and dropout rates of an encoder; the default traits are BERT's.

    Attributes:
      family: Name of a `Family`.
      vocab_size: Rows of the word embeddings; used at `init` only.
      hidden_size: H.
      num_layers: Number of transformer layers.
      num_heads: Attention heads per layer.
      intermediate_size: Width of the feed-forward layer.
      max_positions: Usable positions: the longest sentence, special tokens included.
      position_offset: Row of the position embeddings that holds position 0 (RoBERTa: padding + 1).
      type_vocab_size: Rows of the token type embeddings; 0 where the family has none.
      layer_norm_eps: Added to the variance.
      hidden_act: One of `HIDDEN_ACTS`.
      dropout: Rate on embeddings, attention output and feed-forward output.
      attention_dropout: Rate on the attention probabilities.
      head_dropout: Rate before the head.
      embedding_size: Width of the embeddings, if they are projected to H.
      norm_first: Whether attention and feed-forward layer normalise their input instead of the sum
        of input and output.
      has_final_norm: Whether the last layer's output is normalised once more.
      has_embedding_norm: Whether the embeddings are normalised.
      has_first_norm: Whether the first layer normalises the input of its attention.
      has_biases: Whether dense layers and normalisations have biases.
      has_position_embeddings: Whether positions have embeddings that are added to the words'.
      is_gated: Whether half of the feed-forward layer is a gate for the other half.
      relative: Relative positions, if attention knows them.
      rotary: Rotary positions, if attention knows them; query, key and value are one projection.
      prediction_head: Activation of the layer between encoder and classifier, if there is one.
      first_layer: Number of the first layer, if this encoder continues the layers below.
    """

    family: str
    vocab_size: int
    hidden_size: int
    num_layers: int
    num_heads: int
    intermediate_size: int
    max_positions: int
    position_offset: int = 0
    type_vocab_size: int = 2
    layer_norm_eps: float = 1e-12
    hidden_act: str = "gelu"
    dropout: float = 0.1
    attention_dropout: float = 0.1
    head_dropout: float = 0.1
    embedding_size: int | None = None
    norm_first: bool = False
    has_final_norm: bool = False
    has_embedding_norm: bool = True
    has_first_norm: bool = True
    has_biases: bool = True
    has_position_embeddings: bool = True
    is_gated: bool = False
    relative: RelativePositions | None = None
    rotary: RotaryPositions | None = None
    prediction_head: str | None = None
    first_layer: int = 0

    @staticmethod
    def from_huggingface(config: Mapping[str, Any], where: str) -> "EncoderConfig":
        """Reads a parsed `config.json`.

        Args:
          config: The parsed file.
          where: Name of the file, for messages.

        Returns:
          The configuration; optional keys that are missing take the architecture's defaults.

        Raises:
          InputError: The architecture is not supported, or a size is missing or impossible.
        """
        values = Values(config, where)
        family = FAMILIES.get(str(config.get("model_type")))
        if family is None:
            raise InputError(
                f"{where}: model_type {shown(config.get('model_type'))} is not supported; use a "
                f"model of type {', '.join(FAMILIES)}, {_PREDICTIONS}"
            )
        keys = family.keys
        missing = [keys[field] for field in _SIZES if keys[field] not in config]
        if missing:
            raise InputError(f"{where}: missing {', '.join(missing)}; use the model's own file")
        sizes: dict[str, Any] = {field: values.size(keys[field]) for field in _SIZES}
        if family.positions_follow_padding:
            sizes["position_offset"] = values.size("pad_token_id", 1, least=0) + 1
            sizes["max_positions"] -= sizes["position_offset"]
        dropout = values.rate(keys["dropout"], 0.1)
        traits = _TRAITS[family.name](values, sizes) if family.name in _TRAITS else {}
        result = EncoderConfig(
            family=family.name,
            type_vocab_size=_token_types(family, values),
            layer_norm_eps=values.rate(keys["layer_norm_eps"], family.layer_norm_eps),
            hidden_act=config.get(keys["hidden_act"], "gelu"),
            dropout=dropout,
            attention_dropout=values.rate(keys["attention_dropout"], 0.1),
            head_dropout=dropout,
            **sizes,
            **family.traits,
            **traits,
        )
        _check(result, str(config.get("position_embedding_type", "absolute")), where)
        return result

    def below(self, num_trained: int) -> "EncoderConfig":
        """The part of this encoder below its last layers."""
        layers = self.num_layers - num_trained
        return dataclasses.replace(self, num_layers=layers, has_final_norm=False)

    def above(self, num_trained: int) -> "EncoderConfig":
        """The last layers of this encoder, which continue the part below them."""
        first = self.first_layer + self.num_layers - num_trained
        return dataclasses.replace(self, num_layers=num_trained, first_layer=first)


def _token_types(family: Family, values: Values) -> int:
    if "token_type" not in family.embeddings:
        return 0
    return values.size("type_vocab_size", family.token_types, least=min(family.token_types, 1))


def _electra_traits(values: Values, sizes: Mapping[str, int]) -> dict[str, Any]:
    hidden = sizes["hidden_size"]
    size = values.size("embedding_size", hidden)
    return {"embedding_size": None if size == hidden else size}


def _deberta_traits(values: Values, sizes: Mapping[str, int]) -> dict[str, Any]:
    config, hidden = values.config, sizes["hidden_size"]
    values.require("embedding_size", config.get("embedding_size", hidden), hidden)
    head_size = hidden // sizes["num_heads"]
    values.require("attention_head_size", config.get("attention_head_size", head_size), head_size)
    values.require("conv_kernel_size", config.get("conv_kernel_size", 0), 0)
    return {
        "relative": RelativePositions.from_huggingface(values),
        "has_position_embeddings": bool(config.get("position_biased_input", True)),
    }


def _modernbert_traits(values: Values, sizes: Mapping[str, int]) -> dict[str, Any]:
    for name in ("norm_bias", "attention_bias", "mlp_bias", "classifier_bias"):
        values.require(name, values.config.get(name, False), False)
    return {
        "rotary": RotaryPositions.from_huggingface(values, sizes["num_layers"]),
        "prediction_head": values.config.get("classifier_activation", "gelu"),
    }


# Readers of the traits that differ inside a family.
_TRAITS = {
    "electra": _electra_traits,
    "deberta-v2": _deberta_traits,
    "modernbert": _modernbert_traits,
}


def _check(config: EncoderConfig, position_type: str, where: str) -> None:
    if config.max_positions < 1:
        raise InputError(
            f"{where}: max_position_embeddings leaves no position after pad_token_id; use the "
            "model's own file"
        )
    if config.has_position_embeddings and position_type != "absolute":
        raise InputError(
            f"{where}: position_embedding_type {shown(position_type)} is not supported; use a "
            f"model with absolute positions, {_PREDICTIONS}"
        )
    for act in (config.hidden_act, config.prediction_head):
        if act is not None and act not in HIDDEN_ACTS:
            raise InputError(
                f"{where}: activation {shown(act)} is not supported; use a model with one of "
                f"{', '.join(HIDDEN_ACTS)}, {_PREDICTIONS}"
            )
    pairs = 2 if config.rotary else 1  # what rotates is pairs of numbers
    if config.hidden_size % (config.num_heads * pairs):
        raise InputError(
            f"{where}: hidden size {config.hidden_size} is not a multiple of {config.num_heads} "
            f"heads{' of pairs' * (pairs - 1)}; use the model's own file"
        )
