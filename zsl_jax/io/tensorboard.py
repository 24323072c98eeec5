"""A run's metrics as event files of TensorBoard, beside metrics.jsonl; extra [tensorboard].

Each training is a run of TensorBoard: its updates under its title, and its rounds and epochs, whose
steps count otherwise, in folders below that.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib import util
from pathlib import Path
from typing import Any, NamedTuple

from zsl_jax.errors import InputError

_OF_STEPS = ("loss", "learning_rate", "gradient_norm", "words_per_second", "mix")
_OF_ROUNDS = ("objective", "bound", "entropy", "agreement", "confusion_diagonal", "confusion_moved")
FLUSH_SECONDS = 10


class Scalars(NamedTuple):
    """The numbers of a line of metrics.jsonl.

    Attributes:
      folder: Below that of TensorBoard.
      step: The update, round or epoch.
      values: By their tags.
    """

    folder: str
    step: int
    values: dict[str, float]


class TensorBoard:
    """Writes metrics as they come; a resumed run replaces what followed its checkpoint."""

    def __init__(self, folder: str | os.PathLike[str]):
        """Opens a folder; files are made with the first number.

        Raises:
          InputError: tensorboardX is not installed, or the folder cannot be written.
        """
        if util.find_spec("tensorboardX") is None:
            raise InputError(
                f"`tensorboard`={folder}: tensorboardX is not installed; install the extra: "
                "pip install 'zsl_jax[tensorboard]'"
            )
        self._folder = Path(folder)
        self._writers: dict[str, Any] = {}
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"`tensorboard`={folder} cannot be written ({error.strerror}); give another folder"
            ) from error

    def write(self, line: Mapping[str, Any]) -> None:
        """Adds the numbers of a line of metrics.jsonl."""
        found = scalars(line)
        if found is None:
            return
        if found.folder not in self._writers:
            from tensorboardX import SummaryWriter

            self._writers[found.folder] = SummaryWriter(
                str(self._folder / found.folder), purge_step=found.step, flush_secs=FLUSH_SECONDS
            )
        for tag, value in found.values.items():
            self._writers[found.folder].add_scalar(tag, value, found.step)

    def close(self) -> None:
        """Writes what is still in memory."""
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()


def scalars(line: Mapping[str, Any]) -> Scalars | None:
    """The numbers of a line; None for lines that hold none over time.

    >>> scalars({"kind": "step", "run": "lvm", "step": 3, "loss": 0.5, "words": 60})
    Scalars(folder='lvm', step=3, values={'loss': 0.5})
    >>> scalars({"kind": "round", "run": "lvm", "round": 1, "agreement": {"en": 0.75}})
    Scalars(folder='lvm/rounds', step=1, values={'agreement/en': 0.75})
    """
    title = _part_of_tag(str(line.get("run")))
    kind = line.get("kind")
    if kind == "step":
        return Scalars(title, line["step"], dict(_numbers(line, _OF_STEPS)))
    if kind == "round":
        return Scalars(f"{title}/rounds", line["round"], dict(_numbers(line, _OF_ROUNDS)))
    if kind == "dev":
        values = _numbers(line["scores"], ("score", "accuracy"))
        return Scalars(f"{title}/epochs", line["epoch"], dict(values))
    return None


def _part_of_tag(name: str) -> str:
    """A name without the characters that TensorBoard does not allow, such as blanks."""
    return re.sub(r"[^\w.-]+", "_", name)


def _numbers(values: Mapping[str, Any], names: Sequence[str]) -> Iterator[tuple[str, float]]:
    """The finite numbers under some names, and under names of these; of several, their mean."""
    for name in names:
        value = values.get(name)
        if isinstance(value, list):
            value = sum(value) / len(value) if value and None not in value else None
        if isinstance(value, Mapping):
            of_keys = _numbers(value, tuple(value))
            yield from ((f"{name}/{_part_of_tag(key)}", number) for key, number in of_keys)
        elif value is not None:
            yield name, float(value)
