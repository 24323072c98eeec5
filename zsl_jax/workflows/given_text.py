"""Text as Python users give it: lists of words or the path of a file, labelled or not."""

import os
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from zsl_jax.data.predictions.to_bio import bio_sentences
from zsl_jax.data.text.checks import checked_label
from zsl_jax.data.text.compact_text import CompactText
from zsl_jax.data.text.readers import read_sentences, stream_sentences
from zsl_jax.errors import InputError
from zsl_jax.io.bucket_copies import fetched
from zsl_jax.types import Sentence
from zsl_jax.workflows.tagger import as_sentences

PathLike = str | os.PathLike[str]
Text = PathLike | Iterable[Sequence[str]]
LabelledSentences = PathLike | Iterable[tuple[Sequence[str], Sequence[str]]]


def plain_sentences(text: Text) -> CompactText:
    """Returns sentences of words, without labels.

    Raises:
      InputError: There are no words, or one cannot be written.
    """
    if isinstance(text, str | os.PathLike):
        return CompactText.of(stream_sentences(fetched(text), with_labels=False))
    sentences = CompactText.of(as_sentences(text))
    _check_has_words(sentences, "text")
    return sentences


def _check_has_words(sentences: Iterable[Sentence], name: str) -> None:
    if not any(sentence.words for sentence in sentences):
        raise InputError(f"`{name}` has no words; give at least one sentence as a list of words")


def labelled_sentences(text: LabelledSentences, name: str) -> list[Sentence]:
    """Labelled sentences in BIO, or with their plain labels.

    Args:
      text: (words, labels) of each sentence, or the path of a labelled text.
      name: The argument's name, for error messages.

    Raises:
      InputError: There are no words, a sentence has another number of labels than words, or labels
        of no scheme.
    """
    if isinstance(text, str | os.PathLike):
        labelled = [s for s in read_sentences(fetched(text)) if s.labels is not None]
    else:
        labelled = _paired(list(text), name)
    try:
        return list(bio_sentences(labelled)[0])
    except InputError as error:
        raise InputError(f"{name}, {error}") from error


def _paired(pairs: Sequence[tuple[Sequence[str], Sequence[str]]], name: str) -> list[Sentence]:
    for number, pair in enumerate(pairs, start=1):
        if isinstance(pair, str | Mapping) or len(pair) != 2 or _is_no_list(pair[1]):
            raise InputError(
                f"{name}, sentence {number}: {pair!r:.80} is not a pair of words and labels; give "
                "(words, labels), each a list of strings"
            )
    sentences = as_sentences([words for words, _ in pairs])
    _check_has_words(sentences, name)
    labels = [labels for _, labels in pairs]
    return [
        sentence._replace(labels=_checked_labels(f"{name}, sentence {number}", sentence, own))
        for number, (sentence, own) in enumerate(zip(sentences, labels, strict=True), start=1)
    ]


def _is_no_list(labels: object) -> bool:
    return isinstance(labels, str) or not isinstance(labels, Sequence | np.ndarray)


def _checked_labels(where: str, sentence: Sentence, labels: Sequence[str]) -> tuple[str, ...]:
    if len(sentence.words) != len(labels):
        raise InputError(
            f"{where}: {len(sentence.words)} words and {len(labels)} labels; give one label for "
            "each word"
        )
    pairs = zip(labels, sentence.words, strict=True)
    return tuple(checked_label(where, label, word, allow_missing=False) for label, word in pairs)
