"""The label model alone, fitted to one text and scored on another."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.data.predictions.votes import source_votes
from zsl_jax.evaluation import metrics
from zsl_jax.labels import LabelSet, common_source_labels
from zsl_jax.training.config import ChainConfig
from zsl_jax.types import Sentence
from zsl_jax.workflows import chain_model
from zsl_jax.workflows.labelled_text import labels_by_sentence
from zsl_jax.workflows.loaded_tagger import gold_labels
from zsl_jax.workflows.result_table import score_ids
from zsl_jax.workflows.vote_aggregation import aggregate_votes

METHODS = ("mean", "chain")


class Cell(NamedTuple):
    """Texts and predictions of one target and seed.

    Attributes:
      text: The text that the label model is fitted to.
      test: The labelled test.
      votes: Predictions for the text and for the test.
      label_set: The labels.
    """

    text: Sequence[Sentence]
    test: Sequence[Sentence]
    votes: Sequence[Any]
    label_set: LabelSet


def cell_of(
    texts: Sequence[Sequence[Sentence]],
    predictions: Sequence[Sequence[SourcePredictions]],
    names: Sequence[str],
) -> Cell:
    """Returns the cell of a text and a test, with the sources' predictions for each."""
    labels = common_source_labels([p.label_names for part in predictions for p in part], {})
    votes = [source_votes(part, labels, names) for part in predictions]
    return Cell(texts[0], texts[1], votes, labels.label_set)


def score_of_labels(cell: Cell, ids: np.ndarray, task: str | None) -> float:
    """The score of label ids of the test's words, in percent: F1 of conlleval for entities."""
    words = [sentence.words for sentence in cell.test]
    predicted = labels_by_sentence(cell.label_set.names, words, ids)
    scores = metrics.score(gold_labels(cell.test, "the test"), predicted, task)
    return 100 * scores.get("f1_conlleval", scores["score"])


def both_scores(
    cell: Cell, text: Sequence[Sentence], votes: Sequence, task: str | None
) -> tuple[float, float]:
    """The test's scores by the mean and by the chain fitted to the first sentences of the text.

    Args:
      cell: Texts and labels.
      text: The first sentences of the cell's text, or all.
      votes: For all of the cell's text, and for its test.
      task: As for `launch.transfer`.

    Returns:
      By each of `METHODS`, in percent.
    """
    words = chain_model.text_words([text], cell.label_set)
    count = int(words.lengths.sum())
    arrays = {name: getattr(votes[0], name) for name in ("labels", "probs")}
    own = votes[0]._replace(**{n: None if a is None else a[:count] for n, a in arrays.items()})
    config = ChainConfig()
    fitted = chain_model.fit_chain_model(own, words, cell.label_set, config, "soft").fitted
    model = chain_model.ChainModel(config, fitted, words.types.names)
    chain = chain_model.aggregate_with_text(votes[1], cell.test, cell.label_set, "chain", model)
    mean = aggregate_votes(votes[1], cell.label_set.size, "mean").labels
    of_mean, of_chain = (
        100 * score_ids(ids, cell.label_set, cell.test, task)["score"]
        for ids in (mean, chain.labels)
    )
    return of_mean, of_chain
