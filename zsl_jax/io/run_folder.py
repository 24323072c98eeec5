"""The folder of one run: its specification, its metrics and its result."""

import contextlib
import hashlib
import importlib.metadata
import os
import platform
import shlex
import socket
import sys
import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from absl import logging
from filelock import Timeout

from zsl_jax import __version__
from zsl_jax.atomic_file import drop_abandoned
from zsl_jax.buckets import RUN_SCHEMES, explained, is_copy, local_copy, original, publish
from zsl_jax.errors import InputError, OtherRunError
from zsl_jax.io import metrics_file, run_files
from zsl_jax.io.bucket_copies import refresh_copy
from zsl_jax.io.folder_lock import FolderLock
from zsl_jax.io.json_file import plain, read_json_object, write_json
from zsl_jax.io.metrics_file import now
from zsl_jax.io.output_checks import check_unfinished
from zsl_jax.io.run_files import METRICS, RESULT, RUN
from zsl_jax.io.tensorboard import TensorBoard

HASHED_AT_ONCE = 8  # files: a share gives several readers more than one
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


class RunSpec(NamedTuple):
    """The specification of a run; a run with the same one resumes from its checkpoints.

    Attributes:
      flags: Every flag's value by name.
      seed: Random seed of the run.
      data: SHA-256 of each file that the run reads, by path.
      models: Digest of the files of the encoder and of each source that is a model.
      shards: Number of shards of the text.
      free_flags: Flags that may differ when the run resumes.
      test_data: Files that are read only after training; they may differ, too.
    """

    flags: Mapping[str, Any]
    seed: int
    data: Mapping[str, str] = {}
    models: Mapping[str, str] = {}
    shards: int = 1
    free_flags: Container[str] = ()
    test_data: Mapping[str, str] = {}


