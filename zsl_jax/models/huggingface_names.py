"""The table of parameter names: Hugging Face's and ours."""

from typing import NamedTuple

from zsl_jax.models.encoder_config import EncoderConfig

PREFIXES = {"bert": "bert.", "roberta": "roberta.", "distilbert": "distilbert."}


class Entry(NamedTuple):
    """One parameter under both names.

    Attributes:
      path: Keys from the root of our tree to the leaf.
      name: Hugging Face's name without prefix; "{}" stands for the layer's index.
      shape: Hugging Face's shape; a dense kernel is [out, in] there and [in, out] here.
    """

    path: tuple[str, ...]
    name: str
    shape: tuple[int, ...]

    @property
    def is_kernel(self) -> bool:
        """Whether the matrix is transposed between the two."""
        return self.path[-1] == "kernel"

    @property
    def is_stacked(self) -> bool:
        """Whether our leaf stacks the tensors of all layers."""
        return "layers" in self.path


_EMBEDDINGS = {
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


def name_table(config: EncoderConfig) -> list[Entry]:
    """Every parameter of an encoder under both names.

    Args:
      config: The encoder's family and sizes.

    Returns:
      One entry per leaf of our tree; an entry of the layers stands for `num_layers` tensors.
    """
    hidden = config.hidden_size
    rows = {
        "word": config.vocab_size,
        "position": config.max_positions + config.position_offset,
        "token_type": config.type_vocab_size,
    }
    embeddings = ("encoder", "embeddings")
    table = [
        Entry((*embeddings, part), _EMBEDDINGS[part], (count, hidden))
        for part, count in rows.items()
        if count
    ]
    table += module_entries((*embeddings, "norm"), _EMBEDDINGS["norm"], None, hidden)
    widths = {
        "intermediate": (hidden, config.intermediate_size),
        "output": (config.intermediate_size, hidden),
    }
    names = _DISTILBERT_LAYER if config.family == "distilbert" else _BERT_LAYER
    for part, name in names.items():
        inputs, outputs = widths.get(part, (hidden, hidden))
        is_norm = part.endswith("_norm")
        table += module_entries(
            ("encoder", "layers", part), name, None if is_norm else inputs, outputs
        )
    return table


def module_entries(
    path: tuple[str, ...], name: str, inputs: int | None, outputs: int
) -> list[Entry]:
    """Weight and bias of a dense layer, or of a normalisation if `inputs` is None."""
    weight = (
        Entry((*path, "scale"), f"{name}.weight", (outputs,))
        if inputs is None
        else Entry((*path, "kernel"), f"{name}.weight", (outputs, inputs))
    )
    return [weight, Entry((*path, "bias"), f"{name}.bias", (outputs,))]
