"""What `source=NAME=PATH` names: a file of predictions, a model, or a spaCy pipeline."""

import functools
import hashlib
import os
from pathlib import Path
from typing import NamedTuple

from zsl_jax.data.predictions.label_maps import LabelMap
from zsl_jax.data.predictions.prediction_files import check_is_regular
from zsl_jax.data.text.files import find_files
from zsl_jax.data.text.formats import is_file_name
from zsl_jax.errors import InputError
from zsl_jax.workflows.spacy_source import spacy_fingerprint

SPACY = "spacy:"


class Source(NamedTuple):
    """One `source=NAME=PATH`: a model folder (or hub name), a spaCy pipeline, or predictions.

    Attributes:
      name: What the user calls it.
      path: The folder, hub name or file; "spacy:" and a folder or package for a spaCy pipeline.
      label_map: Its label map, or the file of one; None if its labels are the target's.
      given: The flag and value that name it, for messages.
      task: What a spaCy pipeline is asked for, "ner" or "pos".
      sparse: Whether its O means that it does not know the word.
      offsets: Unit of the offsets of character spans in a file; None for characters, unless the
        spans fit another unit only.
      learned: Whether a label model, learned before, knows what its O means.
    """

    name: str
    path: str
    label_map: str | LabelMap | None = None
    given: str = ""
    task: str = "ner"
    sparse: bool = False
    offsets: str | None = None
    learned: bool = False

    @property
    def pipeline(self) -> str | None:
        """The folder or package of a spaCy pipeline; None for other sources."""
        return self.path.removeprefix(SPACY) if self.path.startswith(SPACY) else None

    @property
    def is_file(self) -> bool:
        """Whether the path is a file of predictions (or several) rather than a model."""
        return all(map(os.path.isfile, self.files))

    @property
    def is_model(self) -> bool:
        """Whether the path is a model folder or hub name."""
        return not self.is_file and self.pipeline is None

    @property
    def files(self) -> list[str]:
        """The files of predictions, or the one folder or hub name of a model."""
        whole = self.pipeline is not None or os.path.isdir(self.path)
        return [self.path] if whole else find_files(self.path)

    @property
    def fingerprint(self) -> str:
        """A digest of the files of a model or pipeline; a hub name stands for itself."""
        if self.pipeline is not None:
            return spacy_fingerprint(self.pipeline, self.task)
        return fingerprint(self.path)


def check_source_name(name: str, where: str) -> None:
    """Refuses a name that files, tables or logs cannot hold.

    Raises:
      InputError: It is such a name.
    """
    if not name or "/" in name or name.startswith(".") or not name.isprintable():
        raise InputError(
            f"{where}: {name!r} is not the name of a source; a name is a plain word, without /, a "
            "leading dot or control characters"
        )


def check_files(source: Source, where: str) -> None:
    """Refuses a source whose files of predictions are missing, rather than take it for a model.

    Raises:
      InputError: There is no file of this name or pattern, or it is a pipe or device.
    """
    try:
        files = source.files
        for file in files:
            check_is_regular(file)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
    for file in files:
        if is_file_name(file) and not Path(file).exists():
            raise InputError(f"{where}: there is no file {file}; correct the path")


def fingerprint(model: str) -> str:
    """A digest of a model folder's files; a hub name stands for itself."""
    if not os.path.isdir(model):
        return model
    suffixes = (".json", ".safetensors", ".txt", ".model")
    files = [p for p in sorted(Path(model).glob("*")) if p.suffix in suffixes and p.is_file()]
    return _digest(tuple((path, path.stat().st_mtime_ns, path.stat().st_size) for path in files))


@functools.lru_cache(maxsize=256)
def _digest(files: tuple[tuple[Path, int, int], ...]) -> str:
    """A digest of files that are read again only if their time or size has changed."""
    digest = hashlib.sha256()
    for path, _, _ in files:
        digest.update(path.name.encode())
        with open(path, "rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
