"""The table that stands at the end of a run: every baseline beside what was trained."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from zsl_jax import kernels
from zsl_jax.evaluation import bootstrap, metrics
from zsl_jax.labels import LabelSet
from zsl_jax.types import Sentence, SourceVotes
from zsl_jax.workflows.approaches import TransferCorpus, fitted_chain
from zsl_jax.workflows.chain_model import ChainModel, aggregate_with_text
from zsl_jax.workflows.label_decoding import AUTO
from zsl_jax.workflows.labelled_text import labels_by_sentence
from zsl_jax.workflows.loaded_tagger import gold_labels
from zsl_jax.workflows.vote_aggregation import (
    FITTED,
    METHODS,
    TEXT_METHODS,
    Aggregated,
    aggregate_votes,
    as_target_labels,
    fit_to_votes,
)

# What a method to aggregate votes learns from a text; None for a method that learns nothing.
LearnedFromText = ChainModel | kernels.DawidSkene | None
BY_Q = (
    "label by Q, which needs the sources' predictions (predict with them), or by the "
    "label model alone (aggregate)"
)
RESAMPLING = bootstrap.Resampling(num_resamples=1000)  # of the test's sentences


class Row(NamedTuple):
    """One line of the table.

    Attributes:
      name: Of the source, method or approach.
      labels_from: "source", "votes", "P" (the tagger alone) or "Q" (tagger and sources), with the
        decoding after it, such as "Q viterbi", where one was chosen.
      scores: As `evaluation.metrics.score` gives them, and the "interval" of the score.
    """

    name: str
    labels_from: str
    scores: dict[str, Any]


def kind_of(labels_from: str) -> str:
    """What a row's labels are from, without a decoding.

    >>> kind_of("Q viterbi"), kind_of("votes")
    ('Q', 'votes')
    """
    return labels_from.partition(" ")[0]


def score_ids(
    ids: np.ndarray, label_set: LabelSet, gold: Sequence[Sentence], task: str | None
) -> dict[str, Any]:
    """Scores of label ids on the flat axis of words, with an "interval" of the one that counts.

    A word without label counts as wrong.
    """
    predicted = labels_by_sentence(label_set.names, [sentence.words for sentence in gold], ids)
    wanted = gold_labels(gold, "the test")
    scores = metrics.score(wanted, predicted, task)
    counts = metrics.sentence_counts(wanted, predicted, task)
    resampled = bootstrap.resampled_scores(counts[None], RESAMPLING)[0]
    found = bootstrap.percentile_interval(scores["score"], resampled, RESAMPLING.confidence)
    return {**scores, "interval": [found.low, found.high]}


def learned_from_text(method: str, text: TransferCorpus, label_set: LabelSet) -> LearnedFromText:
    """What a method to aggregate votes learns from the text of all processes, which all call it.

    Args:
      method: One of `vote_aggregation.AGGREGATIONS`.
      text: This process's part, with the sources' votes.
      label_set: The target's labels.
    """
    if method in TEXT_METHODS:
        return fitted_chain(text, label_set)
    return fit_to_votes(text.votes, label_set.size, method) if method in FITTED else None


def fit_aggregations(text: TransferCorpus, label_set: LabelSet) -> dict[str, LearnedFromText]:
    """What each aggregation of the table learns from a text; all processes call it."""
    learned = {method: learned_from_text(method, text, label_set) for method in METHODS}
    return learned | dict.fromkeys(TEXT_METHODS, learned_from_text("chain", text, label_set))


def baseline_rows(
    names: Sequence[str],
    aggregations: Mapping[str, LearnedFromText],
    test_votes: SourceVotes,
    label_set: LabelSet,
    gold: Sequence[Sentence],
    task: str | None,
    decoding: str = AUTO,
) -> list[Row]:
    """Every source by itself, and the aggregations, from `fit_aggregations`.

    A source without predictions for the test has no row; without any there are no aggregations.
    """
    rows = []
    own = as_target_labels(test_votes._replace(probs=None), label_set.size).labels
    for column, name in enumerate(names):
        ids = own[:, column]
        if (ids >= 0).any():
            rows.append(Row(name, "source", score_ids(ids, label_set, gold, task)))
    for method, learned in aggregations.items() if rows else ():
        made = aggregate_test(method, learned, test_votes, label_set, gold, decoding)
        rows.append(Row(method, "votes", score_ids(made.labels, label_set, gold, task)))
    return rows


def aggregate_test(
    method: str,
    learned: LearnedFromText,
    test_votes: SourceVotes,
    label_set: LabelSet,
    gold: Sequence[Sentence],
    decoding: str = AUTO,
) -> Aggregated:
    """Labels of a test by an aggregation that was fitted to the text.

    Args:
      method: Its name.
      learned: From `learned_from_text`.
      test_votes: The sources' votes for the test.
      label_set: The target's labels.
      gold: The test, of which only words are used.
      decoding: Of the chain, see `label_decoding.decoding_of`.
    """
    if isinstance(learned, ChainModel):
        return aggregate_with_text(test_votes, gold, label_set, method, learned, decoding)
    return aggregate_votes(test_votes, label_set.size, method, learned)


def format_table(rows: Sequence[Row]) -> str:
    """The rows as text, percentages with two digits."""
    width = max([len(row.name) for row in rows] + [len("method")])
    entities = any("f1_strict" in row.scores for row in rows)
    columns = [("accuracy", "accuracy")]
    if entities:
        columns += [("f1_strict", "F1 strict"), ("f1_conlleval", "F1 conlleval")]
    head = f"{'method':<{width}}  {'labels from':<11}" + "".join(f"{t:>14}" for _, t in columns)
    lines = [head, "-" * len(head)]
    for row in rows:
        cells = "".join(f"{100 * row.scores[key]:>14.2f}" for key, _ in columns)
        lines.append(f"{row.name:<{width}}  {row.labels_from:<11}{cells}")
    return "\n".join(lines)


def verdict(rows: Sequence[Row]) -> str:
    """States whether Q, and the tagger alone, are better than everything that needs no training.

    Args:
      rows: Of a table; the last one is what was trained, by Q if it has one, with P before it.

    Returns:
      A sentence, with the score that counts of every row that is not beaten; where the tagger alone
      (P) does not beat what Q beats, also what to do.

    >>> rows = [Row("mean", "votes", {"score": 0.7}), Row("lvm", "P", {"score": 0.65})]
    >>> verdict(rows)
    'lvm (P, 65.00) does not beat mean (votes, 70.00)'
    >>> verdict([*rows, Row("lvm", "Q", {"score": 0.6})])
    'lvm (Q, 60.00; P, 65.00) does not beat mean (votes, 70.00)'
    >>> verdict(rows[1:])
    'lvm (P, 65.00) is compared with nothing: no source has predictions for the test'
    """
    tagger, trained = _tagger_alone(rows), rows[-1]
    others = [row for row in rows if row.labels_from in ("source", "votes")]
    both = _titled(trained) if tagger is None else f"{trained.name} ({_scored(trained, tagger)})"
    if not others:
        return f"{both} is compared with nothing: no source has predictions for the test"
    outcome = _outcome(trained, others)
    if tagger is None or _outcome(tagger, others) == outcome:
        return f"{both} {outcome}"
    sentence = f"{_titled(trained)} {outcome}; its tagger alone ({_scored(tagger)}) "
    sentence += _outcome(tagger, others)
    if tagger.scores["score"] > trained.scores["score"]:
        return sentence
    return f"{sentence}: {BY_Q}"


def _tagger_alone(rows: Sequence[Row]) -> Row | None:
    """The row of P before a last one of Q, if both are of the same training."""
    *_, tagger, trained = (None, *rows)
    if tagger is None or tagger.name != trained.name:
        return None
    kinds = [kind_of(row.labels_from) for row in (tagger, trained)]
    return tagger if kinds == ["P", "Q"] else None


def _outcome(trained: Row, others: Sequence[Row]) -> str:
    unbeaten = [row for row in others if row.scores["score"] >= trained.scores["score"]]
    if not unbeaten:
        return "beats every source and every aggregation of them"
    return f"does not beat {', '.join(map(_titled, unbeaten))}"


def _titled(row: Row) -> str:
    return f"{row.name} ({_scored(row)})"


def _scored(*rows: Row) -> str:
    return "; ".join(f"{row.labels_from}, {100 * row.scores['score']:.2f}" for row in rows)
