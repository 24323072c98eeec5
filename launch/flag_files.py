"""Flag files that come with the package, by name: --flagfile=pos_multi."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

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
    whole: list[tuple[str, str | None]] = []  # flags, and the file that they come from
    of_package, others = set[str](), set[str]()
    given = iter(arguments)
    for argument in given:
        flag, equals, value = argument.partition("=")
        if flag in (_FLAG, _FLAG[1:]):
            file = value if equals else next(given, "")
            flags_there = flags_in(file)
            whole += [(flag, file) for flag in flags_there]
            names = others if path_of(file) == file else of_package
            names.update(map(_name, flags_there))
        else:
            whole.append((argument, None))
            others.add(_name(argument))
        if argument == "--":
            whole += [(rest, None) for rest in given]
    _refuse_overridden(whole)
    _of_package.clear()
    _of_package.update(of_package - others)
    every, shared = [flag for flag, _ in whole], [flag for flag, file in whole if file]
    if not shared or not _uses_paper_model(shared) or _uses_paper_model(every):
        return every
    kept = without(shared, paper_flags())
    unused = " ".join(flag for flag in shared if flag not in kept)
    logging.warning("the flag file's settings of the paper's label model are not used: %s", unused)
    return [flag for flag, file in whole if not file or flag in kept]


def own(names: Iterable[str]) -> list[str]:
    """Those of the flags of this program that the user gave, not only a file of the package."""
    return [name for name in names if name not in _of_package]


def _refuse_overridden(whole: Sequence[tuple[str, str | None]]) -> None:
    """Refuses a flag of the command line that a flag file after it sets to something else."""
    typed: dict[str, tuple[str, Any]] = {}
    overridden: dict[str, str] = {}
    for name, text, value, file in _assignments(whole):
        if isinstance(_flag(name), flags.MultiFlag):
            continue  # its values add up
        if not file:
            typed[name] = text, value
            overridden.pop(name, None)
        elif name in typed and typed[name][1] != value:
            overridden[name] = (
                f"{_FLAG}={file} sets {text} after {typed[name][0]}; put --{name} after {_FLAG} "
                "to override the file, or leave it out"
            )
    if overridden:
        raise InputError(next(iter(overridden.values())))


def _assignments(
    whole: Sequence[tuple[str, str | None]],
) -> Iterator[tuple[str, str, Any, str | None]]:
    """Yields the name, text and value of each flag, and the file that it comes from."""
    rest = iter(whole)
    for argument, file in rest:
        if argument == "--":
            return
        if argument[:1] != "-":
            continue
        name, equals, value = _name(argument), *argument.partition("=")[1:]
        text, flag = argument, _flag(name)
        if flag is not None and flag.boolean and not equals:
            value = str(argument.lstrip("-") == name)
        elif not equals:
            value = next(rest, ("", None))[0]
            text = f"{argument} {value}"
        yield name, text, _parsed(flag, value), file


def _flag(name: str) -> flags.Flag | None:
    """The flag of a name, if the program has it."""
    if name not in flags.FLAGS:
        return None
    return flags.FLAGS[name]


def _parsed(flag: flags.Flag | None, value: str) -> Any:
    """The value of a flag, so that 1e-5 and 0.00001 are the same."""
    try:
        return value if flag is None else flag.parser.parse(value)
    except ValueError:  # reported when all flags are parsed
        return value


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
