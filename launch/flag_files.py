"""Flag files that come with the package, by name: --flagfile=pos_multi."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from absl import flags, logging

from launch.config_flags import definitions, from_flags, section
from zsl_jax.errors import InputError
from zsl_jax.training.config import PAPER, LabelModelConfig, TransferConfig
from zsl_jax.training.config_choices import LabelModelKind

_FOLDER = Path(__file__).parent / "flags"
_FLAG = "--flagfile"
_CHOICE = ("approach", "label_model")  # flags that say whether the paper's label model is used
_of_package: set[str] = set()  # names of flags that only files of the package have set


def names() -> list[str]:
    """Names of the flag files that come with the package."""
    return sorted(file.stem for file in _FOLDER.glob("*.cfg"))


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


def without(shared: Iterable[str], unused: Iterable[str]) -> list[str]:
    """Flags from a file but for some, given as names or as NAME=VALUE."""
    left_out = set(unused)
    named = ((flag, flag.lstrip("-")) for flag in shared)
    return [flag for flag, text in named if not {text, text.partition("=")[0]} & left_out]


def paper_flags() -> set[str]:
    """What flag files say about the paper's label model and its J, for `without`."""
    of_model = section(LabelModelConfig, PAPER)
    return {f"label_model={LabelModelKind.PAPER}", *of_model, "stop_early"}


def with_contents(arguments: Sequence[str]) -> list[str]:
    """The arguments, with flag files replaced by the flags in them.

    If the command line chooses an approach without the paper's label model, or the chain, flags
    in files that set up the paper's are left out, with a warning.

    Args:
      arguments: Of a program. A file or path of the user's comes before a name of `names`.

    Raises:
      InputError: A flag file is neither a file nor one of `names`, or cannot be read, or it sets a
        flag that the command line sets to something else before the file.
    """
    whole: list[tuple[str, bool]] = []  # flags, and whether they come from a file
    of_package, others = set[str](), set[str]()
    given = iter(arguments)
    for argument in given:
        flag, equals, value = argument.partition("=")
        if flag in (_FLAG, _FLAG[1:]):
            file = value if equals else next(given, "")
            found = flags_in(file)
            _refuse_overridden(whole, found, file)
            whole += [(flag, True) for flag in found]
            names = others if path_of(file) == file else of_package
            names.update(map(_name, found))
        else:
            whole.append((argument, False))
            others.add(_name(argument))
        if argument == "--":
            whole += [(rest, False) for rest in given]
    _of_package.clear()
    _of_package.update(of_package - others)
    every, shared = [flag for flag, _ in whole], [flag for flag, of_file in whole if of_file]
    if not shared or not _uses_paper_model(shared) or _uses_paper_model(every):
        return every
    kept = without(shared, paper_flags())
    unused = " ".join(flag for flag in shared if flag not in kept)
    logging.warning("the flag file's settings of the paper's label model are not used: %s", unused)
    return [flag for flag, of_file in whole if not of_file or flag in kept]


def own(names: Iterable[str]) -> list[str]:
    """Those of the flags of this program that the user gave, not only a file of the package."""
    return [name for name in names if name not in _of_package]


def _refuse_overridden(before: Iterable[tuple[str, bool]], found: Iterable[str], file: str) -> None:
    """Refuses a flag of the command line that a flag file behind it would set to something else."""
    typed = {_name(flag): flag for flag, of_file in before if not of_file and flag[:1] == "-"}
    for flag in found:
        name = _name(flag)
        adds_up = name in flags.FLAGS and isinstance(flags.FLAGS[name], flags.MultiFlag)
        if name in typed and not adds_up and typed[name].lstrip("-") != flag.lstrip("-"):
            raise InputError(
                f"{_FLAG}={file} sets {flag} after {typed[name]}; put --{name} behind {_FLAG} to "
                "override the file, or leave it out"
            )


def _name(argument: str) -> str:
    name = argument.lstrip("-").partition("=")[0]
    return name if name in flags.FLAGS else name.removeprefix("no")


def _uses_paper_model(arguments: Sequence[str]) -> bool:
    """Whether these flags choose the paper's label model, wrong values aside."""
    given = flags.FlagValues()
    for name in _CHOICE:
        kind, *about = definitions(TransferConfig)[name]
        kind(name, *about, flag_values=given)
    given.set_gnu_getopt(True)
    try:
        given(["", *arguments], known_only=True)
    except flags.Error:  # reported when all flags are parsed
        return True
    return from_flags(TransferConfig, given).has_paper_model
