"""The results of `zsl_jax.aggregate` and `zsl_jax.transfer`."""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np
from jaxtyping import Float

from zsl_jax.data.predictions.parquet_reader import read_parquet
from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.data.text.compact_text import CompactText
from zsl_jax.evaluation.diagnosis import Diagnosis, diagnosis_from_plain
from zsl_jax.io.bucket_copies import fetched
from zsl_jax.io.run_files import LABELS
from zsl_jax.labels import SourceLabels
from zsl_jax.report.run_record import RunRecord, read_run
from zsl_jax.training.config import TransferConfig
from zsl_jax.types import Sentence, with_array_equality
from zsl_jax.workflows.labelled_text import LabelledText
from zsl_jax.workflows.result_table import Row, format_table, verdict
from zsl_jax.workflows.tagged_sentence import TaggedSentence, tagged_sentences
from zsl_jax.workflows.tagger import WithTagger


@with_array_equality
@dataclasses.dataclass(frozen=True)
class ConfusionMatrices:
    """What each source gives for each true label, as it was estimated.

    Attributes:
      source_labels: V names: the target's K labels, then those that stand for several of them, of
        which "(silent)" is the O of sparse sources. With bea only the target's.
      label_names: K names of true labels.
      by_source: By source, [V, K], the probability of its label (row) given the true one (column);
        rows of labels that the source does not have are 0, but not with dawid_skene and bea, which
        add a little to the count of every label.
    """

    source_labels: tuple[str, ...]
    label_names: tuple[str, ...]
    by_source: Mapping[str, Float[np.ndarray, "V K"]]


def confusion_matrices(
    names: Sequence[str], labels: SourceLabels, log_confusion: Float[np.ndarray, "U V K"] | None
) -> ConfusionMatrices | None:
    """Returns confusion matrices by source; None where there are none."""
    if log_confusion is None:
        return None
    tables = dict(zip(names, np.exp(np.asarray(log_confusion)), strict=True))
    return ConfusionMatrices(labels.names, labels.label_set.names, tables)


@with_array_equality
@dataclasses.dataclass(frozen=True)
class AggregateResult(Sequence[TaggedSentence]):
    """The sentences of a text, in order, with labels from the sources' predictions.

    Attributes:
      sentences: The sentences; the result itself is a sequence of them.
      label_names: The K labels, in the order of the probabilities.
      report: On each source, compared with these labels.
      confusion: What was learned about each source; None with majority, mean and weighted_mean.
    """

    sentences: Sequence[TaggedSentence]
    label_names: tuple[str, ...]
    report: Diagnosis
    confusion: ConfusionMatrices | None

    @property
    def predictions(self) -> SourcePredictions:
        """The labels as `SourcePredictions`, which can be written or used as a source."""
        ids = {name: number for number, name in enumerate(self.label_names)}
        labels = [ids.get(label, -1) for sentence in self.sentences for label in sentence.labels]
        probs = np.concatenate([sentence.probs for sentence in self.sentences]).astype(np.float16)
        words = [sentence.words for sentence in self.sentences]
        return SourcePredictions(self.label_names, np.array(labels, np.int32), probs, words)

    def __repr__(self) -> str:
        return f"AggregateResult({len(self)} sentences, label_names={self.label_names})"

    def __len__(self) -> int:
        return len(self.sentences)

    @overload
    def __getitem__(self, place: int) -> TaggedSentence: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[TaggedSentence]: ...
    def __getitem__(self, place: Any) -> Any:
        return self.sentences[place]


@with_array_equality
@dataclasses.dataclass(frozen=True)
class TransferResult(WithTagger):
    """The result of a transfer.

    Attributes:
      folder: The model folder, absolute.
      row_length: Subwords per packed row.
      sentences: The text with its labels: by Q under `mrt` and `lvm`, and by the tagger alone
        otherwise.
      rows: The table, if there is a labelled test; see `result_table`.
      report: On each source, compared with these labels.
      label_names: The K labels, in the order of the probabilities.
      confusion: What was learned about each source; None unless the approach is `mrt` or `lvm`.
    """

    folder: Path
    row_length: int
    sentences: Sequence[TaggedSentence] = dataclasses.field(repr=False)
    rows: Sequence[Row] = dataclasses.field(repr=False)
    report: Diagnosis = dataclasses.field(repr=False)
    label_names: tuple[str, ...]
    confusion: ConfusionMatrices | None = dataclasses.field(repr=False)

    @classmethod
    def from_folder(cls, folder: str | os.PathLike[str]) -> "TransferResult":
        """Reads the result of a finished transfer, from Python or by `launch.transfer`.

        Probabilities come back in half precision; raw text and the places of words in it do not.

        Raises:
          InputError: The folder holds no finished transfer.
        """
        record = read_run(fetched(folder, "`folder`"))
        read = read_parquet(record.folder / f"{LABELS}.parquet")
        probs = np.asarray(read.probs, np.float32)
        text = CompactText.of(Sentence(words) for words in read.words)
        block = LabelledText(text, read.label_names, read.labels, probs)
        rows = [Row(**row) for row in record.result.get("rows") or ()]
        report = diagnosis_from_plain(record.result["sources"])
        model, sentences = record.label_model, list(tagged_sentences(block))
        confusion = model and confusion_matrices(
            model.source_names, model.source_labels, model.log_confusion
        )
        length = _row_length(record)
        names = read.label_names
        return cls(record.folder, length, sentences, rows, report, names, confusion)

    @property
    def table(self) -> str:
        """The rows as text; empty without a test."""
        return format_table(self.rows) if self.rows else ""

    @property
    def verdict(self) -> str:
        """What Q and the tagger alone do not beat on the test; empty without a test."""
        return verdict(self.rows) if self.rows else ""


def _row_length(record: RunRecord) -> int:
    """The row length of a run that was started from Python or by a program."""
    flags = record.run.get("flags") or {}
    settings = flags.get("config") if isinstance(flags.get("config"), dict) else flags
    return int((settings or {}).get("row_length") or TransferConfig().row_length)
