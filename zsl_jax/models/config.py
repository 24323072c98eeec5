"""Sizes and rates of an encoder, read from a Hugging Face `config.json`."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from zsl_jax.errors import InputError

# model_type of config.json -> family.
FAMILIES = {
    "bert": "bert",
    "roberta": "roberta",
    "xlm-roberta": "roberta",
    "camembert": "roberta",
    "distilbert": "distilbert",
}
# Names of the activations, as config.json has them; `encoder.ACTIVATIONS` has the functions.
HIDDEN_ACTS = ("gelu", "gelu_new", "gelu_pytorch_tanh", "relu")


@dataclasses.dataclass(frozen=True)
class EncoderConfig:
    """Sizes and rates of an encoder.

    Attributes:
      family: "bert", "roberta" or "distilbert".
      vocab_size: Rows of the word embeddings; used at `init` only.
      hidden_size: H.
      num_layers: Number of transformer layers.
      num_heads: Attention heads a layer.
      intermediate_size: Width of the feed-forward layer.
      max_positions: Usable positions, that is the longest sentence with its special tokens.
      position_offset: Row of the position embeddings that holds position 0 (RoBERTa: padding + 1).
      type_vocab_size: Rows of the token type embeddings; 0 where the family has none.
      layer_norm_eps: Added to the variance.
      hidden_act: A key of `HIDDEN_ACTS`.
      dropout: Rate on embeddings, attention output, feed-forward output and before the head.
      attention_dropout: Rate on the attention probabilities.
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

    @staticmethod
    def from_huggingface(config: Mapping[str, Any], where: str) -> "EncoderConfig":
        """Reads a parsed `config.json`.

        Args:
          config: The parsed file.
          where: The file's name, for messages.

        Returns:
          The configuration; a key that the file may leave out has its architecture's default.

        Raises:
          InputError: The architecture is not supported, or a size is missing or impossible.
        """
        family = FAMILIES.get(str(config.get("model_type")))
        if family is None:
            raise InputError(
                f"{where}: model_type {config.get('model_type')!r} is not supported; use a model "
                f"of type {', '.join(FAMILIES)}."
            )
        names = _DISTILBERT_NAMES if family == "distilbert" else _BERT_NAMES
        missing = [name for name in names.values() if name not in config]
        if missing:
            raise InputError(f"{where}: missing {', '.join(missing)}; use the model's own file.")
        sizes = {field: int(config[name]) for field, name in names.items()}
        offset = int(config.get("pad_token_id", 1)) + 1 if family == "roberta" else 0
        sizes["max_positions"] -= offset
        rates = ("dropout", "attention_dropout")
        if family != "distilbert":
            rates = ("hidden_dropout_prob", "attention_probs_dropout_prob")
        result = EncoderConfig(
            family=family,
            position_offset=offset,
            type_vocab_size=0 if family == "distilbert" else int(config.get("type_vocab_size", 2)),
            layer_norm_eps=float(config.get("layer_norm_eps", 1e-12)),
            hidden_act=config.get("activation" if family == "distilbert" else "hidden_act", "gelu"),
            dropout=float(config.get(rates[0], 0.1)),
            attention_dropout=float(config.get(rates[1], 0.1)),
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


def _check(config: EncoderConfig, position_type: str, where: str) -> None:
    if position_type != "absolute":
        raise InputError(
            f"{where}: position_embedding_type {position_type!r} is not supported; use a model "
            "with absolute positions."
        )
    if config.hidden_act not in HIDDEN_ACTS:
        raise InputError(
            f"{where}: activation {config.hidden_act!r} is not supported; use a model with one of "
            f"{', '.join(HIDDEN_ACTS)}."
        )
    if config.hidden_size % config.num_heads:
        raise InputError(
            f"{where}: hidden size {config.hidden_size} is no multiple of {config.num_heads} heads;"
            " use the model's own file."
        )
