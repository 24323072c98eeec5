"""Scores of predicted against gold labels: accuracy, entity F1 (strict and conlleval), per label.

0 / 0 is 0.0 throughout, without warnings: no predicted entity means precision 0.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Int

from zsl_jax.errors import InputError
from zsl_jax.evaluation.counts import Labels, Score, check_lengths, ratio, score_counts
from zsl_jax.evaluation.entity_scores import (
    EntityScores,
    entity_counts,
    entity_f1_conlleval,
    entity_f1_strict,
    repaired_labels,
    unreadable_labels,
)
from zsl_jax.labels import is_bio

__all__ = [
    "TASKS",
    "EntityScores",
    "Score",
    "accuracy",
    "entity_f1_conlleval",
    "entity_f1_strict",
    "label_scores",
    "score",
    "sentence_counts",
]

TASKS = ("pos", "ner", "plain")


def accuracy(gold: Labels, predicted: Labels) -> float:
    """The share of the words whose label is right.

    Args:
      gold: The labels of each sentence.
      predicted: As `gold`.

    Returns:
      A number in [0, 1]; 0.0 if there are no words.

    Raises:
      InputError: If the two differ in their numbers of sentences or words.
    """
    check_lengths(gold, predicted)
    right = sum(map(_num_equal, gold, predicted))
    return ratio(right, sum(map(len, gold)))


def label_scores(gold: Labels, predicted: Labels) -> dict[str, Score]:
    """Precision, recall and F1 of each label, word by word.

    Args:
      gold: The labels of each sentence.
      predicted: As `gold`.

    Returns:
      By label, in alphabetical order; also of labels that were only predicted.

    Raises:
      InputError: If the two differ in their numbers of sentences or words.
    """
    check_lengths(gold, predicted)
    pairs = Counter(
        pair for words in zip(gold, predicted, strict=True) for pair in zip(*words, strict=True)
    )
    right, given, wanted = Counter[str](), Counter[str](), Counter[str]()
    for (true, guess), count in pairs.items():
        given[guess] += count
        wanted[true] += count
        right[true] += count * (true == guess)
    return {
        name: score_counts(right[name], given[name], wanted[name])
        for name in sorted(given | wanted)
    }


def score(gold: Labels, predicted: Labels, task: str | None = None) -> dict[str, Any]:
    """All scores of a prediction, in plain numbers that JSON can hold.

    Args:
      gold: The labels of each sentence.
      predicted: As `gold`.
      task: "ner" scores entities, "pos" and "plain" score labels; None tells from the gold labels.

    Returns:
      "score" (the one that counts: strict F1 for "ner", accuracy otherwise), "task", "sentences",
      "words" and "accuracy". With entities: "f1_strict" and "f1_conlleval", and under "strict" and
      "conlleval" {"overall": ..., "per_type": {...}}; otherwise "per_label". Each of these holds
      "precision", "recall", "f1" and "support". What a reading made fit is counted by label: the
      I-X that start an entity in conlleval's only ("repaired" of its "gold" and "predicted"
      labels), and predicted labels that are no BIO ("read_as_outside").

    Raises:
      InputError: If the two differ in their numbers of sentences or words, or entities are to be
        scored that gold labels do not spell.
    """
    task = _task_of(gold, task)
    scores: dict[str, Any] = {
        "task": task,
        "sentences": len(gold),
        "words": sum(map(len, gold)),
        "accuracy": accuracy(gold, predicted),
    }
    if task != "ner":
        per_label = {name: s._asdict() for name, s in label_scores(gold, predicted).items()}
        return {"score": scores["accuracy"], **scores, "per_label": per_label}
    for name, evaluate in (("strict", entity_f1_strict), ("conlleval", entity_f1_conlleval)):
        found = evaluate(gold, predicted)
        scores[f"f1_{name}"] = found.overall.f1
        scores[name] = {
            "overall": found.overall._asdict(),
            "per_type": {kind: s._asdict() for kind, s in found.per_type.items()},
        }
    repaired = {"gold": repaired_labels(gold), "predicted": repaired_labels(predicted)}
    scores["conlleval"]["repaired"] = repaired
    scores["read_as_outside"] = unreadable_labels(predicted)
    return {"score": scores["f1_strict"], **scores}


def sentence_counts(
    gold: Labels, predicted: Labels, task: str | None = None
) -> Int[np.ndarray, "B 3"]:
    """What "score" of `score` is computed from, sentence by sentence.

    Args:
      gold: The labels of each of B sentences.
      predicted: As `gold`.
      task: As for `score`.

    Returns:
      [B, 3], the numbers of right, predicted and gold entities, or of right, all and all words. The
      F1 (`score_counts`) of their sums over some sentences is the score of these sentences.

    Raises:
      InputError: As `score`.
    """
    if _task_of(gold, task) == "ner":
        return entity_counts(gold, predicted)
    check_lengths(gold, predicted)
    lengths = [len(labels) for labels in gold]
    counts = zip(map(_num_equal, gold, predicted), lengths, lengths, strict=True)
    return np.array(list(counts), dtype=np.int64).reshape(-1, 3)


def _task_of(gold: Labels, task: str | None) -> str:
    """The task, found and checked by the gold labels."""
    if task not in (None, *TASKS):
        raise InputError(f"There is no task {task!r}; choose one of {', '.join(TASKS)}.")
    names = {label for labels in gold for label in labels}
    if task is None:
        return "ner" if is_bio(names) else "plain"
    other = sorted(name for name in names if not is_bio([name]))
    if task == "ner" and other:
        raise InputError(
            f'The gold label {other[0]!r} is neither O nor B-TYPE nor I-TYPE; use the task "plain" '
            "or correct the column."
        )
    return task


def _num_equal(gold: Sequence[str], predicted: Sequence[str]) -> int:
    return sum(true == guess for true, guess in zip(gold, predicted, strict=True))
