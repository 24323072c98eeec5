"""The words whose labels the user knows (`gold_words`), as a source that is right about them.

These are the only gold labels that training sees: those of the text itself are not read, see
`data.text.read_options`.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from absl import logging

from zsl_jax.data.annotation.correction_labels import in_known_labels
from zsl_jax.data.annotation.corrections import (
    Correction,
    Labels,
    corrections_of,
    match_corrections,
    read_corrections,
    warn_of_missing,
)
from zsl_jax.data.predictions.projection import squeezed
from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.data.text.checks import MISSING_LABEL
from zsl_jax.data.text.compact_text import CompactText
from zsl_jax.data.text_shard import TextShard
from zsl_jax.errors import InputError
from zsl_jax.labels import common_source_labels, is_bio
from zsl_jax.runtime import processes
from zsl_jax.workflows.source_conversion import in_target_labels, label_sets
from zsl_jax.workflows.sources import Source

NAME = "gold words"


def read_gold_words(
    given: str | SourcePredictions,
    shards: Sequence[TextShard],
    predictions: Sequence[Mapping[str, SourcePredictions]],
) -> list[SourcePredictions]:
    """Reads the labels that the user knows, and finds their sentences in the text.

    All processes call it.

    Args:
      given: Path of the text with its labels, "_" where they are not known, or of some of its
        sentences in any order, such as those that an annotation tool exports, see
        `read_corrections`; or these sentences and labels.
      shards: This process's shards of the text.
      predictions: For each shard, the sources' predictions, of which the labels are known.

    Returns:
      For each shard, the known labels as a source that abstains elsewhere.

    Raises:
      InputError: They cannot be read, have no sentence of the text, or have labels that can only be
        the sources' in another spelling, see `in_known_labels`.
    """
    own = [made for shard in predictions for made in shard.values()]
    target = common_source_labels([made.label_names for made in own], label_sets(own)).label_set
    known = {name for names in processes.gather(target.names) for name in names}
    if isinstance(given, str):
        path, where, corrections = given, f"`gold_words`={given}", read_corrections(given)
    else:
        path, where, corrections = "", "`gold_words`", corrections_of(given, "gold_words")
    corrections = in_known_labels(corrections, known, "the sources")
    words = [CompactText.of(shard.sentences).words for shard in shards]
    labels = [match_corrections(corrections, sentences, is_bio(known)) for sentences in words]
    _report(where, corrections, words, labels)
    source = Source(NAME, path, given=where)
    return [
        in_target_labels(source, _as_source(sentences, own))
        for sentences, own in zip(words, labels, strict=True)
    ]


def _as_source(
    sentences: Sequence[tuple[str, ...]], labels: Sequence[Labels | None]
) -> SourcePredictions:
    """Labels by sentence as predictions; no label where they are not known."""
    flat = [
        label
        for words, own in zip(sentences, labels, strict=True)
        for label in own or (MISSING_LABEL,) * len(words)
    ]
    names = tuple(sorted({*flat} - {MISSING_LABEL}))
    ids = {name: label for label, name in enumerate(names)} | {MISSING_LABEL: -1}
    return SourcePredictions(
        names, np.array([ids[name] for name in flat], np.int32), None, sentences
    )


def _report(
    where: str,
    corrections: Sequence[Correction],
    words: Sequence[Sequence[tuple[str, ...]]],
    labels: Sequence[Sequence[Labels | None]],
) -> None:
    """Logs how many corrections are in the text of all processes.

    Raises:
      InputError: None is.
    """
    own = {squeezed("".join(sentence)) for shard in words for sentence in shard}
    present = [number for number, one in enumerate(corrections) if one.key in own]
    placed = {number for process in processes.gather(present) for number in process}
    known = sum(
        name != MISSING_LABEL for shard in labels for sentence in shard for name in sentence or ()
    )
    known = int(processes.total(known))
    missing = [one for number, one in enumerate(corrections) if number not in placed]
    if not placed:
        raise InputError(
            f"{where}: none of its {len(corrections):,} sentences is in the text "
            f"({missing[0].where} is not); give sentences of the text, with exactly its characters"
        )
    logging.info(
        "%s: %d of %d sentences are in the text, with labels for %d words",
        *(where, len(placed), len(corrections), known),
    )
    warn_of_missing(where, missing, len(corrections))
