"""The predictions of sources for a text, in whatever form the user has them."""

import contextlib
import os
import tempfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from zsl_jax.atomic_file import atomic_folder
from zsl_jax.data.predictions.same_words import check_words
from zsl_jax.data.predictions.source_predictions import SourcePredictions, predictions_of_probs
from zsl_jax.data.text.offset_units import UNITS
from zsl_jax.data.text_shard import TextShard
from zsl_jax.errors import InputError
from zsl_jax.io.bucket_copies import fetched
from zsl_jax.types import Sentence
from zsl_jax.workflows.function_source import Annotator, predictions_by_function
from zsl_jax.workflows.source_annotation import source_predictions
from zsl_jax.workflows.source_conversion import in_target_labels
from zsl_jax.workflows.sources import Source

Offsets = str | Mapping[str, str] | None
Given = Source | SourcePredictions | np.ndarray | str | os.PathLike[str] | Annotator


def resolve_sources(
    sources: Mapping[str, Given],
    text: TextShard,
    label_names: tuple[str, ...],
    row_length: int,
    sparse: Collection[str] = (),
    offsets: Offsets = None,
    cache: str | os.PathLike[str] | None = None,
) -> dict[str, SourcePredictions]:
    """Returns the sources' predictions for a text, in the target's labels.

    Args:
      sources: For each name, a `Source`, the path of a prediction file or model folder,
        predictions, an array: [N] label ids (-1 abstains), or [N, K] probabilities (zeros
        abstain); or a function of the sentences' words, see `predictions_by_function`.
      text: N words, with which the words of predictions are compared.
      label_names: K names, for arrays.
      row_length: Subwords in a packed row, for models.
      sparse: Names of sources whose O means that they know nothing.
      offsets: What the places of character spans in files count, one of `UNITS`, or that by source;
        None for characters, as long as that can be.
      cache: A folder that keeps what models predict; None keeps nothing.

    Raises:
      InputError: A source cannot be read, or is not about these words.
    """
    units = _units(offsets, sources)
    unknown = set(sparse) - set(sources)
    if unknown:
        raise InputError(f"sparse={sorted(unknown)}: the sources are {', '.join(sources)}")
    found = {}
    with _folder(cache) as folder:
        for name, given in sources.items():
            if callable(given):
                given = predictions_by_function(given, text.sentences, name)
            if isinstance(given, SourcePredictions | np.ndarray):
                if isinstance(given, np.ndarray):
                    given = _from_array(given, text.sentences, label_names, name)
                check_words(given, text.sentences, f"the source {name}")
                found[name] = in_target_labels(Source(name, "", sparse=name in sparse), given)
                continue
            source = given if isinstance(given, Source) else Source(name, os.fspath(given))
            source = source._replace(
                sparse=source.sparse or name in sparse, offsets=units.get(name, source.offsets)
            )
            (found[name],) = source_predictions(source, [text], folder, row_length)
    return found


def fetched_sources(sources: Mapping[str, Given]) -> dict[str, Given]:
    """Returns the sources, with the local copies of those in buckets.

    Raises:
      InputError: There are none, or they have no names.
    """
    if not isinstance(sources, Mapping) or not all(isinstance(name, str) for name in sources):
        raise InputError('`sources` must have names; give {"NAME": source, ...}')
    if not sources:
        raise InputError("`sources` is empty; give at least one")
    return {
        name: fetched(given) if isinstance(given, str | os.PathLike) else given
        for name, given in sources.items()
    }


def _units(offsets: Offsets, names: Collection[str]) -> dict[str, str]:
    """The unit of the offsets of each source for which one is given."""
    units = dict.fromkeys(names, offsets) if isinstance(offsets, str) else dict(offsets or {})
    unknown = [name for name in units if name not in names]
    if unknown:
        raise InputError(f"offsets={offsets!r}: the sources are {', '.join(names)}")
    if not {*units.values()} <= {*UNITS}:
        raise InputError(f"offsets={offsets!r}: a unit is one of {', '.join(UNITS)}")
    return units


def _folder(cache: str | os.PathLike[str] | None) -> contextlib.AbstractContextManager[Path]:
    """The cache, or a folder that is gone at the end."""
    if cache is None:
        return atomic_folder(Path(tempfile.gettempdir()))
    return contextlib.nullcontext(Path(cache))


def _from_array(
    array: np.ndarray, text: Sequence[Sentence], label_names: tuple[str, ...], name: str
) -> SourcePredictions:
    words = tuple(sentence.words for sentence in text)
    num_words = sum(map(len, words))
    if array.shape == (num_words,) and np.issubdtype(array.dtype, np.integer):
        if num_words and not -1 <= array.min() <= array.max() < len(label_names):
            raise InputError(
                f"the source {name}: label ids must be from -1 (abstains) to {len(label_names) - 1}"
            )
        return SourcePredictions(label_names, array.astype(np.int32), None, words)
    if array.shape == (num_words, len(label_names)) and np.issubdtype(array.dtype, np.floating):
        return predictions_of_probs(label_names, array, words)
    raise InputError(
        f"the source {name}: an array of {array.dtype} {array.shape} is neither [{num_words}] "
        f"label ids nor [{num_words}, {len(label_names)}] probabilities"
    )
