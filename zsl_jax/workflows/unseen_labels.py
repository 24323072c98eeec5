"""Sources' labels for a new text that no source gave in training."""

from collections import Counter
from collections.abc import Mapping

import numpy as np
from absl import logging

from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.errors import InputError
from zsl_jax.labels import SourceLabels


def with_unseen_labels(
    predictions: SourcePredictions, source_labels: SourceLabels, name: str
) -> SourcePredictions:
    """A source's predictions for a new text, without labels that were not seen in training.

    As `without_unseen_labels`; a warning in the log reports how often the source abstains for them.
    """
    made, lost = without_unseen_labels(predictions, source_labels, name)
    warn_of_unseen_labels(name, lost)
    return made


def warn_of_unseen_labels(name: str, lost: Mapping[str, int]) -> None:
    """Warns of the words that lost a label, by label."""
    if lost:
        message = "the source %s abstains from %d words: no source gave %s in training"
        logging.warning(message, name, sum(lost.values()), ", ".join(sorted(lost)))


def without_unseen_labels(
    predictions: SourcePredictions, source_labels: SourceLabels, name: str
) -> tuple[SourcePredictions, Counter[str]]:
    """Removes labels that were not seen in training from the predictions for a new text.

    The source abstains where it gives one. Of probabilities, those of the other labels stay and are
    scaled to sum to 1.

    Args:
      predictions: The source's predictions for the new text.
      source_labels: The labels that were seen in training.
      name: The source's name.

    Returns:
      The predictions, and how many words lost each label.

    Raises:
      InputError: None of the source's labels was seen in training.
    """
    names = np.array(predictions.label_names)
    known = np.isin(names, source_labels.names)
    if known.all():
        return predictions, Counter()
    if not known.any():
        raise InputError(
            f"the source {name} has the labels {', '.join(names)}, and none of them was known in "
            f"training ({', '.join(source_labels.names)}); check that it is the right source"
        )
    places = np.append(np.where(known, np.cumsum(known) - 1, -1), -1).astype(np.int32)
    labels, probs = places[predictions.labels], predictions.probs
    lost = (labels < 0) & (predictions.labels >= 0)
    counts = Counter(names[predictions.labels[lost]].tolist())
    if probs is not None:
        probs = np.where((labels >= 0)[:, None], probs[:, known], 0).astype(np.float32)
        totals = probs.sum(axis=1)
        labels = np.where(totals > 0, labels, np.int32(-1))
        probs = (probs / np.where(totals > 0, totals, 1)[:, None]).astype(np.float16)
    own = tuple(names[known].tolist())
    return predictions._replace(label_names=own, labels=labels, probs=probs), counts
