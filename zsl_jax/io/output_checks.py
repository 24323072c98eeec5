"""Checks of an output before anything is computed for it."""

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from zsl_jax.buckets import explained, local_copy, original
from zsl_jax.errors import InputError
from zsl_jax.io.run_files import RESULT, check_is_ours, is_part, is_removed


def check_may_start(output: str | os.PathLike[str], overwrite: bool) -> None:
    """Refuses a folder in which no run can start or resume.

    Raises:
      InputError: It is not that of a run, or holds a finished one that is not to be replaced.
    """
    folder = Path(local_copy(os.fspath(output)))
    check_is_ours(folder)
    if not overwrite:
        check_unfinished(folder)


def check_unfinished(folder: Path) -> None:
    """Refuses a folder that holds a finished run.

    Raises:
      InputError: It does.
    """
    with explained(folder):
        finished = original(folder / RESULT).exists()
    if finished:
        raise InputError(
            f"{folder} already holds a finished run ({RESULT}); give another folder or `overwrite`"
        )


def check_is_not_input(
    output: str | os.PathLike[str], inputs: Iterable[tuple[str, str | os.PathLike[str]]]
) -> None:
    """Refuses an output that is an input or a part of one, or a run whose record an input is.

    Args:
      output: A file or folder.
      inputs: Paths or patterns of what is read, each with the setting that names it.

    Raises:
      InputError: It is.
    """
    if not (os.path.isfile(output) or os.path.isdir(output)):
        return
    for setting, path in _files(inputs):
        if os.path.exists(path) and os.path.samefile(path, output):
            raise InputError(f"`output`={output} is {setting} itself; give another path")
        if os.path.isdir(path) and is_part(Path(output), Path(path)):
            raise InputError(
                f"`output`={output} is a part of {setting}={path}, which would be lost; give "
                "another path"
            )
        if os.path.isdir(output) and is_removed(Path(path), Path(output)):
            raise InputError(
                f"{setting}={path} is a record of the run in `output`={output}, which is removed; "
                "give another folder as output, or copy the file elsewhere"
            )


def _files(inputs: Iterable[tuple[str, str | os.PathLike[str]]]) -> Iterator[tuple[str, str]]:
    """Yields every file and folder, those of a list with commas or a pattern included."""
    for setting, given in inputs:
        path = os.fspath(given)
        for part in [path] if os.path.exists(path) else path.split(","):
            for match in [part, *glob.glob(part, recursive=True)]:
                yield setting, match
