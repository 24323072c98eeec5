"""The store of source predictions: files in, votes on the flat axis of words out.

Parquet is the format of this project; CoNLL columns and JSON lines come from other taggers.
"""

import itertools
import os
import unicodedata
from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float

from zsl_jax.data.predictions.json_predictions import read_json_predictions
from zsl_jax.data.predictions.memmap import to_memmap
from zsl_jax.data.predictions.parquet_reader import read_parquet
from zsl_jax.data.predictions.parquet_writer import write_prediction_blocks, write_predictions
from zsl_jax.data.predictions.source_predictions import (
    CHECKED_AT_ONCE,
    SourcePredictions,
    check_probs,
    joined_about,
    one_hot_rows,
)
from zsl_jax.data.predictions.span_predictions import read_span_predictions
from zsl_jax.data.shards import Shard
from zsl_jax.data.text.checks import MISSING_LABEL
from zsl_jax.data.text.files import look_ahead, read_lines
from zsl_jax.data.text.formats import FIRST_LINES, format_of, format_of_lines
from zsl_jax.data.text.json_lines import read_objects
from zsl_jax.data.text.json_spans import has_spans
from zsl_jax.data.text.readers import read_sentences
from zsl_jax.errors import InputError
from zsl_jax.labels import LabelSet, SourceLabels
from zsl_jax.types import Sentence, SourceVotes

__all__ = [
    "SourcePredictions",
    "agreed_abstentions",
    "check_same_words",
    "check_words",
    "concatenate",
    "read_predictions",
    "select_sentences",
    "source_votes",
    "write_prediction_blocks",
    "write_predictions",
]

REMEDY = "predict the very words of the text again"


def read_predictions(
    path: str | os.PathLike[str],
    text: Sequence[Sentence] | None = None,
    folder: str | os.PathLike[str] | None = None,
    offsets: str | None = None,
) -> SourcePredictions:
    """Reads the predictions of one source, in the format given by the file's name.

    `.parquet` is what `write_predictions` writes, `.jsonl` is described at
    `read_json_predictions` (words) and `read_span_predictions` (character spans), and all else are
    columns as `read_sentences` reads them (labels only). A label need not be the most probable one
    of its word. A source abstains where its label is null (JSON, Parquet), empty or "_" (columns),
    or where all its probabilities are zero; who abstains in one abstains in both.

    Args:
      path: The file; JSON lines and columns may be compressed (.gz).
      text: The text that was predicted; character spans are brought onto its words. The words of
        other files are for `check_words` to compare.
      folder: Where probabilities from Parquet go while they are needed (see `to_memmap`); None
        keeps them in memory.
      offsets: What the places of character spans count, see `read_span_predictions`.

    Returns:
      The predictions, checked.

    Raises:
      InputError: If there is no such file, its contents contradict themselves, or it has character
        spans and there is no text.
    """
    name = os.fspath(path)
    if not os.path.isfile(path):
        raise InputError(f"There is no file {name} of predictions; correct the path.")
    if name.endswith(".parquet"):
        return agreed_abstentions(read_parquet(name, folder))
    format = _format(name)
    if format == "jsonl":
        if has_spans(next(read_objects(name), ("", {}))[1]):
            return read_span_predictions(name, text, offsets)
        return agreed_abstentions(read_json_predictions(name))
    return _from_sentences(read_sentences(name, allow_missing=True, format=format))


def _format(name: str) -> str:
    """The format of a file of predictions; they have labels, so it is not plain text."""
    format = format_of(name)
    if format in ("conll", "txt"):
        first, _ = look_ahead(read_lines(name, None, streamed=True), FIRST_LINES)
        format = format_of_lines("conll", first, name)
    return format


def agreed_abstentions(predictions: SourcePredictions) -> SourcePredictions:
    """Makes a source that abstains in its label or in its probabilities abstain in both."""
    labels, probs = predictions.labels, predictions.probs
    if probs is None:
        return predictions
    silent = ~probs.any(axis=1)
    if (silent == (labels < 0)).all():
        return predictions
    return predictions._replace(
        labels=np.where(silent, np.int32(-1), labels),
        probs=np.where((labels < 0)[:, None], np.float16(0), probs),
    )


