"""Sources' predictions for a text of any length, chunk by chunk."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from zsl_jax.data.predictions.parquet_stream import ParquetStream, scheme_of_parquet
from zsl_jax.data.predictions.same_words import REMEDY, check_same_words
from zsl_jax.data.predictions.source_predictions import (
    SourcePredictions,
    joined_about,
    split_predictions,
    with_silence,
)
from zsl_jax.data.text.formats import format_of
from zsl_jax.errors import InputError
from zsl_jax.types import Sentence
from zsl_jax.workflows.source_conversion import converted, log_reading
from zsl_jax.workflows.sources import Source


class SourceStream(Protocol):
    """One source's predictions in the order of a text, in BIO or plain labels."""

    def take(self, sentences: Sequence[Sentence]) -> SourcePredictions:
        """The predictions for the next sentences of the text."""

    def finish(self) -> None:
        """Called at the end of the text."""


class HeldPredictions:
    """Predictions in memory, already converted and checked."""

    def __init__(self, predictions: SourcePredictions):
        self._rest = predictions

    def take(self, sentences: Sequence[Sentence]) -> SourcePredictions:
        """See `SourceStream`."""
        taken, self._rest = split_predictions(self._rest, len(sentences))
        return taken

    def finish(self) -> None:
        """See `SourceStream`."""


class StreamedPredictions:
    """Predictions in a Parquet file, converted and checked as the text is read."""

    def __init__(self, source: Source):
        """Opens the file, and reads it once to recognise its tagging scheme."""
        self._source = source
        self._stream = ParquetStream(source.path)
        self._scheme = scheme_of_parquet(source.path)
        self._about: Mapping[str, Any] = {}
        self._given: set[str] = set()
        self._num_sentences = self._num_words = 0

    def take(self, sentences: Sequence[Sentence]) -> SourcePredictions:
        """See `SourceStream`.

        Raises:
          InputError: The words differ from the text's, or the file ends before it.
        """
        read, path = self._stream.take(len(sentences)), self._source.path
        check_same_words(read.words, sentences, path, self._num_sentences + 1)
        self._num_sentences += len(read.words)
        if len(read.words) < len(sentences):
            raise InputError(
                f"{path}: {self._num_sentences} sentences where the text has more; {REMEDY}"
            )
        made = converted(self._source, read._replace(about={}), self._scheme)
        self._about = joined_about([about for about in (self._about, made.about) if about])
        self._num_words += len(made.labels)
        self._given |= {made.label_names[i] for i in np.unique(made.labels[made.labels >= 0])}
        return with_silence(made) if self._source.sparse else made

    def finish(self) -> None:
        """Logs how the labels were read.

        Raises:
          InputError: The file has more sentences than the text.
        """
        if len(self._stream.take(1).words):
            raise InputError(
                f"{self._source.path}: more than {self._num_sentences} sentences where the text "
                f"has {self._num_sentences}; {REMEDY}"
            )
        head = converted(self._source, self._stream.head, self._scheme)
        read = head._replace(about={**head.about, **self._about})
        log_reading(self._source, read, self._num_words, self._given)


def streams_of(sources: Mapping[str, Any]) -> dict[str, SourceStream] | None:
    """Opens sources of a learned label model whose predictions need not be in memory as a whole.

    Args:
      sources: Paths or `Source`s, by name.

    Returns:
      A stream for each source; None unless they `can_stream`.

    Raises:
      InputError: A file is not a file of predictions.
    """
    if not can_stream(sources):
        return None
    return {
        name: StreamedPredictions(source._replace(learned=True))
        for name, source in _named(sources).items()
    }


def can_stream(sources: Mapping[str, Any]) -> bool:
    """Whether each source is one Parquet file without a label map."""
    named = _named(sources).values()
    return len(named) == len(sources) and all(
        os.path.isfile(source.path)
        and format_of(source.path) == "parquet"
        and source.label_map is None
        for source in named
    )


def _named(sources: Mapping[str, Any]) -> dict[str, Source]:
    """Those that are paths, as `Source`s."""
    return {
        name: given if isinstance(given, Source) else Source(name, os.fspath(given))
        for name, given in sources.items()
        if isinstance(given, Source | str | os.PathLike)
    }