class RunFolder(NamedTuple):
    """A run's folder, open for writing records.

    Attributes:
      path: The folder; it may also hold checkpoints, predictions and models of the run.
      writes: False in all but the first process of a run.
      lock: Keeps other processes out until the run has ended.
      tensorboard: Gets the metrics, too; None for nothing.
      shared: A cache that several runs share, and that stays; None for one of its own.
      cpu_start: Processor time of this process before the run, in seconds.
    """

    path: Path
    writes: bool = True
    lock: FolderLock | None = None
    tensorboard: TensorBoard | None = None
    shared: Path | None = None
    cpu_start: float = 0.0

    @property
    def cache(self) -> Path:
        """Folder of files that can be recomputed; the run's own is removed at its end."""
        return self.shared or run_files.cache_folder(self.path)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Releases the lock at the end, also after an error, which lets the next call in."""
        try:
            yield
        finally:
            self._close()

    def _close(self) -> None:
        if self.tensorboard is not None:
            self.tensorboard.close()
        if self.lock is not None:
            self.lock.release()

    def append_metrics(self, **values: Any) -> None:
        """Appends a line to metrics.jsonl, on disk when this returns; values may be arrays."""
        if self.writes:
            metrics_file.append_line(self.path / METRICS, values)
            if self.tensorboard is not None:
                self.tensorboard.write(plain(values))

    def keep_metrics(self, wanted: Callable[[metrics_file.Line], bool]) -> list[metrics_file.Line]:
        """Drops the lines that are not wanted, atomically; returns the others.

        A last line that was cut off by an interruption is dropped as well.
        """
        path = self.path / METRICS
        kept = list(filter(wanted, metrics_file.read_lines(path)))
        if self.writes and path.exists():
            metrics_file.write_lines(path, kept)
        return kept

    def publish_metrics(self) -> None:
        """Uploads the metrics so far, if the folder is in a bucket, where nothing is appended."""
        if self.writes and (self.path / METRICS).exists():
            publish(self.path / METRICS)

    def write_result(self, result: Mapping[str, Any]) -> None:
        """Writes result.json atomically, removes the cache, and releases the lock.

        Besides the result, it has the processor time since this process opened the folder.
        """
        if not self.writes:
            return
        self.publish_metrics()
        spent = round(time.process_time() - self.cpu_start, 2)
        write_json(self.path / RESULT, {"finished": now(), "cpu_seconds": spent, **result})
        run_files.remove_cache(self.path)
        self._close()


def create_run_folder(
    path: str | os.PathLike[str],
    record: RunSpec,
    overwrite: bool = False,
    tensorboard: str | os.PathLike[str] | None = None,
) -> RunFolder:
    """Opens and locks the folder of a run, and writes run.json.

    An unfinished run resumes in its folder if it is started again with the same specification: new
    metrics follow the old ones, and run.json keeps the record of the first start.

    Args:
      path: The folder, created if missing; if it is not empty, it must be that of a run. The local
        copy of a folder in a bucket becomes equal to it.
      record: Specification of the run.
      overwrite: Whether to remove the metrics, the checkpoints, the cache and the result of an
        earlier run in this folder.
      tensorboard: Folder that gets the metrics as event files of TensorBoard, too.

    Raises:
      InputError: The folder is not a run's, another process uses it, or it holds a finished run or
        one with another specification.
    """
    folder = _local(path)
    board = None if tensorboard is None else TensorBoard(tensorboard)
    try:
        run_files.check_is_ours(folder)
        folder.mkdir(parents=True, exist_ok=True)
        lock = _locked(folder)
        try:
            refresh_copy(folder)
            _start(folder, record, overwrite)
        except BaseException:
            lock.release()
            raise
    except OSError as error:
        if isinstance(error, FileExistsError | NotADirectoryError):
            raise InputError(
                f"{folder} cannot be the folder of a run, since a file or a link to a missing "
                "folder is in its place; give another `output`, or remove what is there"
            ) from error
        raise InputError(
            f"the run folder {folder} cannot be written ({error.strerror}); make it writable, make "
            "room, or give another"
        ) from error
    return RunFolder(folder, lock=lock, tensorboard=board, cpu_start=time.process_time())


def _local(path: str | os.PathLike[str]) -> Path:
    """The folder, or its local copy if it is in a bucket.

    Raises:
      InputError: It is in a bucket in which checkpoints are not known to be complete.
    """
    folder = Path(local_copy(os.fspath(path)))
    if is_copy(folder) and not str(original(folder)).startswith(RUN_SCHEMES):
        raise InputError(
            f"{original(folder)}: a run folder may be on a disk or at gs://; name another `output`"
        )
    return folder


def _locked(folder: Path) -> FolderLock:
    if is_copy(folder):
        logging.warning(
            "%s is in a bucket, which has no locks; make sure that no other machine writes there",
            original(folder),
        )
    try:
        return FolderLock(folder)
    except Timeout as error:
        holder = ""
        with contextlib.suppress(InputError, LookupError, TypeError):
            process = read_json_object(folder / RUN)["process"]
            holder = f" (process {process['id']} on {process['host']})"
        raise InputError(
            f"{folder} is in use by another run{holder}; wait until it ends, or give another "
            "`output`"
        ) from error


def _start(folder: Path, record: RunSpec, overwrite: bool) -> None:
    """Prepares a locked folder for a run, and writes run.json."""
    if not overwrite:
        check_unfinished(folder)
    about: dict[str, Any] = {**record._asdict(), "versions": package_versions(), "started": now()}
    del about["free_flags"]
    about["command"] = shlex.join(sys.orig_argv)
    about["process"] = {"host": socket.gethostname(), "id": os.getpid()}
    if overwrite:
        run_files.remove_records(folder)
    elif _has_checkpoints(folder):
        before = read_json_object(folder / RUN)
        _check_same(before, record, folder)
        about = _resumed(before, about)
    drop_abandoned(folder, of_other_hosts=True)
    write_json(folder / RUN, about)


def _resumed(before: dict[str, Any], record: dict[str, Any]) -> dict[str, Any]:
    """The record of a run that resumes: that of its start, and the differences of this start."""
    starts = [before, *(before.get("resumed") or [])]
    last = next(start["versions"] for start in reversed(starts) if "versions" in start)
    versions = record["versions"]
    changed = [
        f"{name} was {last.get(name)}, now {versions.get(name)}"
        for name in sorted(last.keys() | versions.keys())
        if last.get(name) != versions.get(name)
    ]
    if changed:
        logging.warning(
            "this run resumes with other package versions: %s; its result may differ from that of "
            "an uninterrupted run", "; ".join(changed),
        )  # fmt: skip
    resumed = {key: value for key, value in plain(record).items() if before.get(key) != value}
    return {**before, "resumed": [*starts[1:], resumed]}


def recorded_shards(path: str | os.PathLike[str]) -> int | None:
    """The number of shards of the text in the folder's unfinished run; None without one."""
    folder = _local(path)
    with explained(folder):
        record = original(folder) / RUN
        if not _has_checkpoints(folder) or not record.exists():
            return None
        return read_json_object(record).get("shards")


