"""The table of parameter names: Hugging Face's and ours."""

from collections.abc import Iterable
from typing import NamedTuple

from zsl_jax.models.encoder_config import EncoderConfig
from zsl_jax.models.families import FAMILIES

HEAD = "head"  # ModernBERT's layer between encoder and classifier; its names have no prefix


class Entry(NamedTuple):
    """One parameter under both names.

    Attributes:
      path: Keys from the root of our tree to the leaf.
      name: Hugging Face's name without prefix; "{}" stands for the layer's index.
      shape: Hugging Face's shape; a dense kernel is [out, in] there and [in, out] here.
      begins: First layer that has this parameter; ours is 1 in the layers below, and not used.
    """

    path: tuple[str, ...]
    name: str
    shape: tuple[int, ...]
    begins: int = 0

    @property
    def is_kernel(self) -> bool:
        """Whether the matrix is transposed between the two."""
        return self.path[-1] == "kernel"

    @property
    def is_stacked(self) -> bool:
        """Whether our leaf stacks the tensors of all layers."""
        return "layers" in self.path

    def names(self, num_layers: int) -> list[str]:
        """Hugging Face's names of all tensors in our leaf."""
        layers = range(self.begins, num_layers) if self.is_stacked else range(1)
        return [self.name.format(layer) for layer in layers]


def name_table(config: EncoderConfig) -> list[Entry]:
    """Every parameter of an encoder under both names.

    Args:
      config: The encoder's family and sizes.

    Returns:
      One entry per leaf of our tree; an entry of the layers stands for up to `num_layers` tensors.
    """
    return [*_embedding_entries(config), *_layer_entries(config)]


def prediction_head_entries(config: EncoderConfig) -> list[Entry]:
    """The parameters between encoder and classifier."""
    hidden = config.hidden_size
    return [
        *dense_entries(("prediction_head", "dense"), f"{HEAD}.dense", hidden, hidden, False),
        *_norm_entries(("prediction_head", "norm"), f"{HEAD}.norm", hidden, False),
    ]


def dense_entries(
    path: tuple[str, ...], name: str, inputs: int, outputs: int, has_bias: bool = True
) -> list[Entry]:
    """Weight and bias of a dense layer."""
    weight = Entry((*path, "kernel"), f"{name}.weight", (outputs, inputs))
    return [weight, Entry((*path, "bias"), f"{name}.bias", (outputs,))][: 1 + has_bias]


def _norm_entries(path: tuple[str, ...], name: str, size: int, has_bias: bool) -> list[Entry]:
    scale = Entry((*path, "scale"), f"{name}.weight", (size,))
    return [scale, Entry((*path, "bias"), f"{name}.bias", (size,))][: 1 + has_bias]


def _embedding_entries(config: EncoderConfig) -> list[Entry]:
    names = FAMILIES[config.family].embeddings
    hidden, width = config.hidden_size, config.embedding_size or config.hidden_size
    path = ("encoder", "embeddings")
    rows = {
        "word": config.vocab_size,
        "position": (config.max_positions + config.position_offset)
        * config.has_position_embeddings,
        "token_type": config.type_vocab_size,
    }
    table = [
        Entry((*path, part), names[part], (count, width)) for part, count in rows.items() if count
    ]
    if config.has_embedding_norm:
        table += _norm_entries((*path, "norm"), names["norm"], width, config.has_biases)
    if config.embedding_size:
        table += dense_entries((*path, "project"), names["project"], width, hidden)
    if config.relative:
        shape = (2 * config.relative.span, hidden)
        table.append(Entry(("encoder", "relative", "embedding"), names["relative"], shape))
        if config.relative.is_normalised:
            relative = ("encoder", "relative", "norm")
            table += _norm_entries(relative, names["relative_norm"], hidden, True)
    return table


def _layer_entries(config: EncoderConfig) -> list[Entry]:
    family, hidden, inner = FAMILIES[config.family], config.hidden_size, config.intermediate_size
    widths = {
        "query_key_value": (hidden, 3 * hidden),
        "intermediate": (hidden, inner * (1 + config.is_gated)),
        "output": (inner, hidden),
    }
    table = []
    for part, name in family.layer.items():
        path = ("encoder", "layers", part)
        if not part.endswith("_norm"):
            inputs, outputs = widths.get(part, (hidden, hidden))
            table += dense_entries(path, name, inputs, outputs, config.has_biases)
            continue
        begins = int(part == "attention_norm" and not config.has_first_norm)
        entries = _norm_entries(path, name, hidden, config.has_biases)
        table += [entry._replace(begins=begins) for entry in entries]
    if config.has_final_norm:
        final = ("encoder", "final_norm")
        table += _norm_entries(final, family.final_norm, hidden, config.has_biases)
    return table


def encoder_prefix(names: Iterable[str], family_name: str) -> tuple[str, str]:
    """What precedes the encoder's names in a checkpoint.

    Args:
      names: The names of all tensors.
      family_name: The encoder's family.

    Returns:
      The prefix of a wrapper around the model, and the encoder's prefix inside the model, which may
      be that of any family with the same names; either may be empty.
    """
    names = list(names)
    word = FAMILIES[family_name].embeddings["word"]
    alike = [family for family in FAMILIES.values() if family.embeddings["word"] == word]
    prefixes = {family.prefix: None for family in alike}
    whole = next((name.removesuffix(word) for name in names if name.endswith(word)), None)
    if whole is None:  # the word embeddings are missing
        return "", next((p for p in prefixes if any(n.startswith(p) for n in names)), "")
    inner = next((p for p in prefixes if whole == p or whole.endswith(f".{p}")), "")
    return whole.removesuffix(inner), inner
