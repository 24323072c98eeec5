"""The predictions of sources for a text, in whatever form the user has them."""

import contextlib
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import jax
import numpy as np

from zsl_jax.atomic_file import atomic_folder
from zsl_jax.data.predictions.source_predictions import SourcePredictions, predictions_of_probs
from zsl_jax.data.text_shard import TextShard
from zsl_jax.errors import InputError
from zsl_jax.io.bucket_copies import fetched
from zsl_jax.types import Sentence
from zsl_jax.workflows.checked_predictions import (
    check_unmasked,
    checked_predictions,
    checked_probs,
    is_floating,
)
from zsl_jax.workflows.function_source import Annotator, predictions_by_function
from zsl_jax.workflows.source_annotation import source_predictions
from zsl_jax.workflows.source_conversion import in_target_labels
from zsl_jax.workflows.source_settings import SourceSettings, checked_source
from zsl_jax.workflows.sources import Source, check_files, check_source_name

Given = Source | SourcePredictions | np.ndarray | jax.Array | str | os.PathLike[str] | Annotator
AS_THEY_ARE = SourceSettings()


def resolve_sources(
    sources: Mapping[str, Given],
    text: TextShard,
    row_length: int,
    settings: SourceSettings = AS_THEY_ARE,
    cache: str | os.PathLike[str] | None = None,
) -> dict[str, SourcePredictions]:
    """Returns the sources' predictions for a text, in the target's labels.

    Args:
      sources: For each name, a `Source`, the path of a prediction file or model folder,
        predictions, an array of NumPy, JAX or PyTorch: [N] label ids (-1 abstains), or [N, K]
        probabilities (zeros abstain); or a function of the sentences' words, see
        `predictions_by_function`.
      text: N words, with which the words of predictions are compared.
      row_length: Subwords in a packed row, for models.
      settings: How they are read.
      cache: A folder that keeps what models predict; None keeps nothing.

    Raises:
      InputError: A source cannot be read, or is not about these words.
    """
    resolved = {}
    with _folder(cache) as folder:
        for name, given in sources.items():
            source = settings.of(name, given)
            if isinstance(given, Source | str | os.PathLike):
                (resolved[name],) = source_predictions(source, [text], folder, row_length)
                continue
            if isinstance(given, SourcePredictions):
                made = given
            elif callable(given):
                made = predictions_by_function(given, text.sentences, name)
            else:
                check_unmasked(given, f"the source {name}")
                made = _from_array(np.asarray(given), text.sentences, settings.label_names, name)
            made = checked_predictions(made, text.sentences, f"the source {name}")
            resolved[name] = in_target_labels(source, made)
    return resolved


def fetched_sources(sources: Mapping[str, Given], argument: str = "sources") -> dict[str, Given]:
    """Returns the sources that an argument has, with the local copies of those in buckets.

    Raises:
      InputError: There are none, they have no names, or one is something else.
    """
    if not isinstance(sources, Mapping) or not all(isinstance(name, str) for name in sources):
        raise InputError(f'`{argument}` must have names; give {{"NAME": source, ...}}')
    if not sources:
        raise InputError(f"`{argument}` is empty; give at least one")
    local: dict[str, Given] = {}
    for name, given in sources.items():
        check_source_name(name, f"`{argument}`")
        if isinstance(given, str | os.PathLike):
            path = fetched(given, f"the source {name}")
            check_files(Source(name, path), f"the source {name}")
            local[name] = path
        elif isinstance(given, Source):
            local[name] = checked_source(name, given)
        elif _is_source(given):
            local[name] = given
        else:
            raise InputError(
                f"the source {name}: {given!r:.80} is not a source; give a path, a function, an "
                "array or `SourcePredictions`"
            )
    return local


def _is_source(given: object) -> bool:
    """Whether something can be a source, besides a path or a `Source`."""
    is_array = hasattr(given, "__array__")
    return is_array or callable(given) or isinstance(given, SourcePredictions)


def _folder(cache: str | os.PathLike[str] | None) -> contextlib.AbstractContextManager[Path]:
    """The cache, or a folder that is gone at the end."""
    if cache is None:
        return atomic_folder(Path(tempfile.gettempdir()))
    return contextlib.nullcontext(Path(cache))


def _from_array(
    array: np.ndarray, text: Sequence[Sentence], names: tuple[str, ...], name: str
) -> SourcePredictions:
    words, where = tuple(sentence.words for sentence in text), f"the source {name}"
    if not names:
        raise InputError(f"{where} is an array; give the names of its labels as `label_names`")
    if is_floating(array):
        return predictions_of_probs(names, checked_probs(array, names, words, where), words)
    if array.ndim == 1 and np.issubdtype(array.dtype, np.integer):
        return SourcePredictions(names, array, None, words)
    num_words = sum(map(len, words))
    raise InputError(
        f"{where}: an array of {array.dtype} {array.shape} is neither [{num_words}] label ids nor "
        f"[{num_words}, {len(names)}] probabilities; give one of these"
    )
