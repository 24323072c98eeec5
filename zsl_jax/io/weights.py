"""Weights of a Hugging Face folder as NumPy arrays: safetensors, in one file or in shards.

A `pytorch_model.bin` is a pickle, which may run arbitrary code, and is never opened.
"""

from collections.abc import Mapping
from pathlib import Path

import ml_dtypes  # noqa: F401  (registers bfloat16 with NumPy, and so with safetensors)
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from zsl_jax.errors import InputError
from zsl_jax.io.json_file import read_json_object
from zsl_jax.io.unreadable_folders import INDEX, way_out

WEIGHTS = "model.safetensors"
PYTORCH = {"format": "pt"}  # metadata that transformers expects


def read_weights(folder: Path) -> dict[str, np.ndarray]:
    """Reads all tensors of a folder.

    Returns:
      Arrays by the file's names; bfloat16 and float16 become float32, integers stay as they are.

    Raises:
      InputError: A file is missing or damaged, or the weights are a pickle.
    """
    if (folder / WEIGHTS).is_file():
        return _read_tensors(folder / WEIGHTS, None)
    if not (folder / INDEX).is_file():
        raise InputError(f"{folder} has no {WEIGHTS}{way_out(folder)}")
    tensors: dict[str, np.ndarray] = {}
    for file, names in _shards(folder).items():
        tensors.update(_read_tensors(file, names))
    return tensors


def write_weights(
    path: Path,
    tensors: Mapping[str, np.ndarray],
    metadata: Mapping[str, str] = PYTORCH,
    dtype: str = "float32",
) -> None:
    """Writes the tensors as safetensors of one type, with the permissions that new files get.

    Raises:
      InputError: The disk is full.
    """
    path.touch()
    mode = path.stat().st_mode  # save_file leaves a file that only its owner may read
    arrays = {name: np.ascontiguousarray(tensor, dtype) for name, tensor in tensors.items()}
    try:
        save_file(arrays, path, metadata=dict(metadata))
    except SafetensorError as error:
        raise InputError(f"{path} cannot be written ({error}); make room on the disk") from error
    path.chmod(mode)


def _shards(folder: Path) -> dict[Path, list[str]]:
    """The files in the index, each with the tensors to read from it."""
    weight_map = read_json_object(folder / INDEX).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise InputError(f"{folder / INDEX} has no weight_map; fetch the file again")
    shards: dict[Path, list[str]] = {}
    for name, file in weight_map.items():
        shards.setdefault(folder / str(file).rpartition("/")[2], []).append(name)
    present = {file.name for file in folder.iterdir()}
    missing = sorted(repr(shard.name) for shard in shards if shard.name not in present)
    if missing:
        raise InputError(f"{folder} lacks {', '.join(missing)}, named in {INDEX}; fetch them too")
    return shards


def _read_tensors(file: Path, names: list[str] | None) -> dict[str, np.ndarray]:
    try:
        with safe_open(file, framework="np") as handle:
            read = {n: handle.get_tensor(n) for n in (handle.keys() if names is None else names)}
    except (SafetensorError, OSError, ValueError, AttributeError) as error:  # a type NumPy lacks
        raise InputError(
            f"{file} cannot be read ({error}); fetch it again (with `git lfs pull` if it is a "
            "pointer of git-lfs)"
        ) from error
    return {
        name: tensor
        if np.issubdtype(tensor.dtype, np.integer)
        else tensor.astype(np.float32, copy=False)
        for name, tensor in read.items()
    }
