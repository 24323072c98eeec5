"""The table of encoder families: names in config.json, names of the tensors, and what differs.

A new family is a new row here; a trait that no family had before is a new field of `EncoderConfig`.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

Names = Mapping[str, str]

_BERT_KEYS = {
    "vocab_size": "vocab_size",
    "hidden_size": "hidden_size",
    "num_layers": "num_hidden_layers",
    "num_heads": "num_attention_heads",
    "intermediate_size": "intermediate_size",
    "max_positions": "max_position_embeddings",
    "layer_norm_eps": "layer_norm_eps",
    "hidden_act": "hidden_act",
    "dropout": "hidden_dropout_prob",
    "attention_dropout": "attention_probs_dropout_prob",
}
_DISTILBERT_KEYS = _BERT_KEYS | {
    "hidden_size": "dim",
    "num_layers": "n_layers",
    "num_heads": "n_heads",
    "intermediate_size": "hidden_dim",
    "hidden_act": "activation",
    "dropout": "dropout",
    "attention_dropout": "attention_dropout",
}
_MODERNBERT_KEYS = _BERT_KEYS | {
    "layer_norm_eps": "norm_eps",
    "hidden_act": "hidden_activation",
    "dropout": "mlp_dropout",
    "attention_dropout": "attention_dropout",
}
_BERT_EMBEDDINGS = {
    "word": "embeddings.word_embeddings.weight",
    "position": "embeddings.position_embeddings.weight",
    "token_type": "embeddings.token_type_embeddings.weight",
    "norm": "embeddings.LayerNorm",
}
_BERT_LAYER = {
    "query": "encoder.layer.{}.attention.self.query",
    "key": "encoder.layer.{}.attention.self.key",
    "value": "encoder.layer.{}.attention.self.value",
    "attention_output": "encoder.layer.{}.attention.output.dense",
    "attention_norm": "encoder.layer.{}.attention.output.LayerNorm",
    "intermediate": "encoder.layer.{}.intermediate.dense",
    "output": "encoder.layer.{}.output.dense",
    "output_norm": "encoder.layer.{}.output.LayerNorm",
}
_DISTILBERT_LAYER = {
    "query": "transformer.layer.{}.attention.q_lin",
    "key": "transformer.layer.{}.attention.k_lin",
    "value": "transformer.layer.{}.attention.v_lin",
    "attention_output": "transformer.layer.{}.attention.out_lin",
    "attention_norm": "transformer.layer.{}.sa_layer_norm",
    "intermediate": "transformer.layer.{}.ffn.lin1",
    "output": "transformer.layer.{}.ffn.lin2",
    "output_norm": "transformer.layer.{}.output_layer_norm",
}
_MODERNBERT_LAYER = {
    "query_key_value": "layers.{}.attn.Wqkv",
    "attention_output": "layers.{}.attn.Wo",
    "attention_norm": "layers.{}.attn_norm",
    "intermediate": "layers.{}.mlp.Wi",
    "output": "layers.{}.mlp.Wo",
    "output_norm": "layers.{}.mlp_norm",
}


@dataclasses.dataclass(frozen=True)
class Family:
    """One family of encoders.

    Attributes:
      name: Its name.
      prefix: Beginning of the encoder's tensors in a token classification model.
      keys: Field of `EncoderConfig` -> key of config.json.
      embeddings: Part of our embeddings -> name of a tensor or module.
      layer: Part of our layer -> name of a module; "{}" stands for the layer's number.
      final_norm: Name of the normalisation after the last layer, if there is one.
      positions_follow_padding: Whether position 0 is the row after the padding's.
      token_types: Number of token types in a config.json that does not give it.
      layer_norm_eps: The same of the number added to variances.
      traits: The fields of `EncoderConfig` that make this family differ from BERT.
    """

    name: str
    prefix: str
    keys: Names = dataclasses.field(default_factory=_BERT_KEYS.copy)
    embeddings: Names = dataclasses.field(default_factory=_BERT_EMBEDDINGS.copy)
    layer: Names = dataclasses.field(default_factory=_BERT_LAYER.copy)
    final_norm: str = ""
    positions_follow_padding: bool = False
    token_types: int = 2
    layer_norm_eps: float = 1e-12
    traits: Mapping[str, Any] = dataclasses.field(default_factory=dict)


_BERT = Family("bert", "bert.")
_ROBERTA = Family("roberta", "roberta.", positions_follow_padding=True)
_XLM_ROBERTA_XL = Family(
    "xlm-roberta-xl",
    "roberta.",
    layer=_BERT_LAYER
    | {
        "attention_norm": "encoder.layer.{}.attention.self_attn_layer_norm",
        "output_norm": "encoder.layer.{}.LayerNorm",
    },
    final_norm="encoder.LayerNorm",
    positions_follow_padding=True,
    token_types=1,
    layer_norm_eps=1e-5,
    traits={"norm_first": True, "has_final_norm": True, "has_embedding_norm": False},
)
_DEBERTA = Family(
    "deberta-v2",
    "deberta.",
    embeddings=_BERT_EMBEDDINGS
    | {
        "relative": "encoder.rel_embeddings.weight",
        "relative_norm": "encoder.LayerNorm",
    },
    layer=_BERT_LAYER
    | {
        "query": "encoder.layer.{}.attention.self.query_proj",
        "key": "encoder.layer.{}.attention.self.key_proj",
        "value": "encoder.layer.{}.attention.self.value_proj",
    },
    token_types=0,
    layer_norm_eps=1e-7,
)
_MODERNBERT = Family(
    "modernbert",
    "model.",
    keys=_MODERNBERT_KEYS,
    embeddings={"word": "embeddings.tok_embeddings.weight", "norm": "embeddings.norm"},
    layer=_MODERNBERT_LAYER,
    final_norm="final_norm",
    layer_norm_eps=1e-5,
    traits={
        "norm_first": True,
        "has_final_norm": True,
        "has_first_norm": False,
        "has_biases": False,
        "has_position_embeddings": False,
        "is_gated": True,
    },
)
# model_type of config.json -> family.
FAMILIES = {
    "bert": _BERT,
    "roberta": _ROBERTA,
    "xlm-roberta": _ROBERTA,
    "camembert": _ROBERTA,
    "distilbert": Family(
        "distilbert",
        "distilbert.",
        keys=_DISTILBERT_KEYS,
        embeddings={part: name for part, name in _BERT_EMBEDDINGS.items() if part != "token_type"},
        layer=_DISTILBERT_LAYER,
    ),
    "electra": Family(
        "electra",
        "electra.",
        embeddings=_BERT_EMBEDDINGS | {"project": "embeddings_project"},
    ),
    "xlm-roberta-xl": _XLM_ROBERTA_XL,
    "deberta-v2": _DEBERTA,
    "modernbert": _MODERNBERT,
}
