"""Drafts a label map where a source may have other names for the labels of the others."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from absl import logging
from jaxtyping import Int

from zsl_jax.labels import case_variants


class PredictedTypes(NamedTuple):
    """Each source's prediction for each word: the number of an entity type, -1 for none.

    Attributes:
      kinds: The entity types, or the labels where they are plain.
      numbers: [N] by source, the number of the kind of each word, -1 for none.
      entities: Whether the kinds are entity types.
    """

    kinds: tuple[str, ...]
    numbers: dict[str, Int[np.ndarray, " N"]]
    entities: bool = True


def warn_of_lone_types(
    name: str, lone: Sequence[str], predicted: PredictedTypes, targets: set[str]
) -> None:
    """Warns of types or plain labels of one source, if others may call them something else.

    Of types, that is so if others give their words other types; of plain labels, always.
    """
    drafted = {kind: _usual_target(kind, name, predicted, targets) for kind in lone}
    if predicted.entities and not any(drafted.values()):
        logging.info("source %s alone has the types %s", name, ", ".join(lone))
        return
    own = {predicted.kinds[number] for number in np.unique(predicted.numbers[name]) if number >= 0}
    lines = []
    for kind in sorted({*own, *lone}):
        remark = "  # no other source has it" if kind in lone and not drafted[kind] else ""
        lines.append(f"{kind}: {drafted.get(kind) or kind}{remark}")
    logging.warning(
        "source %s alone has the %s %s; if others call them something else, give "
        "`label_map`=%s=FILE, for instance with\n%s",
        name,
        "types" if predicted.entities else "labels",
        ", ".join(lone),
        name,
        "\n".join(lines),
    )


def _usual_target(kind: str, name: str, predicted: PredictedTypes, targets: set[str]) -> str | None:
    """The target that differs by case alone, or that others give the words of a kind most often."""
    variant = case_variants([kind], targets).get(kind)
    if variant:
        return variant
    words = predicted.numbers[name] == predicted.kinds.index(kind)
    counts = np.zeros(len(predicted.kinds), np.int64)
    for other, numbers in predicted.numbers.items():
        if other != name:
            counts += np.bincount(numbers[words] + 1, minlength=len(counts) + 1)[1:]
    counts[[target not in targets for target in predicted.kinds]] = 0
    return predicted.kinds[counts.argmax()] if counts.any() else None
