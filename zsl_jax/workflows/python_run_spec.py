"""The specification of a run that was started from Python: its settings and digests of its data."""

import dataclasses
import hashlib
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.io.run_folder import RunSpec
from zsl_jax.training.config import TrainConfig
from zsl_jax.types import Sentence
from zsl_jax.workflows.sources import fingerprint


def python_run_spec(
    config: TrainConfig,
    encoder: str | os.PathLike[str],
    texts: Mapping[str, Sequence[Sentence]],
    predictions: Mapping[str, SourcePredictions] | None = None,
    gold_words: Sequence[SourcePredictions] = (),
    **settings: Any,
) -> RunSpec:
    """Returns the specification by which an interrupted run is recognised.

    Args:
      config: All settings.
      encoder: Folder or hub name of the encoder.
      texts: The texts, by the names of their arguments.
      predictions: The sources' predictions for the text, by source. Checkpoints number the sources
        in this order, which is part of the specification.
      gold_words: The labels that the user knows, shard by shard.
      settings: Settings besides the configuration, by name.
    """
    data = {name: digest_of_text(sentences) for name, sentences in texts.items()}
    for name, of_source in (predictions or {}).items():
        data[f"source {name}"] = digest_of_predictions(of_source)
    if predictions is not None:
        settings["sources"] = list(predictions)
    for number, known in enumerate(gold_words):
        data[f"gold words {number}"] = digest_of_predictions(known)
    models = {"encoder": fingerprint(os.fspath(encoder))}
    return RunSpec({"config": dataclasses.asdict(config), **settings}, config.seed, data, models)


def digest_of_text(sentences: Sequence[Sentence]) -> str:
    """Returns a digest of the words and labels, in hexadecimal.

    >>> texts = [("a", "b"), None], [("a", "b"), ("X", "Y")], [("a",), None]
    >>> len({digest_of_text([Sentence(*text)]) for text in texts})
    3
    """
    rows = ("\t".join((*s.words, "", *(s.labels or ()))) for s in sentences)
    return hashlib.sha256("\n".join(rows).encode("utf-8")).hexdigest()


def digest_of_predictions(predictions: SourcePredictions) -> str:
    """Returns a digest of the labels and probabilities, and of what the labels may mean."""
    digest = hashlib.sha256("\t".join(predictions.label_names).encode("utf-8"))
    digest.update(repr(sorted(predictions.sets.items())).encode("utf-8"))
    digest.update(np.ascontiguousarray(predictions.labels).tobytes())
    if predictions.probs is not None:
        digest.update(np.ascontiguousarray(predictions.probs).tobytes())
    return digest.hexdigest()
