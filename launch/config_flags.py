"""Defines flags from the fields of the configurations, and builds configurations from the flags.

Importing this module is cheap: no program loads JAX before its flags are parsed.
"""

import dataclasses
import enum
import functools
import types
import typing
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from absl import flags

from zsl_jax.errors import InputError

FLAGS = flags.FLAGS
NUM_SOURCES = "num_sources"
OF_PROGRAMS = ("encoder", "task")  # flags in files that belong to no configuration
NUMBERS = {int: flags.DEFINE_integer, float: flags.DEFINE_float}
PLAIN = {bool: flags.DEFINE_bool, str: flags.DEFINE_string}
Config = TypeVar("Config")


class Field(typing.NamedTuple):
    """A field of a configuration that is a flag.

    Attributes:
      name: Name of the flag.
      field: The dataclass field, with its default and the metadata of `training.config.setting`.
      kind: Type of the value, without None.
    """

    name: str
    field: Any
    kind: Any


class NumberOrSources(flags.ArgumentParser):
    """Parses a positive number, or "num_sources", which becomes None."""

    def parse(self, argument: Any) -> float | None:
        """Returns the number."""
        if argument in (NUM_SOURCES, None):
            return None
        return positive_number(argument)


class PositiveNumbers(flags.ArgumentParser):
    """Parses positive numbers separated by commas."""

    def parse(self, argument: Any) -> tuple[float, ...]:
        """Returns the numbers."""
        if isinstance(argument, str):
            argument = argument.split(",")
        return tuple(positive_number(number) for number in argument)


def positive_number(argument: Any) -> float:
    """Parses a positive number.

    Raises:
      ValueError: The argument is not a positive number.
    """
    try:
        number = float(argument)
    except ValueError:
        number = -1.0
    if not 0 < number < float("inf"):
        raise ValueError(f"{argument} is not a positive number")
    return number


def fields_of(config: type) -> Iterator[Field]:
    """Yields the fields of a configuration, and of nested ones, that are flags."""
    hints = typing.get_type_hints(config)
    for field in dataclasses.fields(config):
        if dataclasses.is_dataclass(field.default):
            yield from fields_of(type(field.default))
        elif "meaning" in field.metadata:
            yield Field(
                field.metadata["flag"] or field.name, field, _without_none(hints[field.name])
            )


def definitions(config: type) -> dict[str, tuple[Any, ...]]:
    """For every field that is a flag: its defining function and the arguments after the name."""
    return {name: _definition(name, field, kind) for name, field, kind in fields_of(config)}


def _definition(name: str, field: Any, kind: Any) -> tuple[Any, ...]:
    meaning, *bounds = (field.metadata[key] for key in ("meaning", "least", "most"))
    if isinstance(kind, type) and issubclass(kind, enum.StrEnum):
        return flags.DEFINE_enum, field.default, list(kind), meaning
    if name == "prior_weight":
        return functools.partial(flags.DEFINE, NumberOrSources()), field.default, meaning
    if kind in NUMBERS:
        return NUMBERS[kind], field.default, meaning, *bounds
    if kind in PLAIN:
        return PLAIN[kind], field.default, meaning
    several = functools.partial(flags.DEFINE, PositiveNumbers(), serializer=_WithCommas())
    return several, field.default, meaning


def from_flags(config: type[Config], given: flags.FlagValues = FLAGS) -> Config:
    """Builds a configuration from flags; fields without a flag keep their default."""
    values: dict[str, Any] = {}
    for field in dataclasses.fields(config):  # type: ignore[arg-type]
        name = field.metadata.get("flag") or field.name
        if dataclasses.is_dataclass(field.default):
            values[field.name] = from_flags(type(field.default), given)
        elif "meaning" in field.metadata and name in given:
            values[field.name] = given[name].value
    return config(**values)


def from_arguments(config: type[Config], arguments: Sequence[str]) -> Config:
    """Builds a configuration from arguments, as a program that has no other flags would.

    Args:
      config: Its type.
      arguments: Such as "--epochs=3" or "--flagfile=FILE"; later ones override earlier ones.

    Raises:
      InputError: There is no such flag, or it cannot have this value.
    """
    given = flags.FlagValues()
    for name, (kind, *about) in definitions(config).items():
        kind(name, *about, flag_values=given)
    for name in OF_PROGRAMS:
        flags.DEFINE_string(name, None, "Read by programs only.", flag_values=given)
    try:
        rest = given(["", *arguments])
    except flags.Error as error:
        raise InputError(str(error).replace("flag --", "--", 1)) from error
    if len(rest) > 1:
        raise InputError(f"{rest[1]} is not a flag")
    return from_flags(config, given)


def section(config: type, heading: str) -> dict[str, tuple[Any, ...]]:
    """Returns the definitions of the fields that --help lists under a heading."""
    names = [name for name, field, _ in fields_of(config) if field.metadata["section"] == heading]
    every = definitions(config)
    return {name: every[name] for name in names}


class _WithCommas(flags.ArgumentSerializer):
    def serialize(self, value: tuple[float, ...]) -> str:
        return ",".join(map(str, value))


def _without_none(hint: Any) -> Any:
    if isinstance(hint, types.UnionType):
        return next(kind for kind in typing.get_args(hint) if kind is not type(None))
    return hint
