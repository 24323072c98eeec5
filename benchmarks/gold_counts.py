"""The default label model with parts counted from the text's gold labels: bounds, not methods."""

from collections.abc import Collection, Sequence
from typing import Any
from unittest import mock

import numpy as np
from jaxtyping import Int

from zsl_jax import kernels
from zsl_jax.labels import LabelSet
from zsl_jax.training import chain_fit, chain_sources
from zsl_jax.training.chain_fit import chain_posterior
from zsl_jax.training.chain_inference import FittedChain, evidence
from zsl_jax.training.chain_rounds import fit_label_model
from zsl_jax.training.chain_text import ChainLabels, ChainText
from zsl_jax.training.config import ChainConfig
from zsl_jax.types import Sentence
from zsl_jax.workflows.loaded_tagger import gold_labels

TRANSITIONS, WORD_TYPES = "transitions", "word types"
# Besides the sources, which always are.
COUNTED = {
    "sources": (),
    "sources and chain": (TRANSITIONS,),
    "everything": (TRANSITIONS, WORD_TYPES),
}


def gold_ids(text: Sequence[Sentence], label_set: LabelSet) -> Int[np.ndarray, " N"]:
    """The label ids of a labelled text's words; -1 for labels that no source has."""
    ids = {name: number for number, name in enumerate(label_set.names)}
    labels = gold_labels(text, "the text")
    return np.array([ids.get(name, -1) for sentence in labels for name in sentence], np.int32)


def fit_to_gold(
    text: ChainText,
    labels: ChainLabels,
    config: ChainConfig,
    predictions: str,
    gold: Int[np.ndarray, " N"],
    counted: Collection[str],
) -> FittedChain:
    """Fits the label model with the sources, and the named parts, counted from gold labels.

    Args:
      text: As for `fit_label_model`.
      labels: As for `fit_label_model`.
      config: As for `fit_label_model`.
      predictions: As for `fit_label_model`.
      gold: Label of each word, or -1.
      counted: Some of `TRANSITIONS` and `WORD_TYPES`; the others are estimated as by default.
    """
    default = fit_label_model(text, labels, config, predictions).result.posterior
    with mock.patch.object(chain_fit, "recount_sources", _recounted):
        of_gold = fit_label_model(text._replace(gold=gold), labels, config, predictions).fitted
    scores = evidence(text, labels, of_gold.sources, config)
    state = chain_posterior(text, labels, config, scores, default).state
    if TRANSITIONS in counted:
        state = state._replace(start=of_gold.state.start, transitions=of_gold.state.transitions)
    if WORD_TYPES in counted:
        state = state._replace(type_counts=of_gold.state.type_counts, prior=of_gold.state.prior)
    return of_gold._replace(state=state)


def _recounted(*arguments: Any) -> tuple[kernels.SourceReliability, np.ndarray]:
    """As `recount_sources`, but with the confusion matrices counted from the posterior, too."""
    sources, kappa = chain_sources.recount_sources(*arguments)
    estimates = chain_sources.estimates_from_posterior(*arguments)
    return sources._replace(log_confusion=estimates.log_confusion), kappa
