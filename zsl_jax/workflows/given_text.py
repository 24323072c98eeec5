"""Text as Python users give it: lists of words or the path of a file, labelled or not."""

import contextlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zsl_jax.buckets import local_copy, path_text
from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.data.predictions.to_bio import bio_sentences
from zsl_jax.data.shards import Shard
from zsl_jax.data.text.checks import checked_label
from zsl_jax.data.text.compact_text import CompactText
from zsl_jax.data.text.files import find_files
from zsl_jax.data.text.read_options import Reading
from zsl_jax.data.text.readers import read_sentences, stream_sentences
from zsl_jax.data.text_shard import TextShard, shard_of_text
from zsl_jax.errors import InputError
from zsl_jax.io.bucket_copies import fetched
from zsl_jax.io.output_checks import check_is_not_input, check_may_start
from zsl_jax.types import Sentence
from zsl_jax.workflows.function_source import predictions_of_lists
from zsl_jax.workflows.tagged_sentence import TaggedSentence
from zsl_jax.workflows.tagger import as_sentences

PathLike = str | os.PathLike[str]
Text = PathLike | Iterable[Sequence[str]]
LabelledSentences = PathLike | Iterable[tuple[Sequence[str], Sequence[str]]]
KnownLabels = PathLike | Iterable[tuple[Sequence[str], Sequence[Any]]]
_SETTINGS = re.compile(rf"`({'|'.join(['column', *Reading.__annotations__])})`")


def plain_text(text: Text) -> TextShard:
    """Returns a text without labels, with the sentences of each of its files.

    Raises:
      InputError: There are no words, or one cannot be written.
    """
    if not isinstance(text, str | os.PathLike):
        sentences = CompactText.of(as_sentences(text))
        _check_has_words(sentences, "text")
        return TextShard(sentences)
    files = find_files(fetched(text))
    with _settings_explained("read_sentences(FILE, with_labels=False, ...)"):
        by_file = [CompactText.of(stream_sentences(file, with_labels=False)) for file in files]
    return shard_of_text(by_file, Shard(tuple(range(len(files))), 0, 1), len(files))


def check_output(
    output: PathLike,
    overwrite: bool,
    inputs: Mapping[str, object],
    more: Iterable[tuple[str, PathLike]] = (),
) -> None:
    """Refuses an output that is an input, or in which no run can start.

    Args:
      output: The run's folder.
      overwrite: Whether a finished run in it is to be replaced.
      inputs: What is read, by the names of the arguments; paths are compared.
      more: Further paths, each with what names it.

    Raises:
      InputError: It is such a folder or not a path, or `overwrite` is not True or False.
    """
    folder = path_text(output, "`output`")
    check_switch("overwrite", overwrite)
    paths = [
        (f"`{name}`", fetched(given))
        for name, given in inputs.items()
        if isinstance(given, str | os.PathLike)
    ]
    check_is_not_input(local_copy(folder), [*paths, *more])
    check_may_start(folder, overwrite)


def check_switch(name: str, value: object) -> None:
    """Refuses what is neither True nor False, such as the path of a report for `report`.

    Raises:
      InputError: It is something else.
    """
    if not isinstance(value, bool | np.bool_):
        raise InputError(f"`{name}`={value!r:.80} must be True or False; correct it")


def check_folders(**folders: object) -> None:
    """Refuses folders, by the names of the arguments, that are neither paths nor None.

    Raises:
      InputError: One is something else, or a file is in its place.
    """
    for name, given in folders.items():
        if given is None:
            continue
        folder = Path(path_text(given, f"`{name}`"))
        for path in (folder, *folder.parents):
            if os.path.exists(path) and not os.path.isdir(path):
                raise InputError(
                    f"`{name}`={folder} cannot be a folder, since {path} is a file; give another"
                )


@contextlib.contextmanager
def _settings_explained(instead: str) -> Iterator[None]:
    """Adds to errors that name settings of the reader how to give these in Python.

    Args:
      instead: The expression to give instead of the path.

    Raises:
      InputError: The error, explained.
    """
    try:
        yield
    except InputError as error:
        if not _SETTINGS.search(str(error)):
            raise
        raise InputError(
            f"{error} (in Python a setting of zsl_jax.data.text.readers.read_sentences; instead of "
            f"the path, give {instead})"
        ) from error


