"""Paths in flags: expands ~, fetches files from buckets, refuses an output that is an input."""

import errno
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from absl import flags

from zsl_jax.atomic_file import is_standard_output
from zsl_jax.buckets import SCHEMES, is_address, local_copy
from zsl_jax.errors import InputError
from zsl_jax.io.bucket_copies import fetched
from zsl_jax.io.output_checks import check_is_not_input

FLAGS = flags.FLAGS
TEXTS = ("text", "train", "dev", "test", "gold")
NAMED = ("source", "test_source", "label_map")  # NAME=PATH
_ADDRESS = re.compile(r"(\w[\w+.-]*)://")
LABELLED = ("predicted", "significance", "gold_words", "estimate")
INPUTS = (*TEXTS, *NAMED, *LABELLED, "encoder", "model", "run")
ON_DISK = ("tensorboard", "experiment", "data")  # no addresses


def refuse_repeated_texts(arguments: Iterable[str]) -> None:
    """Refuses a text that a command line names twice, of which only the last would be read.

    Raises:
      InputError: There is one.
    """
    names = [
        argument.lstrip("-").partition("=")[0] for argument in arguments if argument[:1] == "-"
    ]
    for name in TEXTS:
        if names.count(name) > 1:
            raise InputError(
                f"--{name} is given twice; give one text, or several files with commas between "
                f"them: --{name}=FILE,FILE"
            )


def prepare_paths(schemes: Mapping[str, Collection[str]]) -> None:
    """Expands ~ in all paths, replaces addresses by local copies, refuses an output that is input.

    Inputs are fetched; what the program writes to the copy of its output is uploaded.

    Args:
      schemes: By the name of a flag, the schemes of the addresses that it takes; `ON_DISK` take
        none, and others all.

    Raises:
      InputError: The output is an input, two texts are the standard input, or a path is invalid or
        the address of nothing.
    """
    _replace(_expanded, *INPUTS, "output", *ON_DISK)
    on_disk = dict.fromkeys(ON_DISK, ())
    for name, path in _paths("output", *ON_DISK, *INPUTS):
        _check(f"--{name}={path}", path, {**on_disk, **schemes}.get(name, SCHEMES))
    piped = [name for name in TEXTS if name in FLAGS and FLAGS[name].value == "-"]
    if len(piped) > 1:
        named = " and ".join(f"--{name}=-" for name in piped)
        raise InputError(f"{named}: the standard input can be only one of them; give a file")
    _replace(_fetched, *INPUTS)
    _replace(_written, "output")
    _check_output()


def refuse_other_ending(contents: str, *endings: str) -> None:
    """Refuses an output whose name ends as that of another format; a name may have no ending.

    Args:
      contents: What is written as what, for the message.
      endings: Those of the format that is written.

    Raises:
      InputError: The name of --output has another ending, or is that of the standard output, where
        messages go.
    """
    output = FLAGS["output"].value
    if output and is_standard_output(output):
        raise InputError(
            f"--output={output}: {contents}, in a file of its own; give a name that ends in "
            f"{endings[0]}"
        )
    if output and os.path.splitext(output)[1].lower() not in ("", *endings):
        allowed = " or ".join(endings)
        raise InputError(f"--output={output}: {contents}; let the name end in {allowed}")


def _replace(change: Callable[[str], str], *names: str) -> None:
    """Changes the paths in the values of flags."""
    for name in names:
        value = FLAGS[name].value if name in FLAGS else None
        if isinstance(value, str):
            FLAGS[name].value = change(value)
        elif value:
            parts = [item.partition("=") if name in NAMED else ("", "", item) for item in value]
            FLAGS[name].value = [start + equals + change(path) for start, equals, path in parts]


def _expanded(value: str) -> str:
    """The path, or several with commas between them, with ~ replaced by the home folder."""
    return ",".join(map(os.path.expanduser, value.split(",")))


def _fetched(value: str) -> str:
    """The local copies of addresses, of which there may be several with commas between them."""
    if "://" not in value:
        return value
    return ",".join(map(fetched, value.split(",")))


def _written(value: str) -> str:
    """The local copy of an address that is to be written, in a folder that exists."""
    if is_address(value):
        value = local_copy(value)
        os.makedirs(os.path.dirname(value), exist_ok=True)
    return value


def _check_output() -> None:
    output = FLAGS["output"].value if "output" in FLAGS else None
    if output == "":
        raise InputError("--output is empty; give a path")
    if output:
        check_is_not_input(output, ((f"`{name}`", path) for name, path in _paths(*INPUTS)))


def _check(given: str, path: str, schemes: Collection[str]) -> None:
    """Raises if a path is a URL of another scheme, or too long for a path."""
    url = _ADDRESS.match(path)
    if url and url[1] in schemes:
        return
    if url and url[1] in ("http", "https"):
        raise InputError(
            f"{given}: web addresses are not supported; download the file and give its path, or "
            "give the name of a model on the Hugging Face hub (org/name) without the address"
        )
    if url:
        raise InputError(
            f"{given}: {url[1]}:// is not supported here; give a path on a disk or a mounted "
            "share, and copy files from or to the bucket"
        )
    try:
        os.lstat(path)
    except ValueError:
        raise InputError(f"{given!r}: a path cannot hold this character; correct it") from None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise InputError(f"{given}: the name is too long; give a shorter one") from error


def _paths(*names: str) -> Iterator[tuple[str, str]]:
    """Yields the paths in the values of flags, with the flag."""
    for name in names:
        value = FLAGS[name].value if name in FLAGS else None
        for item in [value] if isinstance(value, str) else value or []:
            yield name, item.partition("=")[2] if name in NAMED else item
