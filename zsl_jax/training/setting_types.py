"""The types that the values of settings may have."""

import dataclasses
import functools
import math
import numbers
import typing
from types import NoneType
from typing import Any

from zsl_jax.errors import InputError

_KINDS: dict[Any, tuple[type, str]] = {
    bool: (bool, "True or False"),
    int: (numbers.Integral, "a whole number"),
    float: (numbers.Real, "a number"),
    str: (str, "a string"),
}


def check_types(settings: Any) -> None:
    """Refuses a configuration with a value of another type than its field's.

    Raises:
      InputError: A value is not of the field's type; choices are for the configuration to check.
    """
    config: Any = type(settings)
    hints = hints_of(config)
    for field in dataclasses.fields(settings):
        value, kinds = getattr(settings, field.name), _alternatives(hints[field.name])
        if dataclasses.is_dataclass(field.default):
            _check_configuration(field, value)
        elif typing.get_origin(kinds[0]) is tuple:
            _check_positive(field.name, value)
        elif kinds[0] in _KINDS and not (value is None and NoneType in kinds):
            _check(field.name, value, *_KINDS[kinds[0]])


def _check_positive(name: str, values: Any) -> None:
    """Refuses what is not a tuple of positive numbers.

    Raises:
      InputError: It is something else.
    """
    are_numbers = isinstance(values, tuple) and all(
        isinstance(value, numbers.Real) and not isinstance(value, bool) for value in values
    )
    if not values or not are_numbers or not all(0 < value < math.inf for value in values):
        raise InputError(f"`{name}`={values!r:.80} must be positive numbers; give a tuple of them")


@functools.cache
def hints_of(config: type) -> dict[str, Any]:
    """The types of the fields of a configuration."""
    return typing.get_type_hints(config)


def may_be_none(config: type, name: str) -> bool:
    """Whether a field of a configuration may be None."""
    return NoneType in _alternatives(hints_of(config)[name])


def _alternatives(hint: Any) -> tuple[Any, ...]:
    """The types of a union, None last; the type itself otherwise."""
    if typing.get_origin(hint) is tuple:
        return (hint,)
    return tuple(sorted(typing.get_args(hint) or (hint,), key=lambda kind: kind is NoneType))


def _check_configuration(field: dataclasses.Field[Any], value: Any) -> None:
    """Refuses what is not of the type of a field that holds a configuration of its own.

    The message shows how to give the setting whose flag has the field's name.
    """
    kind: Any = type(field.default)
    if isinstance(value, kind):
        return
    flags = [own.name for own in dataclasses.fields(kind) if own.metadata.get("flag") == field.name]
    given = f"{flags[0]}={value!r:.80}" if flags and isinstance(value, str) else "name=value, ..."
    raise InputError(
        f"`{field.name}`={value!r:.80} must be of the type {kind.__name__}; give "
        f"zsl_jax.{kind.__name__}({given})"
    )


def _check(name: str, value: Any, kind: type, wanted: str) -> None:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise InputError(f"`{name}`={value!r:.80} must be {wanted}; correct it")
