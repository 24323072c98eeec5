"""The folder of one run: what was asked for, what was measured on the way, what came out.

run.json       flags, seed, versions, SHA-256 of the data files, time of the start
metrics.jsonl  one JSON object a line, in the order of the run, readable while it goes on
result.json    the outcome; written last, so its presence says that the run came to its end
checkpoints/   saved states, one folder for each training of the run
cache/         output of frozen layers, which a run that goes on uses again; gone at its end
"""

import hashlib
import importlib.metadata
import json
import os
import platform
import shutil
from collections.abc import Callable, Container, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from zsl_jax import __version__
from zsl_jax.errors import InputError
from zsl_jax.io.json_file import plain, read_json_object, write_json
from zsl_jax.io.model_folder import CONFIG

RUN = "run.json"
METRICS = "metrics.jsonl"
RESULT = "result.json"
CHECKPOINTS = "checkpoints"
CACHE = "cache"
_PACKAGES = (
    "jax",
    "jaxlib",
    "flax",
    "optax",
    "orbax-checkpoint",
    "numpy",
    "pyarrow",
    "safetensors",
    "seqeval",
    "tokenizers",
    "transformers",
)


class Record(NamedTuple):
    """What a run is asked for; a run with the same record goes on from its checkpoints.

    Attributes:
      flags: Every flag's name and value.
      seed: The seed of all random numbers of the run.
      data: The files that the run reads, with the SHA-256 of their bytes.
      models: The encoder and the sources that are models, each with a digest of its files.
      parts: Into how many parts the text is dealt.
      free_flags: Flags that may differ when the run goes on.
      test_data: Files that are read after training only; they may differ, too.
    """

    flags: Mapping[str, Any]
    seed: int
    data: Mapping[str, str] = {}
    models: Mapping[str, str] = {}
    parts: int = 1
    free_flags: Container[str] = ()
    test_data: Mapping[str, str] = {}


class RunFolder(NamedTuple):
    """A run's folder, open for its records.

    Attributes:
      path: The folder; checkpoints, predictions and models of the run may lie beside the records.
      writes: False in all but the first process of a run.
    """

    path: Path
    writes: bool = True

    @property
    def cache(self) -> Path:
        """Folder of what can be computed again, and is dropped with the end of the run."""
        return self.path / CACHE

    def append_metrics(self, **values: Any) -> None:
        """Adds one line to metrics.jsonl, on disk when this returns; numbers may be arrays."""
        if not self.writes:
            return
        line = json.dumps(plain({"time": _now(), **values}), ensure_ascii=False, allow_nan=False)
        with open(self.path / METRICS, "a", encoding="utf-8") as file:
            file.write(line + "\n")

    def keep_metrics(self, wanted: Callable[[Mapping[str, Any]], bool]) -> list[dict[str, Any]]:
        """Drops the lines that are not wanted, whole or not at all; returns the others.

        A last line that was cut off by an interruption is dropped as well.
        """
        path = self.path / METRICS
        if not path.exists():
            return []
        lines = path.read_text(encoding="utf-8").split("\n")[:-1]
        kept = [line for line in lines if wanted(json.loads(line))]
        if self.writes:
            unfinished = path.with_name(f".{METRICS}.{os.getpid()}")
            unfinished.write_text("".join(line + "\n" for line in kept), encoding="utf-8")
            os.replace(unfinished, path)
        return [json.loads(line) for line in kept]

    def write_result(self, result: Mapping[str, Any]) -> None:
        """Writes result.json, whole or not at all, and drops the cache."""
        if not self.writes:
            return
        write_json(self.path / RESULT, {"finished": _now(), **result})
        shutil.rmtree(self.cache, ignore_errors=True)


def create_run_folder(
    path: str | os.PathLike[str],
    record: Record,
    overwrite: bool = False,
) -> RunFolder:
    """Opens the folder of a run and writes run.json.

    A run that did not come to its end goes on in its folder if it is started again with the same
    record: new metrics follow the old ones.

    Args:
      path: The folder, created where needed.
      record: What is asked for.
      overwrite: Drop the metrics, the checkpoints, the cache and the result of an earlier run in
        this folder.

    Raises:
      InputError: The folder holds a finished run, one that was asked for something else, or a model
        of somebody else's.
    """
    folder = Path(path)
    if (folder / RESULT).exists() and not overwrite:
        raise InputError(
            f"{folder} already holds a finished run ({RESULT}); "
            "name another folder or give --overwrite."
        )
    if (folder / CONFIG).exists() and not (folder / RUN).exists() and not overwrite:
        raise InputError(
            f"{folder} holds a model that no run made ({RUN} is missing); "
            "name another folder or give --overwrite."
        )
    if _has_checkpoints(folder) and not overwrite:
        _check_same(read_json_object(folder / RUN), record, folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if overwrite:
            (folder / RESULT).unlink(missing_ok=True)
            (folder / METRICS).unlink(missing_ok=True)
            shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
            shutil.rmtree(folder / CACHE, ignore_errors=True)
        about = {**record._asdict(), "versions": package_versions(), "started": _now()}
        del about["free_flags"]
        write_json(folder / RUN, about)
    except OSError as error:
        raise InputError(
            f"The run folder {folder} cannot be written ({error.strerror}); make it writable, make "
            "room, or name another."
        ) from error
    return RunFolder(folder)


def recorded_parts(path: str | os.PathLike[str]) -> int | None:
    """The number of parts of the text in the run that a folder holds unfinished, if any."""
    folder = Path(path)
    if not _has_checkpoints(folder) or not (folder / RUN).exists():
        return None
    return read_json_object(folder / RUN).get("parts")


def _has_checkpoints(folder: Path) -> bool:
    return any(saved.name.isdigit() for saved in (folder / CHECKPOINTS).glob("*/*"))


def _check_same(before: Mapping[str, Any], record: Record, folder: Path) -> None:
    """Raises if a run would go on from checkpoints of another one."""
    now = plain(record._asdict())
    differences = []
    for kind, label in (("flags", "--{}"), ("data", "{}"), ("models", "{}")):
        old, new = before.get(kind) or {}, now[kind]
        for name in sorted(old.keys() | new.keys()):
            if old.get(name) == new.get(name) or name in record.free_flags:
                continue
            values = f"{old.get(name)} then, {new.get(name)} now"
            differences.append(
                label.format(name) + (f": {values}" if kind == "flags" else ": other contents")
            )
    if before.get("parts") != record.parts:
        differences.append(f"parts of the text: {before.get('parts')} then, {record.parts} now")
    if differences:
        raise InputError(
            f"{folder} holds checkpoints of another run: {'; '.join(differences)}. Give the same "
            "command as then to go on, name another --output, or give --overwrite to start anew."
        )


def package_versions() -> dict[str, str]:
    """Versions of Python, this package and the packages that results depend on; none is loaded."""
    versions = {"python": platform.python_version(), "zsl_jax": __version__}
    for name in _PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def file_hashes(files: Iterable[str | os.PathLike[str]]) -> dict[str, str]:
    """The SHA-256 of each file's bytes, in hexadecimal.

    Raises:
      InputError: A file cannot be read.
    """
    hashes = {}
    for path in files:
        try:
            with open(path, "rb") as file:
                hashes[os.fspath(path)] = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise InputError(f"{os.fspath(path)} cannot be read ({error}); name a file.") from error
    return hashes


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
