"""One source's predictions for several files of a text, and those for a shard of it."""

from collections.abc import Sequence

import numpy as np

from zsl_jax.data.predictions.source_predictions import (
    SourcePredictions,
    joined_about,
    one_hot_rows,
)
from zsl_jax.data.shards import Shard
from zsl_jax.data.text.compact_text import CompactWords


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
    return SourcePredictions(
        label_names=names,
        labels=np.concatenate(labels),
        probs=np.concatenate(probs) if soft else None,
        words=CompactWords.joined(CompactWords.of(shard.words) for shard in shards),
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
    words = CompactWords.of(predictions.words)
    chosen = shard.of_sentences(range(len(words)) if sampled is None else sampled)
    sentence_of = np.repeat(np.arange(len(words)), words.lengths)
    places = np.flatnonzero(np.isin(sentence_of, chosen))
    about = predictions.about.items()
    return predictions._replace(
        labels=predictions.labels[places],
        probs=None if predictions.probs is None else predictions.probs[places],
        words=words.take(chosen),
        about={key: value for key, value in about if not shard.first or type(value) is not int},
    )
