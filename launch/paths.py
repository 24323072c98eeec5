"""Paths in flags: expands ~, and checks that paths are local and the output is not an input."""

import errno
import glob
import os
import re
from collections.abc import Iterator
from pathlib import Path

from absl import flags

from zsl_jax.errors import InputError
from zsl_jax.io.run_files import is_removed

FLAGS = flags.FLAGS
TEXTS = ("text", "train", "dev", "test", "gold")
NAMED = ("source", "test_source", "label_map")  # NAME=PATH
_ADDRESS = re.compile(r"(\w[\w+.-]*)://")
LABELLED = ("predicted", "significance", "gold_words", "estimate")
INPUTS = (*TEXTS, *NAMED, *LABELLED, "encoder", "model", "run")


def prepare_paths() -> None:
    """Expands ~ in all paths, and refuses an output that is an input.

    Raises:
      InputError: The output is an input, two texts are the standard input, or a path is invalid.
    """
    for name in (*INPUTS, "output", "tensorboard"):
        value = FLAGS[name].value if name in FLAGS else None
        if isinstance(value, str):
            FLAGS[name].value = os.path.expanduser(value)
        elif value:
            FLAGS[name].value = [_expanded(name, item) for item in value]
    for name, path in _paths("output", *INPUTS):
        _check_local(f"--{name}={path}", path)
    piped = [name for name in TEXTS if name in FLAGS and FLAGS[name].value == "-"]
    if len(piped) > 1:
        named = " and ".join(f"--{name}=-" for name in piped)
        raise InputError(f"{named}: the standard input can be only one of them; give a file")
    _check_output()


def _expanded(name: str, value: str) -> str:
    if name not in NAMED:
        return os.path.expanduser(value)
    source, equals, path = value.partition("=")
    return source + equals + os.path.expanduser(path)


def _check_output() -> None:
    output = FLAGS["output"].value if "output" in FLAGS else None
    if output == "":
        raise InputError("--output is empty; give a path")
    if not output or not (os.path.isfile(output) or os.path.isdir(output)):
        return
    for name, path in _inputs():
        if os.path.exists(path) and os.path.samefile(path, output):
            raise InputError(f"--output={output} is --{name} itself; give another path")
        if os.path.isdir(output) and is_removed(Path(path), Path(output)):
            raise InputError(
                f"--{name}={path} is a record of the run in --output={output}, which is removed; "
                "give another folder as output, or copy the file elsewhere"
            )


def _check_local(given: str, path: str) -> None:
    """Raises if a path is a URL, or too long for a path."""
    url = _ADDRESS.match(path)
    if url and url[1] in ("http", "https"):
        raise InputError(
            f"{given}: web addresses are not supported; download the file and give its path, or "
            "give the name of a model on the Hugging Face hub (org/name) without the address"
        )
    if url:
        raise InputError(
            f"{given}: {url[1]}:// is not supported; give a path on a disk or a mounted share, and "
            "copy files from or to the bucket"
        )
    try:
        os.lstat(path)
    except ValueError:
        raise InputError(f"{given!r}: a path cannot hold this character; correct it") from None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise InputError(f"{given}: the name is too long; give a shorter one") from error


def _inputs() -> Iterator[tuple[str, str]]:
    """Yields every file and folder that a flag names, with the flag."""
    for name, path in _paths(*INPUTS):
        for match in [path, *glob.glob(path)]:
            yield name, match


def _paths(*names: str) -> Iterator[tuple[str, str]]:
    """Yields the paths in the values of flags, with the flag."""
    for name in names:
        value = FLAGS[name].value if name in FLAGS else None
        for item in [value] if isinstance(value, str) else value or []:
            yield name, item.partition("=")[2] if name in NAMED else item
