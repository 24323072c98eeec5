"""What tensors that do not fit a tagger are, as far as their names tell, and what helps."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from zsl_jax.models.huggingface_names import PREFIXES

_SHOWN = 6  # names in a message
_OTHER_TASKS = re.compile(r"For(SequenceClassification|QuestionAnswering|MultipleChoice)$")
_CRF = re.compile(r"(^|[._])crf[._]|(^|\.)(start_|end_)?transitions$")
_WORDS = "embeddings.word_embeddings.weight"
_SAME = "use config.json and weights of one and the same encoder or token classification model"
_PREDICTIONS = (
    "let the program it comes from label the text, and name its predictions as the source"
)


class Misfit(NamedTuple):
    """How the tensors of a checkpoint differ from those of a tagger; all names as in the file.

    Attributes:
      missing: Names without prefix.
      unexpected: Names.
      shapes: A phrase for each tensor of another shape.
    """

    missing: Sequence[str]
    unexpected: Sequence[str]
    shapes: Sequence[str]


def is_of_other_task(architectures: Sequence[str]) -> bool:
    """Whether config.json names a model whose head does not label words."""
    return any(map(_OTHER_TASKS.search, architectures))


def explanation(
    misfit: Misfit, tensors: Mapping[str, np.ndarray], architectures: Sequence[str]
) -> str:
    """What was found, what is missing, and the way out, in one sentence without its full stop.

    Args:
      misfit: The differences.
      tensors: All tensors of the checkpoint.
      architectures: As config.json has them.
    """
    found = _listed("unexpected", misfit.unexpected)
    if is_of_other_task(architectures):
        return (
            f"this is a {architectures[0]}, whose head does not label words; name a token "
            "classification model, or, to train one, the encoder that this model was made from"
        )
    wrapper = _wrapper(tensors)
    if wrapper is not None:
        return (
            f"the names of the tensors begin with {wrapper!r}, as a wrapper around the model wrote "
            "them; save the model inside the wrapper by its own save_pretrained, or rename the "
            "tensors"
        )
    if any(map(_CRF.search, misfit.unexpected)):
        return f"the model has a CRF layer, which is not supported ({found}); {_PREDICTIONS}"
    if not misfit.shapes and not misfit.unexpected and misfit.missing == ["classifier.bias"]:
        size = len(tensors["classifier.weight"])
        return (
            "the head has no bias: classifier.weight is there, classifier.bias is missing; add a "
            f"classifier.bias of {size} zeros to the file, or train the head anew with one"
        )
    head = _other_head(misfit, tensors)
    if head is not None:
        return (
            f"the head is called {head!r} ({found}), not 'classifier'; if it is a linear layer "
            "over the last hidden states, rename its tensors to classifier.weight and "
            f"classifier.bias, else {_PREDICTIONS}"
        )
    if misfit.unexpected and not misfit.missing and not misfit.shapes:
        return f"the model has layers that a tagger here does not have ({found}); {_PREDICTIONS}"
    problems = [*filter(None, [_listed("missing", misfit.missing), found]), *misfit.shapes]
    return f"the tensors do not fit config.json: {'; '.join(problems)}; {_SAME}"


def _listed(word: str, names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return "; ".join(f"{word} {name}" for name in names[:_SHOWN]) + more


def _wrapper(tensors: Mapping[str, np.ndarray]) -> str | None:
    """What stands before the names of the encoder and should not."""
    for name in tensors:
        prefix = name.removesuffix(_WORDS)
        if prefix != name and prefix not in ("", *PREFIXES.values()):
            inner = next((p for p in PREFIXES.values() if prefix.endswith(f".{p}")), "")
            return prefix.removesuffix(inner)
    return None


def _other_head(misfit: Misfit, tensors: Mapping[str, np.ndarray]) -> str | None:
    """The name of a linear layer that may be the head, if it is all that does not fit."""
    heads = {name.rpartition(".")[0] for name in misfit.unexpected}
    if misfit.missing or misfit.shapes or len(heads) != 1 or "classifier.weight" in tensors:
        return None
    (head,) = heads
    return head if np.ndim(tensors.get(f"{head}.weight", 0)) == 2 else None
