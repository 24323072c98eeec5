"""Diagnoses tensors that do not fit a tagger, by their names, and suggests a remedy."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

_SHOWN = 6  # names in a message
_OTHER_TASKS = re.compile(r"For(SequenceClassification|QuestionAnswering|MultipleChoice)$")
_CRF = re.compile(r"(^|[._])crf[._]|(^|\.)(start_|end_)?transitions$")
_SAME = "use config.json and weights of the same encoder or token classification model"
_PREDICTIONS = (
    "label the text with the program that the model comes from, and give those predictions as the "
    "source"
)


class Misfit(NamedTuple):
    """How the tensors of a checkpoint differ from those of a tagger.

    Attributes:
      missing: Names of missing tensors, without prefix.
      unexpected: Names of unexpected tensors, as in the file.
      shapes: A phrase for each tensor with a wrong shape.
    """

    missing: Sequence[str]
    unexpected: Sequence[str]
    shapes: Sequence[str]


def is_of_other_task(architectures: Sequence[str]) -> bool:
    """Whether config.json names a model whose head does not label words."""
    return any(map(_OTHER_TASKS.search, architectures))


def explanation(
    misfit: Misfit, tensors: Mapping[str, np.ndarray], architectures: Sequence[str], wrapper: str
) -> str:
    """Explains the misfit and the remedy in one sentence, without its full stop.

    Args:
      misfit: The differences.
      tensors: All tensors of the checkpoint.
      architectures: Class names of the model, as in config.json.
      wrapper: What precedes the encoder's names, is not the prefix of a family and does not
        precede all other names; empty if nothing does.
    """
    unexpected = _listed("unexpected", misfit.unexpected)
    if is_of_other_task(architectures):
        return (
            f"this is a {architectures[0]}, whose head does not label words; name a token "
            "classification model, or, to train one, the encoder that this model was made from"
        )
    if wrapper:
        return (
            f"the names of the encoder's tensors begin with {wrapper!r}, as written by a wrapper "
            "around it, and those of other tensors do not; save the inner model with its own "
            "save_pretrained, or rename the tensors"
        )
    if any(map(_CRF.search, misfit.unexpected)):
        return f"the model has a CRF layer, which is not supported ({unexpected}); {_PREDICTIONS}"
    if not misfit.shapes and not misfit.unexpected and misfit.missing == ["classifier.bias"]:
        size = len(tensors["classifier.weight"])
        return (
            "the head has no bias: classifier.weight is there, classifier.bias is missing; add a "
            f"classifier.bias of {size} zeros to the file, or retrain the head with one"
        )
    head = _other_head(misfit, tensors)
    if head is not None:
        return (
            f"the head is called {head!r} ({unexpected}), not 'classifier'; if it is a linear "
            "layer on the last hidden states, rename its tensors to classifier.weight and "
            f"classifier.bias, else {_PREDICTIONS}"
        )
    if misfit.unexpected and not misfit.missing and not misfit.shapes:
        return f"the model has layers that are not supported ({unexpected}); {_PREDICTIONS}"
    problems = [*filter(None, [_listed("missing", misfit.missing), unexpected]), *misfit.shapes]
    return f"the tensors do not fit config.json: {'; '.join(problems)}; {_SAME}"


def _listed(word: str, names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return "; ".join(f"{word} {name}" for name in names[:_SHOWN]) + more


def _other_head(misfit: Misfit, tensors: Mapping[str, np.ndarray]) -> str | None:
    """The name of a linear layer that may be the head, if nothing else is wrong."""
    heads = {name.rpartition(".")[0] for name in misfit.unexpected}
    if misfit.missing or misfit.shapes or len(heads) != 1 or "classifier.weight" in tensors:
        return None
    (head,) = heads
    return head if np.ndim(tensors.get(f"{head}.weight", 0)) == 2 else None
