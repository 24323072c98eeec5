"""The learned label model, stored beside the tagger: φ, its sources, labels and weights.

A file of the reliability-weighted chain has more tensors; a file without them holds the paper's
label model.
"""

import json
import operator
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from safetensors import SafetensorError, safe_open

from zsl_jax.atomic_file import atomic_file
from zsl_jax.errors import InputError
from zsl_jax.io.weights import write_weights
from zsl_jax.labels import SourceLabels

FILE = "label_model.safetensors"
# The exceptions that damaged files raise; AttributeError: a data type that NumPy lacks.
_UNREADABLE = (
    SafetensorError,
    OSError,
    ValueError,
    LookupError,
    TypeError,
    RecursionError,
    AttributeError,
)


# The settings that the posterior of a chain needs, in the order of `training.config.ChainConfig`.
CHAIN_SETTINGS = ("source_weight", "scale", "back_off", "tagger_weight")


class StoredChain(NamedTuple):
    """The parts of the reliability-weighted chain besides φ, all float32.

    Attributes:
      trust: [U], k of each source.
      frequency: [U, V], m, relative frequency of each label of each source.
      weights: [U, K], w of each source for each true label.
      mean: [K], r̄, the mean over words of the sources' weighted mean.
      kappa: [U], Cohen's κ of each source with the others.
      prior: [K], π̂, label frequencies of the word types.
      start: [K], p₀ of the chain.
      transitions: [K, K], A of the chain, indexed [before, after].
      type_counts: For each level of word types, [T, K], sums of Q over the words of each key.
      type_names: For each level, its T keys.
      settings: The settings named in `CHAIN_SETTINGS`.
    """

    trust: np.ndarray
    frequency: np.ndarray
    weights: np.ndarray
    mean: np.ndarray
    kappa: np.ndarray
    prior: np.ndarray
    start: np.ndarray
    transitions: np.ndarray
    type_counts: tuple[np.ndarray, ...]
    type_names: tuple[tuple[str, ...], ...]
    settings: Mapping[str, Any]


class LabelModel(NamedTuple):
    """A label model, sufficient to compute Q of another text.

    Attributes:
      source_names: Names of the U sources.
      source_labels: The V labels that the sources give, with the target's K.
      log_confusion: [U, V, K], log φ, indexed [source, predicted, true].
      prior_weight: α; 0 stands for the number of sources.
      source_weight: β, one number for all or one per source.
      predictions: The evidence it was trained on, "soft" or "hard".
      chain: The reliability-weighted chain, with weights of its own; None in the paper's model.
      decoding: How labels follow from Q unless something else is asked for: "argmax" or "viterbi".
    """

    source_names: tuple[str, ...]
    source_labels: SourceLabels
    log_confusion: Float[np.ndarray, "U V K"]
    prior_weight: float
    source_weight: tuple[float, ...]
    predictions: str
    chain: StoredChain | None = None
    decoding: str = "argmax"


def save_label_model(folder: str | os.PathLike[str], model: LabelModel) -> None:
    """Writes the label model into a model folder, atomically."""
    about = model._asdict() | {"alphabet": model.source_labels._asdict()}
    del about["log_confusion"], about["chain"]
    tensors = {"log_confusion": model.log_confusion}
    if model.chain is not None:
        chain = model.chain._asdict()
        counts = chain.pop("type_counts")
        about["chain"] = {name: chain.pop(name) for name in ("settings", "type_names")}
        tensors |= {f"chain.{name}": array for name, array in chain.items()}
        tensors |= {f"chain.type_counts.{level}": table for level, table in enumerate(counts)}
    with atomic_file(Path(folder) / FILE) as part:
        write_weights(part, tensors, {"label_model": json.dumps(about)})


def read_label_model(folder: str | os.PathLike[str]) -> LabelModel:
    """Reads the label model of a folder that launch.transfer wrote.

    Raises:
      InputError: The folder has no label model, or it cannot be read.
    """
    path = Path(folder) / FILE
    if not path.is_file():
        raise InputError(
            f"{folder} has no {FILE}, so nothing is known about its sources; train with "
            "`approach`=lvm or mrt, or omit the sources"
        )
    try:
        with safe_open(path, framework="numpy") as file:
            about = json.loads(file.metadata()["label_model"])
            model = _checked(about, file.get_tensor("log_confusion"))
            if "chain" not in about:
                return model
            return model._replace(chain=_checked_chain(about["chain"], file, model))
    except _UNREADABLE as error:
        raise InputError(f"{path} cannot be read ({error}); train or copy it again") from error


