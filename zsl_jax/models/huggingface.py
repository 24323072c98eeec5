"""Conversion between Hugging Face's tensors and our parameters, by `huggingface_names`."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from zsl_jax.errors import InputError
from zsl_jax.models.encoder_config import EncoderConfig
from zsl_jax.models.huggingface_names import PREFIXES, Entry, module_entries, name_table
from zsl_jax.models.misfits import Misfit, explanation, is_of_other_task

# Parts of other heads, and buffers, which are not parameters.
IGNORED = re.compile(
    r"(pooler|cls|lm_head|vocab_transform|vocab_layer_norm|vocab_projector)\."
    r"|embeddings\.(position_ids|token_type_ids)$"
)


def params_from_tensors(
    tensors: Mapping[str, np.ndarray],
    config: EncoderConfig,
    where: str,
    architectures: Sequence[str] = (),
) -> dict[str, Any]:
    """Converts a checkpoint's tensors to a tagger's parameters.

    The encoder's names may have no prefix or that of any family, and normalisation parameters may
    be called gamma and beta. Poolers, language model heads and buffers are ignored.

    Args:
      tensors: Arrays of any float type by Hugging Face's names.
      config: Configuration of the same checkpoint.
      where: Name of the checkpoint, for messages.
      architectures: Class names of the model, as in config.json.

    Returns:
      {"encoder": ..., "classifier": {"kernel": [H, K], "bias": [K]}}, float32 NumPy arrays; without
      "classifier" if the checkpoint has no head.

    Raises:
      InputError: Tensors are missing, unexpected or of the wrong shape, or the head is one that
        does not label words.
    """
    originals = _plain_names(tensors)
    if config.num_layers > len(originals):  # a table of that many layers might exhaust memory
        raise InputError(
            f"{where}: the tensors do not fit config.json: {config.num_layers:,} layers there, but "
            f"only {len(originals)} tensors, so some are missing; use config.json and weights of "
            "the same model"
        )
    table = name_table(config)
    head = [name for name in ("classifier.weight", "classifier.bias") if name in originals]
    if head:
        shape = tensors[originals[head[0]]].shape
        table += module_entries(
            ("classifier",), "classifier", config.hidden_size, shape[0] if shape else 0
        )
    misfit = _misfit(tensors, originals, table, config.num_layers)
    if any(misfit) or (head and is_of_other_task(architectures)):
        raise InputError(f"{where}: {explanation(misfit, tensors, architectures)}")
    params: dict[str, Any] = {}
    for entry in table:
        arrays = [
            np.asarray(tensors[originals[name]], np.float32)
            for name in _layer_names(entry, config.num_layers)
        ]
        arrays = [array.T if entry.is_kernel else array for array in arrays]
        node = params
        for key in entry.path[:-1]:
            node = node.setdefault(key, {})
        leaf = np.stack(arrays) if entry.is_stacked else arrays[0]
        node[entry.path[-1]] = np.ascontiguousarray(leaf)
    return params


def tensors_from_params(params: Mapping[str, Any], config: EncoderConfig) -> dict[str, np.ndarray]:
    """Converts a tagger's parameters to the tensors of Hugging Face's `*ForTokenClassification`.

    Args:
      params: {"encoder": ...} with or without "classifier".
      config: Configuration of the encoder.

    Returns:
      Contiguous arrays by names with the family's prefix; the exact inverse of
      `params_from_tensors`.
    """
    prefix = PREFIXES[config.family]
    table = name_table(config)
    if "classifier" in params:
        table += module_entries(("classifier",), "classifier", config.hidden_size, 0)
    tensors = {}
    for entry in table:
        leaf: Any = params
        for key in entry.path:
            leaf = leaf[key]
        leaf = np.asarray(leaf)
        names = _layer_names(entry, config.num_layers)
        for name, array in zip(names, leaf if entry.is_stacked else [leaf], strict=True):
            full = name if entry.path[0] == "classifier" else prefix + name
            tensors[full] = np.ascontiguousarray(array.T if entry.is_kernel else array)
    return tensors


def _layer_names(entry: Entry, num_layers: int) -> list[str]:
    count = num_layers if entry.is_stacked else 1
    return [entry.name.format(layer) for layer in range(count)]


def _plain_names(tensors: Mapping[str, np.ndarray]) -> dict[str, str]:
    """Names as in the table -> names as in the checkpoint, without the ignored ones."""
    prefix = next((p for p in PREFIXES.values() if any(n.startswith(p) for n in tensors)), "")
    plain_names: dict[str, str] = {}
    for name in tensors:
        plain = name.removeprefix(prefix)
        if IGNORED.match(plain):
            continue
        plain = re.sub(r"(LayerNorm|layer_norm)\.gamma$", r"\1.weight", plain)
        plain = re.sub(r"(LayerNorm|layer_norm)\.beta$", r"\1.bias", plain)
        plain_names[f"{name} (twice)" if plain in plain_names else plain] = name
    return plain_names


def _misfit(
    tensors: Mapping[str, np.ndarray],
    originals: Mapping[str, str],
    table: list[Entry],
    num_layers: int,
) -> Misfit:
    """How the tensors differ from the table."""
    wanted = {name: entry for entry in table for name in _layer_names(entry, num_layers)}
    shapes = []
    for name, entry in wanted.items():
        shape = tuple(tensors[originals[name]].shape) if name in originals else entry.shape
        if shape != entry.shape:
            shapes.append(f"{originals[name]} has shape {shape}, not {entry.shape}")
    return Misfit(
        [name for name in wanted if name not in originals],
        [original for name, original in originals.items() if name not in wanted],
        shapes,
    )
