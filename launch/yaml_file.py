"""YAML files with the line of every field, for errors that name it."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from zsl_jax.errors import InputError

REQUIRED = object()
LONGEST_NAME = 200  # bytes of a folder's name; file systems allow 255, with a lock's suffix


class Fields(dict[str, Any]):
    """A mapping of a YAML file, with the file and line of each key."""

    def __init__(self, file: str, line: int) -> None:
        """Starts without fields."""
        super().__init__()
        self.file = file
        self.line = line
        self.lines: dict[str, int] = {}

    def where(self, key: str | None = None) -> str:
        """File and line of a key, or of the mapping itself."""
        return f"{self.file}, line {self.lines.get(key or '', self.line)}"

    def fault(self, key: str, reason: str) -> InputError:
        """An error about a field."""
        return InputError(f"{self.where(key)}: `{key}` {reason}")

    def take(self, key: str, kind: type | tuple[type, ...], default: Any = None) -> Any:
        """The value of a field, of a kind; a field without a default must be there.

        Raises:
          InputError: It is missing, or of another kind.
        """
        if key not in self:
            if default is REQUIRED:
                raise InputError(f"{self.where()}: `{key}` is missing; add it")
            return default
        value = self[key]
        kinds = kind if isinstance(kind, tuple) else (kind,)
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            names = " or ".join(_NAMES[k] for k in kinds)
            raise self.fault(key, f"is {value!r}, but must be {names}; correct it")
        return value

    def one_line(self, key: str, default: Any = None) -> str:
        """The value of a field that is text, on one line."""
        return " ".join(self.take(key, str, default).split())

    def count(self, key: str, default: int | None = None) -> int | None:
        """The value of a field that counts something, from 1."""
        number = self.take(key, int, default)
        if number is not None and number < 1:
            raise self.fault(key, f"is {number}, but must be 1 or more; correct it")
        return number

    def choice(self, key: str, choices: Collection[str], default: Any = None) -> str:
        """The value of a field that is one of some names."""
        value = self.take(key, str, REQUIRED if default is None else default)
        if value not in choices:
            raise self.fault(key, f"is {value!r}; choose one of {', '.join(choices)}")
        return value

    def members(self, key: str, default: Any = REQUIRED) -> list[Any]:
        """The items of a list that is not empty."""
        found = self.take(key, list, default)
        if not found:
            raise self.fault(key, "is empty; name at least one")
        return found

    def mappings(self, key: str) -> "list[Fields]":
        """The items of a list, all of which have fields."""
        found = self.members(key)
        for item in found:
            if not isinstance(item, Fields):
                raise self.fault(key, f"has {item!r}; each item must have fields such as `name`")
        return found

    def check_once(self, key: str, items: Sequence[Any]) -> None:
        """Raises InputError for the first item of a list that is in it twice."""
        for place, item in enumerate(items):
            if item in items[:place]:
                raise self.fault(key, f"has {item} twice; name each once")

    def check_folder(self, key: str, name: str, reserved: Collection[str] = ()) -> None:
        """Raises InputError for a name that cannot be that of a folder, or is reserved."""
        said = f"{'has' if isinstance(self.get(key), list) else 'is'} {name!r:.60}, which cannot be"
        is_long = len(name.encode()) > LONGEST_NAME
        if not name.isprintable() or "/" in name or name.startswith(".") or is_long:
            raise self.fault(key, f"{said} the name of a folder; rename it")
        if not name or name in reserved:
            raise self.fault(key, f"{said} used as a name; choose another")

    def check_known(self, known: Collection[str]) -> None:
        """Raises InputError for the first key that is not one of these."""
        for key in self:
            if key not in known:
                raise self.fault(key, f"is not known; the fields here are {', '.join(known)}")


_NAMES = {
    str: "text",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "a mapping",
    bool: "true or false",
}


def read_yaml(path: Path) -> Fields:
    """The mapping that a YAML file holds.

    Raises:
      InputError: The file cannot be read, is not YAML, holds another value, or a key twice.
    """
    file = str(path)
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file} cannot be read ({error}); name a YAML file") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError(f"{file}, line {line}: {error.problem}; correct the YAML") from error
    except yaml.YAMLError as error:
        raise InputError(f"{file} is not YAML ({error}); correct it") from error
    if not isinstance(node, yaml.MappingNode):
        raise InputError(f"{file} has no fields; write `name: value` lines")
    try:
        return _value(node, file)
    except RecursionError as error:
        raise InputError(f"{file} has an alias within its own value; write it out") from error


def _value(node: yaml.Node, file: str) -> Any:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, file) for item in node.value]
    if not isinstance(node, yaml.MappingNode):
        return _scalar(node, f"{file}, line {line}")
    fields = Fields(file, line)
    for key, value in node.value:
        number = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise InputError(
                f"{file}, line {number}: the name of a field must be a word; correct it"
            )
        name = str(key.value)
        if name in fields:
            raise InputError(f"{file}, line {number}: `{name}` occurs twice; keep one")
        fields[name], fields.lines[name] = _value(value, file), number
    return fields


def _scalar(node: yaml.Node, where: str) -> Any:
    try:
        return yaml.SafeLoader("").construct_object(node)
    except (yaml.YAMLError, ValueError) as error:  # unknown tags, dates that are none
        value = getattr(node, "value", "")
        raise InputError(
            f"{where}: {value!r:.60} cannot be read as {node.tag}; correct it or put it in quotes"
        ) from error


def as_arguments(fields: Mapping[str, Any]) -> list[str]:
    """Fields as flags of a program.

    >>> as_arguments({"rounds": 3, "stop_early": True})
    ['--rounds=3', '--stop_early=true']
    """
    return [f"--{name}={_written(value)}" for name, value in fields.items()]


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return (
        ",".join(map(str, value))
        if isinstance(value, Sequence | tuple) and not isinstance(value, str)
        else str(value)
    )
