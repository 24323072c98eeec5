"""Paths in flags: ~ is the home folder, and no output is an input."""

import glob
import os
from collections.abc import Iterator

from absl import flags

from zsl_jax.errors import InputError

FLAGS = flags.FLAGS
TEXTS = ("text", "train", "dev", "test", "gold")
NAMED = ("source", "test_source", "label_map")  # NAME=PATH
INPUTS = (*TEXTS, *NAMED, "encoder", "model", "predicted", "significance", "gold_words")


def prepare_paths() -> None:
    """Expand ~ in the values of all paths, and refuse an output that is an input.

    Raises:
      InputError: It is, or two texts are the standard input.
    """
    for name in (*INPUTS, "output"):
        value = FLAGS[name].value if name in FLAGS else None
        if isinstance(value, str):
            FLAGS[name].value = os.path.expanduser(value)
        elif value:
            FLAGS[name].value = [_expanded(name, item) for item in value]
    piped = [name for name in TEXTS if name in FLAGS and FLAGS[name].value == "-"]
    if len(piped) > 1:
        named = " and ".join(f"--{name}=-" for name in piped)
        raise InputError(f"{named}: the standard input can be only one of them; name a file")
    _check_output()


def _expanded(name: str, value: str) -> str:
    if name not in NAMED:
        return os.path.expanduser(value)
    source, equals, path = value.partition("=")
    return source + equals + os.path.expanduser(path)


def _check_output() -> None:
    output = FLAGS["output"].value if "output" in FLAGS else None
    if not output or not (os.path.isfile(output) or os.path.isdir(output)):
        return
    for name, path in _inputs():
        if os.path.exists(path) and os.path.samefile(path, output):
            raise InputError(f"--output={output} is --{name} itself; name another place")


def _inputs() -> Iterator[tuple[str, str]]:
    """Every file and folder that a flag names, with the flag."""
    for name in INPUTS:
        value = FLAGS[name].value if name in FLAGS else None
        for item in [value] if isinstance(value, str) else value or []:
            path = item.partition("=")[2] if name in NAMED else item
            for found in [path, *glob.glob(path)]:
                yield name, found
