"""What was learned of the sources, beside the tagger: φ, its sources, labels and weights."""

import json
import operator
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from safetensors import SafetensorError, safe_open

from zsl_jax.errors import InputError
from zsl_jax.finished_file import finished_file
from zsl_jax.io.weights import write_weights
from zsl_jax.labels import Alphabet

FILE = "label_model.safetensors"
# What damaged files raise; AttributeError: a type of numbers that NumPy lacks.
_UNREADABLE = (
    SafetensorError,
    OSError,
    ValueError,
    LookupError,
    TypeError,
    RecursionError,
    AttributeError,
)


class LabelModel(NamedTuple):
    """Enough to compute Q for another text.

    Attributes:
      source_names: The sources, U.
      alphabet: The V labels that the sources give, with the target's K.
      log_confusion: [U, V, K], log φ, indexed [source, predicted, true].
      prior_weight: α; 0 stands for the number of sources.
      source_weight: β, one number or one a source.
      predictions: "soft" or "hard": the evidence it was trained with.
    """

    source_names: tuple[str, ...]
    alphabet: Alphabet
    log_confusion: Float[np.ndarray, "U V K"]
    prior_weight: float
    source_weight: tuple[float, ...]
    predictions: str


def save_label_model(folder: str | os.PathLike[str], model: LabelModel) -> None:
    """Write the label model into a model folder, whole or not at all."""
    about = model._asdict() | {"alphabet": model.alphabet._asdict()}
    del about["log_confusion"]
    with finished_file(Path(folder) / FILE) as part:
        tensors = {"log_confusion": model.log_confusion}
        write_weights(part, tensors, {"label_model": json.dumps(about)})


def read_label_model(folder: str | os.PathLike[str]) -> LabelModel:
    """Read the label model of a folder that launch.transfer wrote.

    Raises:
      InputError: The folder has none, or it cannot be read.
    """
    path = Path(folder) / FILE
    if not path.is_file():
        raise InputError(
            f"{folder} has no {FILE}, so nothing is known of its sources; train with "
            "--approach=lvm or mrt, or leave --source away"
        )
    try:
        with safe_open(path, framework="numpy") as file:
            about = json.loads(file.metadata()["label_model"])
            return _checked(about, file.get_tensor("log_confusion"))
    except _UNREADABLE as error:
        raise InputError(f"{path} cannot be read ({error}); train again or copy it anew") from error


def _checked(about: dict[str, Any], table: np.ndarray) -> LabelModel:
    """The label model, if its parts go together; else ValueError, LookupError or TypeError."""
    source_names, alphabet = tuple(about["source_names"]), _checked_alphabet(about["alphabet"])
    if not all(isinstance(name, str) and name for name in (*source_names, *alphabet.names)):
        raise ValueError("a name of a source or label is no string")
    size = (len(source_names), alphabet.size, alphabet.scheme.size)
    if table.shape != size or table.dtype != np.float32:
        raise ValueError(f"log_confusion is {table.dtype} {table.shape}, expected float32 {size}")
    if not np.allclose(np.exp(np.minimum(table, 1)).sum(axis=1), 1, atol=0.01):
        raise ValueError("a column of the confusion matrices does not sum to 1")
    weights = [about["prior_weight"], *about["source_weight"]]
    if not all(type(weight) in (int, float) and 0 <= weight < 1e9 for weight in weights):
        raise ValueError("a weight is no positive number")
    if len(weights) not in (2, 1 + size[0]) or about["predictions"] not in ("soft", "hard"):
        raise ValueError("source_weight or predictions does not go with the sources")
    prior, *sources = map(float, weights)
    return LabelModel(source_names, alphabet, table, prior, tuple(sources), about["predictions"])


def _checked_alphabet(about: dict[str, Any]) -> Alphabet:
    """The alphabet, if each of the target's labels comes before all sets of them."""
    names = tuple(about["names"])
    targets = tuple(tuple(map(operator.index, members)) for members in about["targets"])
    size = 1 + max(map(max, targets))
    single = tuple((label,) for label in range(size))
    if len(names) != len(targets) or targets[:size] != single or min(map(min, targets)) < 0:
        raise ValueError("names and targets of the alphabet do not go together")
    return Alphabet(names, targets)
