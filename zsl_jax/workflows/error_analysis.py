"""Analysis of a labelled test besides its scores: calibration, confusions, origins of errors."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from zsl_jax.evaluation.calibration import calibration
from zsl_jax.evaluation.confusions import label_confusions
from zsl_jax.workflows.labelled_text import LabelledText, labels_by_sentence
from zsl_jax.workflows.loaded_tagger import gold_labels
from zsl_jax.workflows.scoring import TestSet
from zsl_jax.workflows.vote_aggregation import as_target_labels

NUM_CONFUSIONS = 12
NUM_EXAMPLES = 10
CONTEXT = 6  # words on each side of an error


def error_analysis(texts: Mapping[str, LabelledText], test: TestSet) -> dict[str, Any]:
    """The labels of a test beside its gold, in plain numbers, for the run's record.

    Args:
      texts: The test with its labels by "P", and by "Q" if it has one; the last one is examined.
      test: With the gold labels and the sources' predictions.

    Returns:
      "labels_from" of the last text; its "confusions"; "calibration" by the texts' names; "errors":
      its "wrong" words of all "words", and by kind ("no_source" makes the error, "all_sources" do)
      their number and examples.
    """
    kind, last = list(texts.items())[-1]
    names = last.label_names
    gold = gold_labels(test.gold, "`test`")
    ids = {name: label for label, name in enumerate(names)}
    true = np.array([ids.get(label, len(names)) for labels in gold for label in labels])
    predicted = labels_by_sentence(names, [s.words for s in test.gold], last.labels)
    confusions = label_confusions(gold, predicted)[:NUM_CONFUSIONS]
    return {
        "labels_from": kind,
        "confusions": [found._asdict() for found in confusions],
        "calibration": {name: _calibration(text, true) for name, text in texts.items()},
        "errors": _errors(last, test, true),
    }


def _calibration(text: LabelledText, true: Int[np.ndarray, " N"]) -> dict[str, Any]:
    given = np.take_along_axis(text.probs, text.labels[:, None].astype(np.int64), axis=1)[:, 0]
    found = calibration(given.astype(np.float64), text.labels == true)
    return {"bins": [part._asdict() for part in found.bins], "error": found.error}


def _errors(text: LabelledText, test: TestSet, true: Int[np.ndarray, " N"]) -> dict[str, Any]:
    """Whose errors the wrong labels are: of words on which at least one source votes."""
    own = as_target_labels(test.votes._replace(probs=None), len(text.label_names)).labels
    voted = own >= 0
    right = voted & (own == true[:, None])
    wrong = text.labels != true
    kinds = {
        "no_source": wrong & voted.any(axis=1) & (right == voted).all(axis=1),
        "all_sources": wrong & voted.any(axis=1) & ~right.any(axis=1),
    }
    found: dict[str, Any] = {"words": len(true), "wrong": int(wrong.sum())}
    for kind, rows in kinds.items():
        found[kind] = {"count": int(rows.sum()), "examples": _examples(text, test, rows)}
    return found


def _examples(
    text: LabelledText, test: TestSet, rows: Bool[np.ndarray, " N"]
) -> list[dict[str, Any]]:
    """The first words of some, each with those around it."""
    lengths = [len(sentence.words) for sentence in test.gold]
    ends = np.cumsum([0, *lengths])
    examples = []
    for row in np.flatnonzero(rows)[:NUM_EXAMPLES].tolist():
        number = int(np.searchsorted(ends, row, side="right")) - 1
        place, sentence = row - int(ends[number]), test.gold[number]
        examples.append(
            {
                "sentence": number + 1,
                **_around(sentence.words, place),
                "gold": (sentence.labels or ())[place],
                "predicted": text.label_names[text.labels[row]],
            }
        )
    return examples


def _around(words: Sequence[str], place: int) -> dict[str, Any]:
    return {
        "before": words[max(place - CONTEXT, 0) : place],
        "word": words[place],
        "after": words[place + 1 : place + 1 + CONTEXT],
    }
