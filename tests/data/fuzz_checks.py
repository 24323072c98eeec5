"""What holds of text and predictions whenever a reader does not refuse a file."""

from pathlib import Path
from typing import Any

import numpy as np

from tests.fuzzing import read_or_refuse
from zsl_jax.data.predictions.prediction_files import read_predictions
from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.data.text.checks import UNWRITABLE
from zsl_jax.data.text.readers import read_sentences
from zsl_jax.types import Sentence

# Formats with lists of words, which may be empty.
LISTS = ("datasets", "jsonl", "parquet")


def check_sentences(sentences: list[Sentence], with_labels: bool, format: str | None) -> None:
    """Checks that the text has words, and that every word can be written and has a label."""
    assert not sentences or any(sentence.words for sentence in sentences)
    for sentence in sentences:
        assert sentence.words or format in LISTS
        for word in sentence.words:
            assert isinstance(word, str) and word.strip(" ") and not UNWRITABLE.search(word)
        if with_labels and "# OutOfScope = TRUE" not in sentence.comments:
            assert len(sentence.labels) == len(sentence.words)
            assert all(isinstance(label, str) and label for label in sentence.labels)
        else:
            assert sentence.labels is None
        if sentence.text is not None:
            places = zip(sentence.starts, sentence.words, strict=True)
            assert all(sentence.text[start:].startswith(word) for start, word in places)


def check_text(path: Path, data: bytes, with_labels: bool, **options: Any) -> list[Sentence] | None:
    """The sentences of a file, checked; None if it is refused."""
    path.write_bytes(data)
    column = options.pop("column", None)
    sentences = read_or_refuse(
        lambda path: read_sentences(path, column, with_labels, **options), path
    )
    check_sentences(sentences or [], with_labels, options.get("format"))
    return sentences


def check_predictions(
    path: Path, data: bytes, text: list[Sentence] | None = None, offsets: str | None = None
) -> SourcePredictions | None:
    """The predictions of a file, checked; None if it is refused."""
    path.write_bytes(data)
    predictions = read_or_refuse(lambda path: read_predictions(path, text, offsets=offsets), path)
    if predictions is None:
        return None
    num_words = sum(map(len, predictions.words))
    size = len(predictions.label_names)
    assert all(isinstance(word, str) for sentence in predictions.words for word in sentence)
    assert predictions.labels.shape == (num_words,) and predictions.labels.dtype == np.int32
    assert (predictions.labels >= -1).all() and (predictions.labels < size).all()
    if predictions.probs is not None:
        assert predictions.probs.shape == (num_words, size)
        assert predictions.probs.dtype == np.float16 and (predictions.probs >= 0).all()
        totals = predictions.probs.astype(np.float32).sum(axis=1)
        np.testing.assert_array_less(np.abs(totals - (predictions.labels >= 0)), 0.02)
    return predictions