def _from_sentences(sentences: Sequence[Sentence]) -> SourcePredictions:
    """Predictions from labelled sentences; the label names are those that occur."""
    labels = [label for sentence in sentences for label in sentence.labels or ()]
    label_set = LabelSet.from_labels([set(labels) - {MISSING_LABEL}])
    ids = label_set.ids | {MISSING_LABEL: -1}
    return SourcePredictions(
        label_names=label_set.names,
        labels=np.array([ids[label] for label in labels], dtype=np.int32),
        probs=None,
        words=tuple(sentence.words for sentence in sentences),
    )


def concatenate(shards: Sequence[SourcePredictions]) -> SourcePredictions:
    """The predictions of one source for several texts, as for one text after the other.

    Args:
      shards: At least one; their label names may differ.

    Returns:
      Predictions with the label names of all. If some have probabilities, the labels of the others
      count as certain.
    """
    if len(shards) == 1:
        return shards[0]
    names = tuple(dict.fromkeys(name for shard in shards for name in shard.label_names))
    place = {name: label for label, name in enumerate(names)}
    soft = any(shard.probs is not None for shard in shards)
    labels, probs = [], []
    for shard in shards:
        columns = np.array([place[name] for name in shard.label_names], np.int32)
        labels.append(np.append(columns, np.int32(-1))[shard.labels])
        if shard.probs is not None:
            table = np.zeros((len(shard.labels), len(names)), np.float16)
            table[:, columns] = shard.probs
            probs.append(table)
        elif soft:
            probs.append(one_hot_rows(labels[-1], len(names)))
    words = tuple(sentence for shard in shards for sentence in shard.words)
    return SourcePredictions(
        label_names=names,
        labels=np.concatenate(labels),
        probs=np.concatenate(probs) if soft else None,
        words=words,
        about=joined_about([shard.about for shard in shards]),
    )


def select_sentences(
    predictions: SourcePredictions, shard: Shard, sampled: Sequence[int] | None = None
) -> SourcePredictions:
    """The predictions for the sentences of a shard; counts of the whole stay with the first shard.

    Args:
      predictions: For all sentences of the shard's files.
      shard: Which of the sentences.
      sampled: Places of those of which the shard is one; None if it is one of all.
    """
    if shard.step == 1 and sampled is None:
        return predictions
    chosen = shard.of_sentences(range(len(predictions.words)) if sampled is None else sampled)
    sentence_of = np.repeat(
        np.arange(len(predictions.words)), [len(words) for words in predictions.words]
    )
    places = np.flatnonzero(np.isin(sentence_of, chosen))
    about = predictions.about.items()
    return predictions._replace(
        labels=predictions.labels[places],
        probs=None if predictions.probs is None else predictions.probs[places],
        words=tuple(predictions.words[i] for i in chosen),
        about={key: value for key, value in about if not shard.first or type(value) is not int},
    )


def check_words(predictions: SourcePredictions, sentences: Sequence[Sentence], where: str) -> None:
    """Checks that predictions were made for exactly these sentences.

    Args:
      predictions: A source's predictions.
      sentences: The text.
      where: The file of the predictions, for the error message.

    Raises:
      InputError: At the first difference; the message names the sentence and the two words.
    """
    check_same_words(predictions.words, sentences, where)
    if len(predictions.words) != len(sentences):
        raise InputError(
            f"{where}: {len(predictions.words)} sentences where the text has {len(sentences)}; "
            f"{REMEDY}."
        )


