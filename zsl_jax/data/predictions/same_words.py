"""The check that predictions were made for exactly the words of the text."""

import itertools
import unicodedata
from collections.abc import Sequence

from zsl_jax.data.predictions.source_predictions import (
    SourcePredictions,
)
from zsl_jax.data.text.compact_text import CompactText
from zsl_jax.data.text.wikiann import is_with_language
from zsl_jax.errors import InputError
from zsl_jax.types import Sentence

REMEDY = "predict exactly the words of the text"
WITHOUT_LANGUAGE = "take the language off its words (sed -E 's/^[a-z][a-z-]*://' FILE)"


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
            f"{REMEDY}"
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
    text_words = CompactText.of(sentences).words
    if predicted_words == text_words:
        return
    pairs = zip(predicted_words, text_words, strict=False)
    for number, (predicted, given) in enumerate(pairs, start=first_sentence):
        if tuple(predicted) == given:
            continue
        words = enumerate(itertools.zip_longest(predicted, given), start=1)
        place, (found, expected) = next((at, pair) for at, pair in words if pair[0] != pair[1])
        if found is None or expected is None:
            raise InputError(
                f"{where}, sentence {number}: {len(predicted)} words where the text has "
                f"{len(given)}, from word {place} ({found or expected!r}) on; {REMEDY}"
            )
        same = unicodedata.normalize("NFC", found) == unicodedata.normalize("NFC", expected)
        how = " in another Unicode normalisation" if same else ""
        remedy = WITHOUT_LANGUAGE if is_with_language(found, expected) else REMEDY
        raise InputError(
            f"{where}, sentence {number}, word {place}: {found!r} where the text has "
            f"{expected!r}{how}; {remedy}"
        )
