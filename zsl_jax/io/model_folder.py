"""Hugging Face model folders: configuration and weights are read, and all is written as one."""

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from zsl_jax.atomic_file import atomic_folder, committing
from zsl_jax.errors import InputError
from zsl_jax.io import label_model
from zsl_jax.io.json_file import read_json_object, write_json
from zsl_jax.io.other_weights import way_out_without_config
from zsl_jax.io.tokenizer import TOKENIZER_FILES
from zsl_jax.io.weights import WEIGHTS, read_weights, write_weights
from zsl_jax.labels import LabelSet

CONFIG = "config.json"
ARCHITECTURES = {
    "bert": "BertForTokenClassification",
    "roberta": "RobertaForTokenClassification",
    "xlm-roberta": "XLMRobertaForTokenClassification",
    "camembert": "CamembertForTokenClassification",
    "distilbert": "DistilBertForTokenClassification",
}
_HUB_NAME = re.compile(r"(?:[\w-][\w.-]*/)?[\w-][\w.-]*")  # those of old have no organisation


class ModelFolder(NamedTuple):
    """A Hugging Face model as it lies on disk.

    Attributes:
      path: The local folder, for the tokenizer and for copying its files.
      config: `config.json` as parsed.
      tensors: Hugging Face's names to arrays; floating point ones are float32.
    """

    path: Path
    config: dict[str, Any]
    tensors: dict[str, np.ndarray]


def find_model_folder(path_or_hub: str | os.PathLike[str]) -> Path:
    """The local folder of a model; a hub name (org/name) is downloaded into the hub's cache.

    Raises:
      InputError: There is neither such a folder nor such a model that can be fetched.
    """
    name = os.fspath(path_or_hub)
    if os.path.isdir(name):
        return Path(name)
    if not _HUB_NAME.fullmatch(name):
        raise InputError(
            f"{name} is not a folder; name a Hugging Face model folder or a hub name (org/name)."
        )
    import huggingface_hub

    patterns = ["*.json", "*.safetensors", *(n for n in TOKENIZER_FILES if not n.endswith("json"))]
    try:
        return Path(huggingface_hub.snapshot_download(name, allow_patterns=patterns))
    except (OSError, ValueError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise InputError(
            f"{name} is neither a folder here nor could it be fetched from the Hugging Face hub "
            f"({reason}); without a network, download it elsewhere and give the local folder."
        ) from error


def read_model_folder(path_or_hub: str | os.PathLike[str]) -> ModelFolder:
    """Reads the configuration and all tensors of a model.

    Args:
      path_or_hub: A local folder or a hub name ("org/name").

    Returns:
      The folder's contents; bfloat16 and float16 weights come back as float32.

    Raises:
      InputError: A file is missing or cannot be read, or the weights are a pickle.
    """
    folder = find_model_folder(path_or_hub)
    if not (folder / CONFIG).is_file():
        raise InputError(f"{folder} has no {CONFIG}{way_out_without_config(folder)}")
    return ModelFolder(folder, read_json_object(folder / CONFIG), read_weights(folder))


def read_label_set(config: Mapping[str, Any], where: str) -> LabelSet:
    """The labels of a head, in the order of their numbers in `id2label`.

    Args:
      config: A parsed config.json.
      where: The file's name, for messages.

    Raises:
      InputError: They are no names, or not numbered from 0.
    """
    names = config.get("id2label", {})
    numbers = [str(number) for number in range(len(names))] if isinstance(names, dict) else []
    found = [names.get(number) for number in numbers]
    filled = all(isinstance(name, str) and name and not set(name) & set("\t\n\r") for name in found)
    if not found or not filled or len(set(found)) < len(found):
        raise InputError(
            f'{where}: id2label does not give each label from "0" on a name of its own, without '
            'tabs and line ends; write {"0": "O", "1": "B-PER", ...}.'
        )
    return LabelSet(tuple(found))


def write_model_folder(
    path: str | os.PathLike[str],
    config: Mapping[str, Any],
    tensors: Mapping[str, np.ndarray],
    source_folder: str | os.PathLike[str],
    label_names: Sequence[str],
    dtype: str = "float32",
) -> None:
    """Writes a tagger as a folder that transformers opens for token classification.

    All files are written in full before the first takes its name, and `config.json` takes its name
    last: a folder that has one is complete. Nothing of a model that was there before
    stays, neither other tokenizer files nor what was learned of its sources.

    Args:
      path: The folder to write.
      config: The encoder's `config.json` as read; labels and architecture are set here.
      tensors: Hugging Face's names to arrays, the classifier included.
      source_folder: The local folder whose tokenizer files are copied.
      label_names: The labels' names in the order of the classifier's rows.
      dtype: Number type of the weights in the file, "float32" or "float16".

    Raises:
      InputError: There is no room, or the folder is not writable.
      ValueError: The classifier has another number of rows than there are labels.
    """
    if len(tensors["classifier.weight"]) != len(label_names):
        rows = len(tensors["classifier.weight"])
        raise ValueError(f"the classifier has {rows} rows for {len(label_names)} labels")
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with atomic_folder(folder) as unfinished:
            for source in (Path(source_folder) / name for name in TOKENIZER_FILES):
                if source.is_file():
                    shutil.copyfile(source, unfinished / source.name)
            write_weights(unfinished / WEIGHTS, tensors, dtype=dtype)
            write_json(unfinished / CONFIG, _tagger_config(config, label_names, dtype))
            with committing:
                for old in (CONFIG, *TOKENIZER_FILES, label_model.FILE):
                    (folder / old).unlink(missing_ok=True)
                for file in sorted(unfinished.iterdir(), key=lambda file: file.name == CONFIG):
                    os.replace(file, folder / file.name)
    except OSError as error:
        raise InputError(
            f"The model cannot be written to {folder} ({error.strerror}); make room or make the "
            "folder writable"
        ) from error


def _tagger_config(
    config: Mapping[str, Any], label_names: Sequence[str], dtype: str
) -> dict[str, Any]:
    kept = {key: value for key, value in config.items() if key not in ("torch_dtype", "num_labels")}
    return kept | {
        "architectures": [ARCHITECTURES[config["model_type"]]],
        "dtype": dtype,
        "id2label": {str(i): name for i, name in enumerate(label_names)},
        "label2id": {name: i for i, name in enumerate(label_names)},
    }