def check_same_words(
    predicted_words: Sequence[Sequence[str]],
    sentences: Sequence[Sentence],
    where: str,
    first_sentence: int = 1,
) -> None:
    """Checks that predictions have the words of the text, as far as both go.

    Args:
      predicted_words: The words of each sentence of the predictions.
      sentences: The text.
      where: The file of the predictions, for the error message.
      first_sentence: The number of the first sentence in that file.

    Raises:
      InputError: At the first difference, as `check_words`.
    """
    pairs = zip(predicted_words, sentences, strict=False)
    for number, (predicted, sentence) in enumerate(pairs, start=first_sentence):
        if tuple(predicted) == sentence.words:
            continue
        words = enumerate(itertools.zip_longest(predicted, sentence.words), start=1)
        place, (found, expected) = next((at, pair) for at, pair in words if pair[0] != pair[1])
        if found is None or expected is None:
            raise InputError(
                f"{where}, sentence {number}: {len(predicted)} words where the text has "
                f"{len(sentence.words)}, from word {place} ({found or expected!r}) on; {REMEDY}."
            )
        same = unicodedata.normalize("NFC", found) == unicodedata.normalize("NFC", expected)
        how = " in another Unicode normalisation" if same else ""
        raise InputError(
            f"{where}, sentence {number}, word {place}: {found!r} where the text has "
            f"{expected!r}{how}; {REMEDY}."
        )


def source_votes(
    predictions: Sequence[SourcePredictions],
    source_labels: SourceLabels,
    names: Sequence[str],
    folder: str | os.PathLike[str] | None = None,
    soft: bool | None = None,
) -> SourceVotes:
    """Brings the predictions of all sources for one text into one alphabet.

    Args:
      predictions: U sources, each for the same N words (see `check_words`).
      source_labels: The V labels that sources give.
      names: The U sources' names, for the error messages.
      folder: Where the probabilities go while they are needed (see `to_memmap`); None keeps them
        in memory.
      soft: Whether probabilities are wanted; by default, if any source has them.

    Returns:
      labels [N, U] int32; probs [N, U, V] float16, columns in the alphabet's order, rows that sum
      to 1 or are zero where a source abstains, one-hot for sources that give labels only, None if
      none are wanted; and what each source's labels may mean.

    Raises:
      InputError: If a source has a label that the alphabet lacks, another number of words than the
        first source, or probabilities that do not form a distribution.
    """
    num_words = len(predictions[0].labels)
    labels = np.empty((num_words, len(predictions)), dtype=np.int32)
    columns = []
    for place, (source, name) in enumerate(zip(predictions, names, strict=True)):
        if len(source.labels) != num_words:
            raise InputError(
                f"The source {name} has {len(source.labels)} words, but {names[0]} has "
                f"{num_words}; let all sources predict the same text."
            )
        columns.append(source_labels.encode(source.label_names, where=f"The source {name}"))
        labels[:, place] = np.append(columns[-1], np.int32(-1))[source.labels]
        if source.probs is not None:
            check_probs(source.probs, source.words, f"The source {name}")
    probs = None
    if any(source.probs is not None for source in predictions) if soft is None else soft:
        blocks = _normalised(predictions, columns, source_labels.size)
        probs = to_memmap(blocks, (len(predictions), source_labels.size), folder)
    compatible = np.stack([source_labels.compatible(source.label_names) for source in predictions])
    return SourceVotes(
        labels, probs, compatible, source_labels.first_targets, silent=source_labels.silent
    )


def _normalised(
    predictions: Sequence[SourcePredictions], columns: Sequence[np.ndarray], num_source_labels: int
) -> Iterator[Float[np.ndarray, "C U V"]]:
    """Blocks of all sources' rows, made to sum to 1, in the columns of the alphabet."""
    num_words = len(predictions[0].labels)
    for start in range(0, num_words, CHECKED_AT_ONCE):
        rows = slice(start, min(start + CHECKED_AT_ONCE, num_words))
        block = np.zeros((rows.stop - start, len(predictions), num_source_labels), np.float16)
        for place, source in enumerate(predictions):
            if source.probs is None:
                block[:, place, columns[place]] = one_hot_rows(
                    source.labels[rows], len(columns[place])
                )
                continue
            probs = source.probs[rows].astype(np.float32)
            totals = probs.sum(axis=1)
            says = (source.labels[rows] >= 0) & (totals > 0)
            scale = np.where(says, 1 / np.where(says, totals, 1), 0)
            block[:, place, columns[place]] = probs * scale[:, None]
        yield block
