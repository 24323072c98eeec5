"""Text as Python users give it: lists of words or the path of a file, labelled or not."""

import os
from collections.abc import Iterable, Sequence

from zsl_jax.data.predictions.to_bio import bio_sentences
from zsl_jax.data.text.readers import read_sentences
from zsl_jax.errors import InputError
from zsl_jax.io.bucket_copies import fetched
from zsl_jax.types import Sentence
from zsl_jax.workflows.tagger import as_sentences

PathLike = str | os.PathLike[str]
Text = PathLike | Iterable[Sequence[str]]
LabelledSentences = PathLike | Iterable[tuple[Sequence[str], Sequence[str]]]


def plain_sentences(text: Text) -> list[Sentence]:
    """Returns sentences of words, without labels."""
    if not isinstance(text, str | os.PathLike):
        return as_sentences(text)
    return read_sentences(fetched(text), with_labels=False)


def labelled_sentences(text: LabelledSentences, name: str) -> list[Sentence]:
    """Labelled sentences in BIO, or with their plain labels.

    Args:
      text: (words, labels) of each sentence, or the path of a labelled text.
      name: The argument's name, for error messages.

    Raises:
      InputError: A sentence has another number of labels than words, or labels of no scheme.
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
    sentences = as_sentences([words for words, _ in pairs])
    for number, (sentence, (_, labels)) in enumerate(zip(sentences, pairs, strict=True), start=1):
        if len(sentence.words) != len(labels):
            raise InputError(
                f"{name}, sentence {number}: {len(sentence.words)} words and {len(labels)} labels; "
                "give one label for each word"
            )
    return [
        sentence._replace(labels=tuple(labels))
        for sentence, (_, labels) in zip(sentences, pairs, strict=True)
    ]
