"""A source's predictions in the target's labels: in BIO, and by its label map."""

from collections.abc import Collection, Iterable

import numpy as np
from absl import logging

from zsl_jax.data.predictions.label_maps import LabelMap, map_labels, read_label_map
from zsl_jax.data.predictions.source_predictions import SourcePredictions, with_silence
from zsl_jax.data.predictions.to_bio import STRAY, bio_predictions, reading_line
from zsl_jax.errors import InputError
from zsl_jax.labels import OUTSIDE, TaggingScheme, doubtful_reading, is_bio, stray_label
from zsl_jax.workflows.sources import Source


def in_target_labels(source: Source, predictions: SourcePredictions) -> SourcePredictions:
    """A source's predictions in BIO (or plain labels) and by its label map, with a line in the log.

    The map comes after the conversion, so that entities that touch stay apart when their types
    become one; plain labels that it maps to I-TYPE are converted after it.

    Raises:
      InputError: The labels are not those of one scheme, or not those of a sparse source.
    """
    found = converted(source, predictions)
    given = np.unique(found.labels[found.labels >= 0])
    log_reading(source, found, len(found.labels), [found.label_names[label] for label in given])
    if source.sparse:
        _check_has_outside(source, found.label_names)
    return with_silence(found) if source.sparse else found


def _check_has_outside(source: Source, names: Collection[str]) -> None:
    """Refuses a sparse source of tags such as parts of speech, which would make O one of them."""
    if names and OUTSIDE not in names and not is_bio(names):
        raise InputError(
            f"`sparse`={source.name}: the source has tags such as {min(names)} and no O that could "
            "mean that it knows nothing; let it abstain there, and omit `sparse`"
        )


def converted(
    source: Source, predictions: SourcePredictions, scheme: TaggingScheme | None = None
) -> SourcePredictions:
    """`in_target_labels` without log lines and silence.

    Args:
      source: The source.
      predictions: All of them, or a part.
      scheme: The tagging scheme of the whole; None recognises it.
    """
    found = bio_predictions(predictions, scheme)
    if source.label_map is not None:
        first = found.about
        label_map = source.label_map
        if not isinstance(label_map, LabelMap):
            label_map = read_label_map(label_map)
        mapped = map_labels(found, label_map, f"the source {source.name}")
        found = bio_predictions(mapped)
        repairs = first["repairs"] + found.about["repairs"]
        scheme = found.about["scheme"] if first["scheme"] == "plain" else first["scheme"]
        about = {"scheme": scheme, "repairs": repairs, "label_map": label_map.path}
        found = found._replace(about={**found.about, **about})
    stray = stray_label([name for name in found.label_names if name not in found.sets])
    if stray is not None:
        raise InputError(
            f"{source.given or f'the source {source.name}'}: the label {stray!r} {STRAY}, or map "
            f"it with `label_map`={source.name}=FILE"
        )
    return found


def log_reading(
    source: Source, found: SourcePredictions, num_words: int, given: Collection[str]
) -> None:
    """Logs how a source's labels were read, and warns of what is doubtful.

    Args:
      source: The source.
      found: Its converted predictions, or a part of them with the `about` of all.
      num_words: Number of words of all.
      given: The labels that occur.
    """
    logging.info("source %s: %s", source.name, reading_line(found.about))
    _warn_of_silence(source, num_words, set(given))
    doubt = doubtful_reading([name for name in found.label_names if name not in found.sets])
    if doubt:
        logging.warning(
            "source %s: %s are read as %s; if they are not, give `label_map`=%s=FILE",
            source.name,
            ", ".join(found.label_names[:5]),
            doubt,
            source.name,
        )


def _warn_of_silence(source: Source, count: int, given: Collection[str]) -> None:
    """Warns of a source that abstains from every word, or names no entity and may be sparse."""
    name = source.name
    if count and not given:
        logging.warning("source %s abstains from all %d words; is it about this text?", name, count)
    elif given == {OUTSIDE} and not source.sparse and not source.learned:
        logging.warning(
            "source %s names no entity in %d words; if its O means that it knows nothing, give "
            "`sparse`=%s",
            name,
            count,
            name,
        )


def label_sets(predictions: Iterable[SourcePredictions]) -> dict[str, tuple[str, ...]]:
    """All sets of the target's labels that the label maps of these sources made."""
    return {name: members for made in predictions for name, members in made.sets.items()}
