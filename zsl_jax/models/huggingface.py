"""Conversion between Hugging Face's tensors and our parameters, by `huggingface_names`."""

import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from zsl_jax.errors import InputError
from zsl_jax.models.encoder_config import EncoderConfig
from zsl_jax.models.families import FAMILIES
from zsl_jax.models.huggingface_names import (
    HEAD,
    Entry,
    dense_entries,
    encoder_prefix,
    name_table,
    prediction_head_entries,
)
from zsl_jax.models.unfit_tensors import Misfit, explanation, is_of_other_task

# Parts of other heads, and buffers, which are not parameters.
IGNORED = re.compile(
    r"(pooler|cls|decoder|lm_head|vocab_transform|vocab_layer_norm|vocab_projector"
    r"|(discriminator|generator|lm|mask)_predictions|generator_lm_head|(.*\.)?rotary_emb)\."
    r"|embeddings\.(position_ids|token_type_ids)$"
)
_POSITIONS = "embeddings.position_embeddings.weight"


def params_from_tensors(
    tensors: Mapping[str, np.ndarray],
    config: EncoderConfig,
    where: str,
    architectures: Sequence[str] = (),
) -> dict[str, Any]:
    """Converts a checkpoint's tensors to a tagger's parameters.

    The encoder's names may have no prefix or that of any family with the same names, all names may
    have the prefix of a wrapper, and normalisation parameters may be called gamma and beta.
    Poolers, language model heads and buffers are ignored.

    Args:
      tensors: Arrays of any float type by Hugging Face's names.
      config: Configuration of the same checkpoint.
      where: Name of the checkpoint, for messages.
      architectures: Class names of the model, as in config.json.

    Returns:
      {"encoder": ..., "classifier": {"kernel": [H, K], "bias": [K]}}, float32 NumPy arrays, and
      "prediction_head" where the family has one; without heads that the checkpoint lacks.

    Raises:
      InputError: Tensors are missing, unexpected or of the wrong shape, or the head is one that
        does not label words.
    """
    wrapper, prefix = encoder_prefix(tensors, config.family)
    outer = "" if _has_outsiders(tensors, wrapper) else wrapper
    originals = _plain_names(tensors, (outer, prefix), config)
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
        rows = shape[0] if shape else 0
        table += dense_entries(("classifier",), "classifier", config.hidden_size, rows)
    if config.prediction_head and (head or any(n.startswith(f"{HEAD}.") for n in originals)):
        table += prediction_head_entries(config)
    misfit = _misfit(tensors, originals, table, config.num_layers)
    if any(misfit) or (head and is_of_other_task(architectures)):
        left = wrapper.removeprefix(outer)
        raise InputError(f"{where}: {explanation(misfit, tensors, architectures, left)}")
    params: dict[str, Any] = {}
    for entry in table:
        names = entry.names(config.num_layers)
        arrays = [np.asarray(tensors[originals[name]], np.float32) for name in names]
        node = params
        for key in entry.path[:-1]:
            node = node.setdefault(key, {})
        node[entry.path[-1]] = _leaf(entry, arrays)
    return params


def _leaf(entry: Entry, arrays: list[np.ndarray]) -> np.ndarray:
    arrays = [np.ones(entry.shape, np.float32)] * entry.begins + arrays
    arrays = [array.T if entry.is_kernel else array for array in arrays]
    return np.ascontiguousarray(np.stack(arrays) if entry.is_stacked else arrays[0])


def tensors_from_params(params: Mapping[str, Any], config: EncoderConfig) -> dict[str, np.ndarray]:
    """Converts a tagger's parameters to the tensors of Hugging Face's `*ForTokenClassification`.

    Args:
      params: {"encoder": ...} with or without heads.
      config: Configuration of the encoder.

    Returns:
      Contiguous arrays by names with the family's prefix; the exact inverse of
      `params_from_tensors`.
    """
    prefix = FAMILIES[config.family].prefix
    table = name_table(config)
    if "classifier" in params:
        table += dense_entries(("classifier",), "classifier", config.hidden_size, 0)
    if "prediction_head" in params:
        table += prediction_head_entries(config)
    tensors = {}
    for entry in table:
        leaf: Any = params
        for key in entry.path:
            leaf = leaf[key]
        arrays = np.asarray(leaf)[entry.begins :] if entry.is_stacked else [np.asarray(leaf)]
        for name, array in zip(entry.names(config.num_layers), arrays, strict=True):
            full = prefix + name if entry.path[0] == "encoder" else name
            tensors[full] = np.ascontiguousarray(array.T if entry.is_kernel else array)
    return tensors


def _has_outsiders(tensors: Mapping[str, np.ndarray], wrapper: str) -> bool:
    """Whether parts of the model are outside of the wrapper around its encoder."""
    return any(not name.startswith(wrapper) and not IGNORED.match(name) for name in tensors)


def _plain_names(
    tensors: Mapping[str, np.ndarray], prefixes: Sequence[str], config: EncoderConfig
) -> dict[str, str]:
    """Names as in the table -> names as in the checkpoint, without the ignored ones."""
    plain_names: dict[str, str] = {}
    for name in tensors:
        plain = functools.reduce(str.removeprefix, prefixes, name)
        unused = not config.has_position_embeddings and plain == _POSITIONS
        if IGNORED.match(plain) or unused:
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
    wanted = {name: entry for entry in table for name in entry.names(num_layers)}
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
