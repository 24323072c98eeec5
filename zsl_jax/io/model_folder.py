"""Reads the configuration and weights of Hugging Face model folders, and writes whole folders."""

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from zsl_jax.atomic_file import atomic_folder, committing
from zsl_jax.buckets import held_back, publish, remove
from zsl_jax.errors import InputError
from zsl_jax.io import label_model_file
from zsl_jax.io.bucket_copies import fetched
from zsl_jax.io.json_file import read_json_object, write_json
from zsl_jax.io.tokenizer import TOKENIZER_FILES
from zsl_jax.io.unreadable_folders import way_out_without_config
from zsl_jax.io.weights import WEIGHTS, read_weights, write_weights
from zsl_jax.labels import LabelSet

CONFIG = "config.json"
ARCHITECTURES = {
    "bert": "BertForTokenClassification",
    "roberta": "RobertaForTokenClassification",
    "xlm-roberta": "XLMRobertaForTokenClassification",
    "camembert": "CamembertForTokenClassification",
    "distilbert": "DistilBertForTokenClassification",
    "electra": "ElectraForTokenClassification",
    "xlm-roberta-xl": "XLMRobertaXLForTokenClassification",
    "deberta-v2": "DebertaV2ForTokenClassification",
    "modernbert": "ModernBertForTokenClassification",
}
_HUB_NAME = re.compile(r"(?:[\w-][\w.-]*/)?[\w-][\w.-]*")  # old names have no organisation


class ModelFolder(NamedTuple):
    """A Hugging Face model as stored on disk.

    Attributes:
      path: The local folder, for the tokenizer and for copying its files.
      config: The parsed `config.json`.
      tensors: Arrays by Hugging Face's names; floating point ones are float32.
    """

    path: Path
    config: dict[str, Any]
    tensors: dict[str, np.ndarray]


def find_model_folder(path_or_hub: str | os.PathLike[str]) -> Path:
    """Returns the local folder of a model; a hub name (org/name) is downloaded to the hub's cache.

    The files of a folder in a bucket are fetched.

    Raises:
      InputError: The folder does not exist and no model of that name can be downloaded.
    """
    name = fetched(path_or_hub)
    if os.path.isdir(name):
        return Path(name)
    if os.path.exists(name) or not _HUB_NAME.fullmatch(name):
        raise InputError(
            f"{name} is not a folder; give a Hugging Face model folder or a hub name (org/name)"
        )
    import huggingface_hub

    patterns = ["*.json", "*.safetensors", *(n for n in TOKENIZER_FILES if not n.endswith("json"))]
    try:
        return Path(huggingface_hub.snapshot_download(name, allow_patterns=patterns))
    except (OSError, ValueError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise InputError(
            f"{name} is not a local folder and could not be fetched from the Hugging Face hub "
            f"({reason}); without a network, download it elsewhere and give the local folder"
        ) from error


def read_model_folder(path_or_hub: str | os.PathLike[str]) -> ModelFolder:
    """Reads the configuration and all tensors of a model.

    Args:
      path_or_hub: A local folder or a hub name ("org/name").

    Returns:
      The folder's contents; bfloat16 and float16 weights are converted to float32.

    Raises:
      InputError: A file is missing or cannot be read, or the weights are a pickle.
    """
    folder = find_model_folder(path_or_hub)
    if not (folder / CONFIG).is_file():
        raise InputError(f"{folder} has no {CONFIG}{way_out_without_config(folder)}")
    config = read_json_object(folder / CONFIG)
    if not os.path.isdir(path_or_hub) and not any(folder.glob("*.safetensors")):
        raise InputError(
            f"{path_or_hub} has no safetensors on the Hugging Face hub; download all its files (hf "
            f"download {path_or_hub} --local-dir=FOLDER), and give that folder; its message "
            "explains how to convert the weights"
        )
    return ModelFolder(folder, config, read_weights(folder))


def read_label_set(config: Mapping[str, Any], where: str) -> LabelSet:
    """Returns the labels of a head, in the order of their numbers in `id2label`.

    Args:
      config: A parsed config.json.
      where: Name of the file, for messages.

    Raises:
      InputError: `id2label` does not map the numbers from 0 to distinct names.
    """
    id2label = config.get("id2label", {})
    numbers = map(str, range(len(id2label))) if isinstance(id2label, dict) else []
    names = [id2label.get(number) for number in numbers]
    filled = all(isinstance(name, str) and name and not set(name) & set("\t\n\r") for name in names)
    if not names or not filled or len(set(names)) < len(names):
        raise InputError(
            f'{where}: id2label must map "0", "1", ... to distinct label names without tabs and '
            'line breaks; write {"0": "O", "1": "B-PER", ...}'
        )
    return LabelSet(tuple(names))


def write_model_folder(
    path: str | os.PathLike[str],
    config: Mapping[str, Any],
    tensors: Mapping[str, np.ndarray],
    source_folder: str | os.PathLike[str],
    label_names: Sequence[str],
    dtype: str = "float32",
) -> None:
    """Writes a tagger as a folder that transformers opens for token classification.

    All files are written in full before the first one is renamed, and `config.json` is renamed
    last: a folder that has one is complete. Nothing of an earlier model in the folder is left,
    neither other tokenizer files nor its label model.

    Args:
      path: The folder to write.
      config: The encoder's `config.json` as read; labels and architecture are set here.
      tensors: Hugging Face's names to arrays, the classifier included.
      source_folder: The local folder whose tokenizer files are copied.
      label_names: The labels' names in the order of the classifier's rows.
      dtype: Number type of the weights in the file, "float32" or "float16".

    Raises:
      InputError: The disk is full, the folder is not writable, or the source folder has no
        tokenizer.
      ValueError: The number of the classifier's rows is not that of the labels.
    """
    if len(tensors["classifier.weight"]) != len(label_names):
        rows = len(tensors["classifier.weight"])
        raise ValueError(f"the classifier has {rows} rows for {len(label_names)} labels")
    tokenizer = [file for name in TOKENIZER_FILES if (file := Path(source_folder, name)).is_file()]
    if not tokenizer:
        raise InputError(
            f"{source_folder} has no tokenizer to copy; put its tokenizer files back, and give the "
            "same command again"
        )
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with held_back(), atomic_folder(folder) as unfinished:
            for source in tokenizer:
                shutil.copyfile(source, unfinished / source.name)
            write_weights(unfinished / WEIGHTS, tensors, dtype=dtype)
            write_json(unfinished / CONFIG, _tagger_config(config, label_names, dtype))
            files = sorted(unfinished.iterdir(), key=lambda file: file.name == CONFIG)
            with committing:
                for old in (CONFIG, *TOKENIZER_FILES, label_model_file.FILE):
                    remove(folder / old)
                for file in files:
                    os.replace(file, folder / file.name)
        for file in files:
            publish(folder / file.name)
    except OSError as error:
        raise InputError(
            f"the model cannot be written to {folder} ({error.strerror}); make room or make the "
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
