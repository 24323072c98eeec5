"""The records in the folder of a finished transfer."""

import os
from pathlib import Path
from typing import Any, NamedTuple

from zsl_jax.errors import InputError
from zsl_jax.io import metrics_file
from zsl_jax.io.json_file import read_json_object
from zsl_jax.io.label_model_file import FILE, LabelModel, read_label_model
from zsl_jax.io.run_files import LABELS, METRICS, RESULT, RUN, VOTES


class RunRecord(NamedTuple):
    """The records of a transfer.

    Attributes:
      folder: Where they are.
      run: What was asked for, see `io.run_folder`.
      result: What came of it.
      metrics: What was measured on the way, of the training that was finished.
      label_model: What was learned about the sources; None without a label model.
    """

    folder: Path
    run: dict[str, Any]
    result: dict[str, Any]
    metrics: list[dict[str, Any]]
    label_model: LabelModel | None

    @property
    def labels_from(self) -> str:
        """Whether the text is labelled by "Q" or "P"."""
        return str(self.result.get("labels_from", "Q"))

    @property
    def approach(self) -> str:
        """How the tagger was trained; of several approaches, the one whose labels these are."""
        if self.result.get("title"):
            return str(self.result["title"])
        flags = self.run.get("flags") or {}
        settings = flags.get("config") if isinstance(flags.get("config"), dict) else flags
        return str((settings or {}).get("approach", "transfer"))

    def lines(self, kind: str) -> list[dict[str, Any]]:
        """The lines of one kind in metrics.jsonl, such as "round", of this approach."""
        title = self.result.get("title")
        lines = [line for line in self.metrics if line.get("kind") == kind]
        return [line for line in lines if title is None or line.get("run") == title]


def read_run(path: str | os.PathLike[str]) -> RunRecord:
    """Reads the records of a transfer that has ended.

    Raises:
      InputError: The folder holds no finished transfer.
    """
    folder = Path(path)
    for name in (RUN, RESULT, f"{LABELS}.parquet", VOTES):
        if not (folder / name).is_file():
            raise InputError(
                f"{path}: there is no {name} in it; name the `output` of a finished transfer"
            )
    result = read_json_object(folder / RESULT)
    if not isinstance(result.get("sources"), dict):
        raise InputError(
            f"{folder / RESULT} has no report on the sources; name the `output` of a transfer"
        )
    model = read_label_model(folder) if (folder / FILE).is_file() else None
    metrics = metrics_file.read_lines(folder / METRICS)
    return RunRecord(folder, read_json_object(folder / RUN), result, metrics, model)
