"""Values of a config.json, each validated when it is read."""

import reprlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from zsl_jax.errors import InputError

LARGEST = 2**31 - 1  # upper bound on any size


class Values(NamedTuple):
    """A parsed config.json.

    Attributes:
      config: The parsed file.
      where: Name of the file, for messages.
    """

    config: Mapping[str, Any]
    where: str

    def size(self, name: str, default: int | None = None, least: int = 1) -> int:
        """Returns the whole number under a key."""
        value = self.config.get(name, default)
        if type(value) is not int or not least <= value <= LARGEST:
            raise InputError(
                f"{self.where}: {name} is {shown(value)}, not a whole number from {least} to "
                f"{LARGEST:,}; use the model's own file"
            )
        return value

    def rate(self, name: str, default: float) -> float:
        """Returns the number under a key, at least 0 and below 1."""
        value = self.config.get(name, default)
        if type(value) not in (int, float) or not 0 <= value < 1:
            raise InputError(
                f"{self.where}: {name} is {shown(value)}, not a number of at least 0 and below 1; "
                "use the model's own file"
            )
        return float(value)

    def require(self, name: str, value: Any, supported: Any) -> None:
        """Raises unless a setting has the only value that is supported.

        Raises:
          InputError: It has another one.
        """
        if value != supported:
            raise InputError(
                f"{self.where}: {name} {shown(value)} is not supported, only {shown(supported)}; "
                "use a model with that, or give its predictions as a source"
            )


def shown(value: Any) -> str:
    """A value abbreviated for a message."""
    return reprlib.repr(value)