def _checked(about: dict[str, Any], table: np.ndarray) -> LabelModel:
    """Returns the label model; inconsistent parts raise ValueError, LookupError or TypeError."""
    source_names, source_labels = tuple(about["source_names"]), _checked_labels(about["alphabet"])
    if not all(isinstance(name, str) and name for name in (*source_names, *source_labels.names)):
        raise ValueError("the name of a source or label is not a non-empty string")
    size = (len(source_names), source_labels.size, source_labels.label_set.size)
    if table.shape != size or table.dtype != np.float32:
        raise ValueError(f"log_confusion is {table.dtype} {table.shape}, expected float32 {size}")
    if not np.allclose(np.exp(np.minimum(table, 1)).sum(axis=1), 1, atol=0.01):
        raise ValueError("a column of the confusion matrices does not sum to 1")
    weights = [about["prior_weight"], *about["source_weight"]]
    if not all(type(weight) in (int, float) and 0 <= weight < 1e9 for weight in weights):
        raise ValueError("a weight is not a number of at least 0")
    if len(weights) not in (2, 1 + size[0]) or about["predictions"] not in ("soft", "hard"):
        raise ValueError("source_weight or predictions does not fit the sources")
    decoding = about.get("decoding", "argmax")  # of models from before it was recorded
    if decoding not in ("argmax", "viterbi"):
        raise ValueError("decoding is not argmax or viterbi")
    prior, *sources = map(float, weights)
    return LabelModel(
        source_names,
        source_labels,
        table,
        prior,
        tuple(sources),
        about["predictions"],
        decoding=decoding,
    )


def _checked_chain(about: dict[str, Any], file: Any, model: LabelModel) -> StoredChain:
    """Returns the chain; inconsistent parts raise ValueError, LookupError or TypeError."""
    settings = {name: about["settings"][name] for name in CHAIN_SETTINGS}
    if not all(type(value) in (int, float) and 0 <= value < 1e9 for value in settings.values()):
        raise ValueError("a setting of the chain is not a number of at least 0")
    type_names = tuple(map(tuple, about["type_names"]))
    if not all(isinstance(name, str) for level in type_names for name in level):
        raise ValueError("a word type is not a string")
    (num_sources, num_labels), size = (
        model.log_confusion.shape[:2],
        model.source_labels.label_set.size,
    )
    by_source = {
        "trust": (), "kappa": (), "frequency": (num_labels,), "weights": (size,)
    }  # fmt: skip
    by_label = {"mean": (), "prior": (), "start": (), "transitions": (size,)}
    shapes: dict[str, tuple[int, ...]] = {
        **{name: (num_sources, *shape) for name, shape in by_source.items()},
        **{name: (size, *shape) for name, shape in by_label.items()},
        **{f"type_counts.{n}": (len(level), size) for n, level in enumerate(type_names)},
    }
    arrays = {name: file.get_tensor(f"chain.{name}") for name in shapes}
    for name, array in arrays.items():
        if array.shape != shapes[name] or array.dtype != np.float32:
            raise ValueError(f"chain.{name} is {array.dtype} {array.shape}, not {shapes[name]}")
        if not (np.isfinite(array) & (array >= 0)).all():
            raise ValueError(f"chain.{name} has values that are negative or not finite")
    if not (arrays["prior"].all() and arrays["frequency"].all()):
        raise ValueError("chain.prior or chain.frequency has a value of 0")
    counts = tuple(arrays.pop(f"type_counts.{level}") for level in range(len(type_names)))
    return StoredChain(**arrays, type_counts=counts, type_names=type_names, settings=settings)


def _checked_labels(about: dict[str, Any]) -> SourceLabels:
    """Returns the source labels; the target's labels must come before all sets of them."""
    names = tuple(about["names"])
    targets = tuple(tuple(map(operator.index, members)) for members in about["targets"])
    size = 1 + max(map(max, targets))
    single = tuple((label,) for label in range(size))
    if len(names) != len(targets) or targets[:size] != single or min(map(min, targets)) < 0:
        raise ValueError("names and targets of the source labels do not fit together")
    return SourceLabels(names, targets)
