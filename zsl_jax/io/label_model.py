"""What was learned of the sources, beside the tagger: φ, its sources, labels and weights."""

import json
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from zsl_jax.errors import InputError

FILE = "label_model.safetensors"


class LabelModel(NamedTuple):
    """Enough to compute Q for another text.

    Attributes:
      source_names: The sources, U.
      label_names: The target's labels, K.
      log_confusion: [U, K, K], log φ, indexed [source, predicted, true].
      prior_weight: α; 0 stands for the number of sources.
      source_weight: β, one number or one a source.
      predictions: "soft" or "hard": the evidence it was trained with.
    """

    source_names: tuple[str, ...]
    label_names: tuple[str, ...]
    log_confusion: Float[np.ndarray, "U K K"]
    prior_weight: float
    source_weight: tuple[float, ...]
    predictions: str


def save_label_model(folder: str | os.PathLike[str], model: LabelModel) -> None:
    """Write the label model into a model folder, whole or not at all."""
    about = {name: value for name, value in model._asdict().items() if name != "log_confusion"}
    path = Path(folder) / FILE
    temporary = path.with_name(f".{FILE}.tmp")
    table = np.ascontiguousarray(model.log_confusion, np.float32)
    save_file({"log_confusion": table}, temporary, {"label_model": json.dumps(about)})
    os.replace(temporary, path)


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
            table = file.get_tensor("log_confusion")
        names = ("source_names", "label_names", "source_weight")
        about |= {name: tuple(about[name]) for name in names}
        model = LabelModel(log_confusion=table, **about)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} cannot be read ({error}); train again or copy it anew") from error
    size = (len(model.source_names), len(model.label_names), len(model.label_names))
    if table.shape != size:
        raise InputError(f"{path}: log_confusion has shape {table.shape}, expected {size}")
    return model
