"""Checks for diverged training before a model is written, on values that no update checks."""

import dataclasses
from typing import Any

import numpy as np

from zsl_jax.errors import InputError
from zsl_jax.training import steps
from zsl_jax.training.records import RoundRecord
from zsl_jax.training.setup import Training

_LOWER = "lower `learning_rate` or `head_learning_rate`; no model is written"


def check_objective(record: RoundRecord) -> None:
    """Checks J of an E step, including the last one.

    Raises:
      InputError: J is not finite; the message names the cause.
    """
    result = record.expectation
    if np.isfinite(result.objective):
        return
    problem = f"the training diverged: J of round {record.round} is {result.objective}"
    if np.isnan(result.log_confusion).any():
        raise InputError(
            f"{problem}, since probabilities of a confusion matrix are not numbers; lower "
            "`confusion_learning_rate`; no model is written"
        )
    raise InputError(f"{problem}, since probabilities of the tagger are not numbers; {_LOWER}")


def check_tagger(training: Training, params: dict[str, Any]) -> None:
    """Checks the tagger after the last update, on the first batch of its text.

    Args:
      training: The training that produced the tagger.
      params: The trained parameters, on the host.

    Raises:
      InputError: A probability is not a number.
    """
    settings, devices = training.settings, training.devices.local
    batch = training.corpus.in_order[0]
    encoder = dataclasses.replace(
        settings.encoder, dropout=0.0, attention_dropout=0.0, head_dropout=0.0
    )
    params = devices.replicate(params)
    values = steps.log_prior(
        devices, encoder, settings.num_labels, settings.dtype, params=params, batch=batch
    )
    found = devices.join(values)
    if np.isnan(found[batch.word_ids >= 0]).any():
        raise InputError(
            "the training diverged: after its last update, probabilities of the tagger are not "
            f"numbers; {_LOWER}"
        )
