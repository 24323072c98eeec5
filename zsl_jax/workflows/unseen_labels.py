"""Sources' labels for a new text that no source gave in training."""

import numpy as np
from absl import logging

from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.errors import InputError
from zsl_jax.labels import SourceLabels


def with_unseen_labels(
    predictions: SourcePredictions, source_labels: SourceLabels, name: str
) -> SourcePredictions:
    """A source's predictions for a new text, without labels that were unknown in training.

    The source abstains where it gives one, and a line in the log says how often. Of probabilities,
    those of known labels stay and are made to sum to 1 again.

    Args:
      predictions: What the source says about the new text.
      source_labels: The labels that were known in training.
      name: The source's name.

    Raises:
      InputError: None of the source's labels is known.
    """
    names = np.array(predictions.label_names)
    known = np.isin(names, source_labels.names)
    if known.all():
        return predictions
    if not known.any():
        raise InputError(
            f"the source {name} has the labels {', '.join(names)}, and none of them was known in "
            f"training ({', '.join(source_labels.names)}); check that it is the right source"
        )
    places = np.append(np.where(known, np.cumsum(known) - 1, -1), -1).astype(np.int32)
    labels, probs = places[predictions.labels], predictions.probs
    lost = (labels < 0) & (predictions.labels >= 0)
    if lost.any():
        used = ", ".join(names[np.unique(predictions.labels[lost])])
        message = "the source %s abstains from %d words: no source gave %s in training"
        logging.warning(message, name, lost.sum(), used)
    if probs is not None:
        probs = np.where((labels >= 0)[:, None], probs[:, known], 0).astype(np.float32)
        totals = probs.sum(axis=1)
        labels = np.where(totals > 0, labels, np.int32(-1))
        probs = (probs / np.where(totals > 0, totals, 1)[:, None]).astype(np.float16)
    own = tuple(names[known].tolist())
    return predictions._replace(label_names=own, labels=labels, probs=probs)
