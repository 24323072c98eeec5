"""Scores of predicted against gold labels: accuracy, entity F1 (strict and conlleval), per label.

0 / 0 is 0.0 throughout, without warnings: no predicted entity means precision 0.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from zsl_jax.errors import InputError
from zsl_jax.evaluation.counts import Labels, Score, check_lengths, ratio, score_counts
from zsl_jax.evaluation.entities import EntityScores, entity_f1_conlleval, entity_f1_strict
from zsl_jax.labels import is_bio

__all__ = [
    "TASKS",
    "EntityScores",
    "Score",
    "accuracy",
    "entity_f1_conlleval",
    "entity_f1_strict",
    "format_scores",
    "label_scores",
    "score",
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
      "precision", "recall", "f1" and "support".

    Raises:
      InputError: If the two differ in their numbers of sentences or words, or entities are to be
        scored that gold labels do not spell.
    """
    if task not in (None, *TASKS):
        raise InputError(f"There is no task {task!r}; choose one of {', '.join(TASKS)}.")
    gold_labels = {label for labels in gold for label in labels}
    if task is None:
        task = "ner" if is_bio(gold_labels) else "plain"
    scores: dict[str, Any] = {
        "task": task,
        "sentences": len(gold),
        "words": sum(map(len, gold)),
        "accuracy": accuracy(gold, predicted),
    }
    if task != "ner":
        per_label = {name: s._asdict() for name, s in label_scores(gold, predicted).items()}
        return {"score": scores["accuracy"], **scores, "per_label": per_label}
    other = sorted(label for label in gold_labels if not is_bio([label]))
    if other:
        raise InputError(
            f'The gold label {other[0]!r} is neither O nor B-TYPE nor I-TYPE; use the task "plain" '
            "or correct the column."
        )
    for name, evaluate in (("strict", entity_f1_strict), ("conlleval", entity_f1_conlleval)):
        found = evaluate(gold, predicted)
        scores[f"f1_{name}"] = found.overall.f1
        scores[name] = {
            "overall": found.overall._asdict(),
            "per_type": {kind: s._asdict() for kind, s in found.per_type.items()},
        }
    return {"score": scores["f1_strict"], **scores}


def format_scores(scores: dict[str, Any]) -> str:
    """A text table of what `score` returns, in percent.

    Args:
      scores: As `score` returns them.

    Returns:
      Lines without a line break at the end.
    """
    head = f"{scores['words']:,} words in {scores['sentences']:,} sentences"
    lines = [head, f"accuracy {100 * scores['accuracy']:.2f}"]
    if scores["task"] == "ner":
        for name, title in (("strict", "entities, strict"), ("conlleval", "entities, conlleval")):
            rows = {"all": scores[name]["overall"], **scores[name]["per_type"]}
            lines += ["", *_table(title, rows)]
    else:
        lines += ["", *_table("label", scores["per_label"])]
    return "\n".join(lines)


def _table(title: str, rows: dict[str, dict[str, Any]]) -> list[str]:
    """One line a row, numbers in percent."""
    width = max(map(len, [title, *rows]))
    lines = [f"{title:<{width}}  precision   recall       F1   support"]
    for name, row in rows.items():
        numbers = (
            f"{100 * row['precision']:>9.2f}{100 * row['recall']:>9.2f}{100 * row['f1']:>9.2f}"
        )
        lines.append(f"{name:<{width}}  {numbers}{row['support']:>10,}")
    return lines


def _num_equal(gold: Sequence[str], predicted: Sequence[str]) -> int:
    return sum(true == guess for true, guess in zip(gold, predicted, strict=True))
