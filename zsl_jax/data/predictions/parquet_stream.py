"""Predictions in a Parquet file, some sentences at a time, in constant memory."""

import os
from collections.abc import Iterator

from zsl_jax.data.predictions.parquet_reader import parquet_head, stream_parquet
from zsl_jax.data.predictions.prediction_files import agreed_abstentions
from zsl_jax.data.predictions.sharded_predictions import concatenate
from zsl_jax.data.predictions.source_predictions import SourcePredictions, split_predictions
from zsl_jax.data.predictions.to_bio import spelled_predictions
from zsl_jax.labels import TaggingScheme, label_parts, recognise_blocks, sentence_starts


class ParquetStream:
    """Predictions as `read_predictions` reads them, taken in blocks of any size.

    Attributes:
      head: The predictions without their sentences: label names and `about`.
    """

    def __init__(self, path: str | os.PathLike[str]):
        """Opens a file.

        Raises:
          InputError: It is not a file of predictions.
        """
        self.head = parquet_head(path)
        self._blocks: Iterator[SourcePredictions] = stream_parquet(path)
        self._rest: SourcePredictions | None = None

    def take(self, num_sentences: int) -> SourcePredictions:
        """The predictions for the next sentences; for fewer where the file ends."""
        parts = [self.head._replace(about={})]
        while num_sentences > 0:
            block = self._rest if self._rest is not None else next(self._blocks, None)
            if block is None:
                break
            first, rest = split_predictions(block, num_sentences)
            self._rest = rest if len(rest.words) else None
            num_sentences -= len(first.words)
            parts.append(first)
        return agreed_abstentions(concatenate(parts))._replace(about=self.head.about)


def scheme_of_parquet(path: str | os.PathLike[str]) -> TaggingScheme:
    """The tagging scheme of all labels in a file of predictions; reads the file once."""
    names = spelled_predictions(parquet_head(path)).label_names
    blocks = map(agreed_abstentions, stream_parquet(path))
    ids_and_starts = (
        (block.labels, sentence_starts([len(words) for words in block.words])) for block in blocks
    )
    return recognise_blocks(label_parts(names), ids_and_starts)
