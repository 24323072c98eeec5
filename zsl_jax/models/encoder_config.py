"""Sizes and dropout rates of an encoder, read from a Hugging Face `config.json`."""

import dataclasses
import reprlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from zsl_jax.errors import InputError

# model_type of config.json -> family.
FAMILIES = {
    "bert": "bert",
    "roberta": "roberta",
    "xlm-roberta": "roberta",
    "camembert": "roberta",
    "distilbert": "distilbert",
}
LARGEST = 2**31 - 1  # upper bound on any size
# Names of the activations as in config.json; `encoder.ACTIVATIONS` has the functions.
HIDDEN_ACTS = ("gelu", "gelu_new", "gelu_pytorch_tanh", "relu")


@dataclasses.dataclass(frozen=True)
class EncoderConfig:
    """Sizes and dropout rates of an encoder.

    Attributes:
      family: "bert", "roberta" or "distilbert".
      vocab_size: Rows of the word embeddings; used at `init` only.
      hidden_size: H.
      num_layers: Number of transformer layers.
      num_heads: Attention heads per layer.
      intermediate_size: Width of the feed-forward layer.
      max_positions: Usable positions: the longest sentence, special tokens included.
      position_offset: Row of the position embeddings that holds position 0 (RoBERTa: padding + 1).
      type_vocab_size: Rows of the token type embeddings; 0 where the family has none.
      layer_norm_eps: Added to the variance.
      hidden_act: A key of `HIDDEN_ACTS`.
      dropout: Rate on embeddings, attention output and feed-forward output.
      attention_dropout: Rate on the attention probabilities.
      head_dropout: Rate before the head.
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
        family = FAMILIES.get(str(config.get("model_type")))
        if family is None:
            raise InputError(
                f"{where}: model_type {_shown(config.get('model_type'))} is not supported; use a "
                f"model of type {', '.join(FAMILIES)}."
            )
        names = _DISTILBERT_NAMES if family == "distilbert" else _BERT_NAMES
        missing = [name for name in names.values() if name not in config]
        if missing:
            raise InputError(f"{where}: missing {', '.join(missing)}; use the model's own file.")
        values = _Values(config, where)
        sizes = {field: values.size(name) for field, name in names.items()}
        offset = values.size("pad_token_id", 1, least=0) + 1 if family == "roberta" else 0
        sizes["max_positions"] -= offset
        rates = ("dropout", "attention_dropout")
        if family != "distilbert":
            rates = ("hidden_dropout_prob", "attention_probs_dropout_prob")
        result = EncoderConfig(
            family=family,
            position_offset=offset,
            type_vocab_size=0 if family == "distilbert" else values.size("type_vocab_size", 2),
            layer_norm_eps=values.rate("layer_norm_eps", 1e-12),
            hidden_act=config.get("activation" if family == "distilbert" else "hidden_act", "gelu"),
            dropout=values.rate(rates[0], 0.1),
            attention_dropout=values.rate(rates[1], 0.1),
            head_dropout=values.rate(rates[0], 0.1),
            **sizes,
        )
        _check(result, str(config.get("position_embedding_type", "absolute")), where)
        return result


_BERT_NAMES = {
    "vocab_size": "vocab_size",
    "hidden_size": "hidden_size",
    "num_layers": "num_hidden_layers",
    "num_heads": "num_attention_heads",
    "intermediate_size": "intermediate_size",
    "max_positions": "max_position_embeddings",
}
_DISTILBERT_NAMES = _BERT_NAMES | {
    "hidden_size": "dim",
    "num_layers": "n_layers",
    "num_heads": "n_heads",
    "intermediate_size": "hidden_dim",
}


class _Values(NamedTuple):
    """The numbers of a config.json, each validated when it is read."""

    config: Mapping[str, Any]
    where: str

    def size(self, name: str, default: int | None = None, least: int = 1) -> int:
        """Returns the whole number under a key."""
        value = self.config.get(name, default)
        if type(value) is not int or not least <= value <= LARGEST:
            raise InputError(
                f"{self.where}: {name} is {_shown(value)}, not a whole number from {least} to "
                f"{LARGEST:,}; use the model's own file."
            )
        return value

    def rate(self, name: str, default: float) -> float:
        """Returns the number under a key, at least 0 and below 1."""
        value = self.config.get(name, default)
        if type(value) not in (int, float) or not 0 <= value < 1:
            raise InputError(
                f"{self.where}: {name} is {_shown(value)}, not a number of at least 0 and below 1; "
                "use the model's own file."
            )
        return float(value)


def _shown(value: Any) -> str:
    """A value abbreviated for a message."""
    return reprlib.repr(value)


def _check(config: EncoderConfig, position_type: str, where: str) -> None:
    if config.max_positions < 1:
        raise InputError(
            f"{where}: max_position_embeddings leaves no position after pad_token_id; use the "
            "model's own file."
        )
    if position_type != "absolute":
        raise InputError(
            f"{where}: position_embedding_type {_shown(position_type)} is not supported; use a "
            "model with absolute positions."
        )
    if config.hidden_act not in HIDDEN_ACTS:
        raise InputError(
            f"{where}: activation {_shown(config.hidden_act)} is not supported; use a model with "
            f"one of {', '.join(HIDDEN_ACTS)}."
        )
    if config.hidden_size % config.num_heads:
        raise InputError(
            f"{where}: hidden size {config.hidden_size} is not a multiple of {config.num_heads} "
            "heads; use the model's own file."
        )