def _has_checkpoints(folder: Path) -> bool:
    return any(map(run_files.is_checkpoint, run_files.checkpoint_folder(folder).glob("*/*")))


def _check_same(before: Mapping[str, Any], record: RunSpec, folder: Path) -> None:
    """Raises if a run would resume from checkpoints of another one."""
    now = plain(record._asdict())
    kinds = [_kind_of(flags) for flags in (before.get("flags") or {}, now["flags"])]
    differences = [] if kinds[0] == kinds[1] else [f"was {kinds[0]}, now {kinds[1]}"]
    differences = differences or _differences(before, now, record.free_flags)
    if differences:
        raise OtherRunError(
            f"{folder} holds checkpoints of another run: {'; '.join(differences)}",
            "give the earlier command to resume it, another `output`, or `overwrite` to start over",
        )


def _kind_of(flags: Mapping[str, Any]) -> str:
    """What a run is and how it was started, by which its settings have their names.

    >>> _kind_of({"approach": "lvm"}), _kind_of({"config": {"epochs": 3}})
    ('a transfer by the program', 'a training from Python')
    """
    config = flags.get("config")
    settings, start = flags, "by the program"
    if isinstance(config, Mapping):
        settings, start = config, "from Python"
    is_transfer = "approach" in settings
    return f"{'a transfer' if is_transfer else 'a training'} {start}"


def _differences(
    before: Mapping[str, Any], now: Mapping[str, Any], free_flags: Container[str]
) -> list[str]:
    """What a run has other than the one before, for the message."""
    differences = []
    for kind, label in (("flags", "`{}`"), ("data", "{}"), ("models", "{}")):
        old, new = (
            _by_path({name: own[name] for name in own if name not in free_flags})
            for own in (before.get(kind) or {}, now[kind])
        )
        for name in sorted(old.keys() | new.keys()):
            if old.get(name) == new.get(name):
                continue
            values = f"was {old.get(name)}, now {new.get(name)}"
            differences.append(
                label.format(name) + (f" {values}" if kind == "flags" else " has other contents")
            )
    if before.get("shards") != now["shards"]:
        differences.append(f"shards of the text: was {before.get('shards')}, now {now['shards']}")
    return differences


def _by_path(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with those of mappings by the path to them.

    >>> _by_path({"config": {"epochs": 3, "optimizer": {"warmup": 0.1}}, "decode": "auto"})
    {'config.epochs': 3, 'config.optimizer.warmup': 0.1, 'decode': 'auto'}
    """
    paths: dict[str, Any] = {}
    for name, value in settings.items():
        inner = _by_path(value) if isinstance(value, Mapping) else {}
        paths |= {f"{name}.{key}": own for key, own in inner.items()} or {name: value}
    return paths


def package_versions() -> dict[str, str]:
    """Versions of Python, this package and the packages that affect results, without imports."""
    versions = {"python": platform.python_version(), "zsl_jax": __version__}
    for name in _PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def file_hashes(
    files: Iterable[str | os.PathLike[str]], known: Mapping[str, str] = MappingProxyType({})
) -> dict[str, str]:
    """Returns the SHA-256 of each file's bytes, in hexadecimal; several are read at once.

    Args:
      files: The files.
      known: Hashes that have been taken already; others may be among them.

    Raises:
      InputError: A file cannot be read.
    """
    names = [os.fspath(path) for path in files]
    with ThreadPoolExecutor(HASHED_AT_ONCE) as pool:
        taken = pool.map(lambda name: known.get(name) or _hash(name), names)
        return dict(zip(names, taken, strict=True))


def _hash(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error}); name a file") from error
