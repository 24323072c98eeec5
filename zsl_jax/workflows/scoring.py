"""Scores on a labelled test: of every source, of their aggregations, and of what was trained."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from absl import logging

from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.data.predictions.votes import source_votes
from zsl_jax.labels import LabelSet, label_kinds, listed
from zsl_jax.training.config import TransferConfig
from zsl_jax.types import Sentence, SourceVotes
from zsl_jax.workflows.approaches import TrainedTarget, posterior_of
from zsl_jax.workflows.frozen_cache import SharedLayers, text_log_probs
from zsl_jax.workflows.label_decoding import AUTO, decode
from zsl_jax.workflows.labelled_text import LabelledText
from zsl_jax.workflows.result_table import (
    LearnedFromText,
    Row,
    baseline_rows,
    fit_aggregations,
    score_ids,
)
from zsl_jax.workflows.source_annotation import abstaining
from zsl_jax.workflows.transfer_task import TransferTask
from zsl_jax.workflows.unseen_labels import with_unseen_labels


class TestSet(NamedTuple):
    """Labelled text for the table; only scores are computed from its labels.

    Attributes:
      gold: The labelled sentences.
      votes: The sources' predictions for them; -1 where a source has none.
      task: Which score counts: "pos", "ner", "plain", or None to infer it from the labels.
    """

    gold: Sequence[Sentence]
    votes: SourceVotes
    task: str | None


def prepare_test(
    transfer_task: TransferTask,
    gold: Sequence[Sentence],
    predictions: Mapping[str, SourcePredictions],
    task: str | None,
) -> TestSet:
    """The test text with the predictions of the sources; those without any for it abstain."""
    _warn_of_other_labels(gold, transfer_task.label_set)
    found = []
    for name in transfer_task.names:
        if name not in predictions:
            found.append(abstaining(gold, transfer_task.label_set))
            continue
        found.append(with_unseen_labels(predictions[name], transfer_task.source_labels, name))
    return TestSet(
        gold, source_votes(found, transfer_task.source_labels, transfer_task.names), task
    )


def _warn_of_other_labels(gold: Sequence[Sentence], label_set: LabelSet) -> None:
    """Warns of labels of the test that the target lacks, on which every row is wrong."""
    own = label_kinds(name for sentence in gold for name in sentence.labels or ())
    others = own - label_kinds(label_set.names)
    if others:
        logging.warning(
            "`test` has the labels %s, which no source gives, so that every row is wrong there; if "
            "they are the target's (%s) in another spelling, write both in one",
            listed(others),
            listed(label_kinds(label_set.names)),
        )


def baselines(
    transfer_task: TransferTask,
    test: TestSet,
    decoding: str = AUTO,
    aggregations: Mapping[str, LearnedFromText] | None = None,
) -> list[Row]:
    """The rows that need no training: each source, and the methods that combine them.

    Args:
      transfer_task: The task that all approaches share.
      test: What is scored.
      decoding: Of the chain, see `label_decoding.decoding_of`.
      aggregations: From `fit_aggregations`, which all processes call; None in a single process.
    """
    return baseline_rows(
        transfer_task.names,
        aggregations or fit_aggregations(transfer_task.text, transfer_task.label_set),
        test.votes,
        transfer_task.label_set,
        test.gold,
        test.task,
        decoding,
    )


def label_test(
    transfer_task: TransferTask,
    done: TrainedTarget,
    test: TestSet,
    config: TransferConfig,
    decoding: str = AUTO,
    shared: SharedLayers | None = None,
) -> dict[str, LabelledText]:
    """The test with labels by "P", the tagger alone, and by "Q" where there is a φ and a vote.

    `shared` layers run once for the taggers of all runs.
    """
    log_probs = text_log_probs(done.tagger, test.gold, config.row_length, shared)
    label_set, words = transfer_task.label_set, [sentence.words for sentence in test.gold]
    probs = np.exp(log_probs)
    plain = [sentence._replace(labels=None) for sentence in test.gold]
    tables = {"P": (decode(probs, label_set, words, done.decoding(decoding, "P")), probs)}
    if done.log_confusion is not None and (test.votes.labels >= 0).any():
        tables["Q"] = posterior_of(done, log_probs, test.votes, plain, config, decoding)
    return {
        kind: LabelledText(plain, label_set.names, labels, probs)
        for kind, (labels, probs) in tables.items()
    }


def labelled_rows(
    labelled: Mapping[str, LabelledText], test: TestSet, title: str, decoding: str = AUTO
) -> list[Row]:
    """The rows of labels from `label_test`, with the decoding where it was chosen."""
    rows = []
    for kind, text in labelled.items():
        scores = score_ids(text.labels, LabelSet(text.label_names), test.gold, test.task)
        rows.append(Row(title, kind if decoding == AUTO else f"{kind} {decoding}", scores))
    return rows
