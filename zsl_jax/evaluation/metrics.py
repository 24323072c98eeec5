"""Scores of predicted against gold labels: accuracy, entity F1 (strict and conlleval), per label.

0 / 0 is 0.0 throughout, without warnings: without predicted entities, precision is 0.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Int

from zsl_jax.errors import InputError
from zsl_jax.evaluation.entity_scores import (
    EntityScores,
    conlleval_spans,
    entity_counts,
    entity_f1_conlleval,
    entity_f1_strict,
    repaired_labels,
    strict_spans,
    unreadable_labels,
)
from zsl_jax.evaluation.precision_recall import Labels, Score, check_lengths, ratio, score_counts
from zsl_jax.labels import is_bio

__all__ = [
    "TASKS",
    "EntityScores",
    "Score",
    "accuracy",
    "check_task",
    "entity_f1_conlleval",
    "entity_f1_strict",
    "label_scores",
    "score",
    "sentence_counts",
    "task_of",
]

TASKS = ("pos", "ner", "plain")
READINGS = {"strict": strict_spans, "conlleval": conlleval_spans}


def accuracy(gold: Labels, predicted: Labels) -> float:
    """Computes the share of words whose label is correct.

    Args:
      gold: The labels of each sentence.
      predicted: As `gold`.

    Returns:
      A number in [0, 1]; 0.0 if there are no words.

    Raises:
      InputError: The two differ in their numbers of sentences or words.
    """
    check_lengths(gold, predicted)
    correct = sum(map(_num_equal, gold, predicted))
    return ratio(correct, sum(map(len, gold)))


def label_scores(gold: Labels, predicted: Labels) -> dict[str, Score]:
    """Computes precision, recall and F1 of each label, word by word.

    Args:
      gold: The labels of each sentence.
      predicted: As `gold`.

    Returns:
      Scores by label, in alphabetical order, labels that were only predicted included.

    Raises:
      InputError: The two differ in their numbers of sentences or words.
    """
    check_lengths(gold, predicted)
    pairs = Counter(
        pair for words in zip(gold, predicted, strict=True) for pair in zip(*words, strict=True)
    )
    num_correct, num_predicted, num_gold = Counter[str](), Counter[str](), Counter[str]()
    for (true, guess), count in pairs.items():
        num_predicted[guess] += count
        num_gold[true] += count
        num_correct[true] += count * (true == guess)
    return {
        name: score_counts(num_correct[name], num_predicted[name], num_gold[name])
        for name in sorted(num_predicted | num_gold)
    }


def score(gold: Labels, predicted: Labels, task: str | None = None) -> dict[str, Any]:
    """Computes all scores of a prediction, as plain numbers for JSON.

    Args:
      gold: The labels of each sentence.
      predicted: As `gold`.
      task: "ner" scores entities, "pos" and "plain" score labels; None infers it from the gold
        labels.

    Returns:
      "score" (the main score: strict F1 for "ner", accuracy otherwise), "task", "sentences",
      "words" and "accuracy". With entities: "f1_strict" and "f1_conlleval", and under "strict" and
      "conlleval" {"overall": ..., "per_type": {...}}; otherwise "per_label". Each of these holds
      "precision", "recall", "f1" and "support". Labels that were reinterpreted are counted by
      label: I-X that start an entity only for conlleval ("repaired", in its "gold" and "predicted"
      labels), and predicted labels that are not BIO ("read_as_outside").

    Raises:
      InputError: The two differ in their numbers of sentences or words, or entities are to be
        scored although the gold labels are not BIO.
    """
    task = task_of(gold, task)
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
        entities = evaluate(gold, predicted)
        scores[f"f1_{name}"] = entities.overall.f1
        scores[name] = {
            "overall": entities.overall._asdict(),
            "per_type": {kind: s._asdict() for kind, s in entities.per_type.items()},
        }
    repaired = {"gold": repaired_labels(gold), "predicted": repaired_labels(predicted)}
    scores["conlleval"]["repaired"] = repaired
    scores["read_as_outside"] = unreadable_labels(predicted)
    return {"score": scores["f1_strict"], **scores}


def sentence_counts(
    gold: Labels, predicted: Labels, task: str | None = None, reading: str = "strict"
) -> Int[np.ndarray, "B 3"]:
    """Counts what the main score of `score` is computed from, sentence by sentence.

    Args:
      gold: The labels of each of B sentences.
      predicted: As `gold`.
      task: As for `score`.
      reading: Of entities: "strict", or "conlleval" for that F1.

    Returns:
      [B, 3], the numbers of correct, predicted and gold entities, or of correct, all and all words.
      The F1 (`score_counts`) of their sums over some sentences is the score of these sentences.

    Raises:
      InputError: As `score`.
    """
    if task_of(gold, task) == "ner":
        return entity_counts(gold, predicted, READINGS[reading])
    check_lengths(gold, predicted)
    lengths = [len(labels) for labels in gold]
    counts = zip(map(_num_equal, gold, predicted), lengths, lengths, strict=True)
    return np.array(list(counts), dtype=np.int64).reshape(-1, 3)


def check_task(task: str | None) -> None:
    """Refuses what is not a task; None is inferred from the labels.

    Raises:
      InputError: There is no such task.
    """
    if task not in (None, *TASKS):
        raise InputError(f"there is no task {task!r}; choose one of {', '.join(TASKS)}")


def task_of(gold: Labels, task: str | None) -> str:
    """Returns the task, inferred from and checked against the gold labels.

    Raises:
      InputError: There is no such task, or the labels are not its labels.
    """
    check_task(task)
    names = {label for labels in gold for label in labels}
    if task is None:
        return "ner" if is_bio(names) else "plain"
    other = sorted(name for name in names if not is_bio([name]))
    if task == "ner" and other:
        raise InputError(
            f'the gold label {other[0]!r} is neither O nor B-TYPE nor I-TYPE; use the task "plain" '
            "or correct the column"
        )
    return task


def _num_equal(gold: Sequence[str], predicted: Sequence[str]) -> int:
    return sum(true == guess for true, guess in zip(gold, predicted, strict=True))