def _check_has_words(sentences: Iterable[Sentence], name: str) -> None:
    if not any(sentence.words for sentence in sentences):
        raise InputError(f"`{name}` has no words; give at least one sentence as a list of words")


def labelled_sentences(text: LabelledSentences, name: str) -> tuple[list[Sentence], dict[str, Any]]:
    """Labelled sentences in BIO, or with their plain labels, and how these were read.

    Args:
      text: (words, labels) of each sentence, sentences that have labels, or the path of a labelled
        text.
      name: The argument's name, for error messages.

    Returns:
      The sentences, and what `bio_sentences` found, for result.json.

    Raises:
      InputError: There are no words, a sentence has another number of labels than words, or labels
        of no scheme.
    """
    if isinstance(text, str | os.PathLike):
        with _settings_explained("read_sentences(FILE, ...)"):
            labelled = [s for s in read_sentences(fetched(text)) if s.labels is not None]
    else:
        labelled = _paired(_pairs_of(text, name), name)
    return bio_sentences(labelled, name)


def known_labels(given: KnownLabels, name: str) -> str | SourcePredictions:
    """Labels that the user knows, or the path of the file that has them.

    Args:
      given: The path of a file, or a pair per sentence: its words, with a label for each (None if
        unknown) or with its entities as (first word, end, type).
      name: The argument's name, for error messages.

    Raises:
      InputError: There are no words or no labels, or the labels do not match the words.
    """
    if isinstance(given, str | os.PathLike):
        return fetched(given)
    pairs = _pairs_of(given, name)
    words = tuple(sentence.words for sentence in _sentences_of(pairs, name))
    known = predictions_of_lists([labels for _, labels in pairs], words, name)
    if not (known.labels >= 0).any():
        raise InputError(f"`{name}` has no labels; give the label of at least one word")
    return known


def _pairs_of(given: Iterable[Any], name: str) -> list[Any]:
    """The words and labels of sentences, and everything else as it is.

    Sentences without labels, such as those out of scope in SemEval, are left out, as from a file.

    Raises:
      InputError: There are sentences, and none of them has labels.
    """
    if not isinstance(given, Iterable):
        raise InputError(
            f"`{name}`={given!r:.80} is neither a path nor sentences; give a list of "
            "(words, labels)"
        )
    every = list(given)
    pairs = [
        (one.words, one.labels) if isinstance(one, Sentence | TaggedSentence) else one
        for one in every
        if not isinstance(one, Sentence) or one.labels is not None
    ]
    if every and not pairs:
        raise InputError(
            f"none of the sentences of `{name}` has labels; read them with labels, or give "
            "(words, labels)"
        )
    return pairs


def _paired(pairs: Sequence[tuple[Sequence[str], Sequence[str]]], name: str) -> list[Sentence]:
    sentences = _sentences_of(pairs, name)
    labels = [labels for _, labels in pairs]
    return [
        sentence._replace(labels=_checked_labels(f"{name}, sentence {number}", sentence, own))
        for number, (sentence, own) in enumerate(zip(sentences, labels, strict=True), start=1)
    ]


def _sentences_of(pairs: Sequence[Any], name: str) -> Sequence[Sentence]:
    for number, pair in enumerate(pairs, start=1):
        if not _is_list(pair) or len(pair) != 2 or not _is_list(pair[1]):
            raise InputError(
                f"{name}, sentence {number}: {pair!r:.80} is not a pair of words and labels; give "
                "(words, labels), each a list of strings"
            )
    sentences = as_sentences([words for words, _ in pairs])
    _check_has_words(sentences, name)
    return sentences


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence | np.ndarray) and not isinstance(value, str)


def _checked_labels(where: str, sentence: Sentence, labels: Sequence[str]) -> tuple[str, ...]:
    if len(sentence.words) != len(labels):
        raise InputError(
            f"{where}: {len(sentence.words)} words and {len(labels)} labels; give one label for "
            "each word"
        )
    pairs = zip(labels, sentence.words, strict=True)
    return tuple(checked_label(where, label, word, allow_missing=False) for label, word in pairs)
