"""The sentences with most expected errors, word by word with the labels of each source."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from zsl_jax.data.predictions.label_table import SOURCE
from zsl_jax.labels import OUTSIDE
from zsl_jax.report.doubtful_sentences import Excerpt
from zsl_jax.report.text_statistics import TextStatistics

MOST_WORDS = 60  # of a sentence
MOST_SHOWN = 5  # labels of a distribution
LEAST_SHOWN = 0.01
MOST_LETTERS = 160  # of a word
NUM_TINTS = 10
SURE = 0.9


def sentences_section(text: TextStatistics) -> dict[str, Any]:
    """The doubtful sentences for the template, and the data behind their words."""
    sources = text.sources
    tints = _tints(text)
    sentences = [_sentence(text, excerpt, sources, tints) for excerpt in text.doubtful]
    data = [sentence.pop("data") for sentence in sentences]
    occurring = sorted({label for one in data for word in one for label in (word[0], *word[2])})
    shown = [label for label in occurring if label >= 0]
    return {
        "sentences": sentences,
        "labels": [(label, text.label_names[label]) for label in shown],
        "sources": [text.columns[n].removeprefix(SOURCE) for n in sources],
        "data": {
            "labels": list(text.label_names),
            "sources": [text.columns[n].removeprefix(SOURCE) for n in sources],
            "reference": text.columns[0],
            "sentences": data,
        },
        "reference": text.columns[0],
    }


def _tints(text: TextStatistics) -> dict[int, int]:
    """A background for each label, from 1; labels of one entity type share one, O has none."""
    types: dict[str, int] = {}
    tints = {}
    for label in np.argsort(-text.counts[0], kind="stable").tolist():
        name = text.label_names[label]
        if name == OUTSIDE:
            tints[label] = 0
            continue
        kind = name.split("-", 1)[-1] if text.has_entities else name
        tints[label] = 1 + types.setdefault(kind, len(types)) % NUM_TINTS
    return tints


def _sentence(
    text: TextStatistics, excerpt: Excerpt, sources: Sequence[int], tints: dict[int, int]
) -> dict[str, Any]:
    """One sentence, cut around its most doubtful word if it is very long."""
    doubt = 1 - excerpt.probs.max(axis=1)
    worst = int(doubt.argmax())
    first = max(0, min(worst - MOST_WORDS // 2, len(excerpt.words) - MOST_WORDS))
    rows = range(first, min(first + MOST_WORDS, len(excerpt.words)))
    words = []
    for row in rows:
        label = int(excerpt.ids[row, 0])
        best = float(excerpt.probs[row].max())
        words.append(
            {
                "text": shortened(excerpt.words[row]),
                "label": text.label_names[label] if label >= 0 else "",
                "tint": tints.get(label, 0),
                "outside": text.label_names[label] == OUTSIDE,
                "percent": None if best >= SURE else f"{100 * best:.0f}",
                "first": row == worst,
            }
        )
    return {
        "number": excerpt.number,
        "errors": excerpt.expected_errors,
        "num_words": len(excerpt.words),
        "words": words,
        "cut_before": first,
        "cut_after": len(excerpt.words) - rows.stop,
        "data": [_word(excerpt, row, sources) for row in rows],
    }


def _word(excerpt: Excerpt, row: int, sources: Sequence[int]) -> list[Any]:
    """[label, [[label, percent], ...], [label of each source]] of one word."""
    probs = excerpt.probs[row]
    best = [int(label) for label in np.argsort(-probs, kind="stable")[:MOST_SHOWN]]
    shown = [[label, round(100 * float(probs[label]), 1)] for label in best]
    likely = [pair for pair in shown if pair[1] >= 100 * LEAST_SHOWN]
    return [int(excerpt.ids[row, 0]), likely, excerpt.ids[row, list(sources)].tolist()]


def shortened(word: str) -> str:
    """A word as the page can show it; with a note on what is left out of a very long one.

    >>> shortened("a" * 1000)[158:]
    'aa… (1,000 characters)'
    """
    if len(word) <= MOST_LETTERS:
        return word
    return f"{word[:MOST_LETTERS]}… ({len(word):,} characters)"
