"""Flag files that come with the package, by name: --flagfile=pos_multi."""

import os
from collections.abc import Sequence
from pathlib import Path

from absl import flags

from zsl_jax.errors import InputError

_FOLDER = Path(__file__).parent / "flags"
_FLAG = "--flagfile"


def names() -> list[str]:
    """Names of the flag files that come with the package."""
    return sorted(file.stem for file in _FOLDER.glob("*.cfg"))


def with_paths(arguments: Sequence[str]) -> list[str]:
    """The arguments, with names of flag files replaced by their paths.

    Args:
      arguments: Of a program. A file or path of the user's comes before a name.

    Raises:
      InputError: A flag file is neither a file nor one of `names`.
    """
    resolved, follows = list(arguments), False
    for place, argument in enumerate(arguments):
        if argument == "--":
            break
        flag, equals, value = argument.partition("=")
        if follows:
            resolved[place] = path_of(argument)
        elif equals and flag in (_FLAG, _FLAG[1:]):
            resolved[place] = f"{_FLAG}={path_of(value)}"
        follows = not follows and argument in (_FLAG, _FLAG[1:])
    return resolved


def path_of(value: str) -> str:
    """The path of a flag file, given as a path or as one of `names`."""
    if os.path.exists(os.path.expanduser(value)):
        return value
    if value in names():
        return str(_FOLDER / f"{value}.cfg")
    raise InputError(f"{_FLAG}={value} is not a file; name a file or one of: {', '.join(names())}")


def flags_in(value: str) -> list[str]:
    """The flags in a flag file, given as a path or as one of `names`, and in the files it names.

    Raises:
      InputError: It cannot be read.
    """
    try:
        return flags.FlagValues().read_flags_from_files([f"{_FLAG}={path_of(value)}"])
    except (flags.Error, OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{_FLAG}={value} cannot be read ({error}); give a text file of flags in UTF-8"
        ) from error
