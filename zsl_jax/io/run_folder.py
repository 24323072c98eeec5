"""The folder of one run: what was asked for, what was measured on the way, what came out.

run.json       flags, seed, versions, SHA-256 of the data files, time of the start
metrics.jsonl  one JSON object a line, in the order of the run, readable while it goes on
result.json    the outcome; written last, so its presence says that the run came to its end
"""

import hashlib
import importlib.metadata
import json
import os
import platform
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from zsl_jax import __version__
from zsl_jax.errors import InputError
from zsl_jax.io.json_file import plain, write_json

RUN = "run.json"
METRICS = "metrics.jsonl"
RESULT = "result.json"
_PACKAGES = (
    "jax",
    "jaxlib",
    "flax",
    "optax",
    "numpy",
    "pyarrow",
    "safetensors",
    "seqeval",
    "tokenizers",
    "transformers",
)


class RunFolder(NamedTuple):
    """A run's folder, open for its records.

    Attributes:
      path: The folder; checkpoints, predictions and models of the run may lie beside the records.
    """

    path: Path

    def append_metrics(self, **values: Any) -> None:
        """Adds one line to metrics.jsonl, on disk when this returns; numbers may be arrays."""
        line = json.dumps(plain({"time": _now(), **values}), ensure_ascii=False, allow_nan=False)
        with open(self.path / METRICS, "a", encoding="utf-8") as file:
            file.write(line + "\n")

    def write_result(self, result: Mapping[str, Any]) -> None:
        """Writes result.json, whole or not at all."""
        write_json(self.path / RESULT, {"finished": _now(), **result})


def create_run_folder(
    path: str | os.PathLike[str],
    flags: Mapping[str, Any],
    seed: int,
    data_files: Iterable[str | os.PathLike[str]] = (),
    overwrite: bool = False,
) -> RunFolder:
    """Opens the folder of a run and writes run.json.

    A run that did not come to its end may be started again in its folder: new metrics follow the
    old ones, so that a run that goes on from a checkpoint keeps its history.

    Args:
      path: The folder, created where needed.
      flags: Every flag's name and value.
      seed: The seed of all random numbers of the run.
      data_files: The files that the run reads; their hashes are kept.
      overwrite: Drop the metrics and the result of a finished run in this folder.

    Raises:
      InputError: The folder holds a finished run, or a data file cannot be read.
    """
    folder = Path(path)
    if (folder / RESULT).exists() and not overwrite:
        raise InputError(
            f"{folder} already holds a finished run ({RESULT}); "
            "name another folder or give --overwrite."
        )
    record = {
        "flags": flags,
        "seed": seed,
        "versions": package_versions(),
        "data": {os.fspath(file): file_sha256(file) for file in data_files},
        "started": _now(),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder} cannot be made a folder ({error}); name another.") from error
    if overwrite:
        (folder / RESULT).unlink(missing_ok=True)
        (folder / METRICS).unlink(missing_ok=True)
    write_json(folder / RUN, record)
    return RunFolder(folder)


def package_versions() -> dict[str, str]:
    """Versions of Python, this package and the packages that results depend on; none is loaded."""
    versions = {"python": platform.python_version(), "zsl_jax": __version__}
    for name in _PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def file_sha256(path: str | os.PathLike[str]) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal.

    Raises:
      InputError: The file cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{os.fspath(path)} cannot be read ({error}); name a file.") from error


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
