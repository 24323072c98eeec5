"""A source's predictions for a text: read from its files, or made by its model or pipeline."""

import functools
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from zsl_jax.data.predictions.memmap import cut_rows, to_memmap
from zsl_jax.data.predictions.parquet_writer import write_predictions
from zsl_jax.data.predictions.prediction_files import read_predictions
from zsl_jax.data.predictions.same_words import check_words
from zsl_jax.data.predictions.sharded_predictions import concatenate, select_sentences
from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.data.predictions.unspecified import without_unspecified
from zsl_jax.data.text.compact_text import CompactText
from zsl_jax.data.text_shard import TextShard
from zsl_jax.errors import InputError
from zsl_jax.io.checked_cache import find_or_make
from zsl_jax.labels import LabelSet
from zsl_jax.types import Sentence
from zsl_jax.workflows.frozen_cache import SharedLayers, text_log_probs
from zsl_jax.workflows.labelled_text import LabelledText
from zsl_jax.workflows.loaded_tagger import LoadedTagger, load_tagger, require_head
from zsl_jax.workflows.source_conversion import in_target_labels
from zsl_jax.workflows.sources import Source
from zsl_jax.workflows.spacy_source import annotate_by_spacy

# Files whose probabilities are held open at once; a process may have few.
MOST_FILES = 100


def source_predictions(
    source: Source,
    texts: Sequence[TextShard],
    cache: Path,
    row_length: int,
    shared: SharedLayers | None = None,
) -> list[SourcePredictions]:
    """A source's predictions for texts (or shards), checked word by word, in the target's labels.

    A model or pipeline annotates each text once; the result lies in `cache` under a name that
    changes with it, the text and the row length. A model is loaded at most once. Probabilities lie
    in a file in `cache`, not in memory; the words are the text's own, in memory once.

    Args:
      source: The source.
      texts: (Shards of) texts.
      cache: Folder of what models and pipelines predict.
      row_length: Subwords of a row.
      shared: Layers that the model shares with other sources; None if there are none.

    Raises:
      InputError: There is not one file of predictions for each file of a text, or their words
        differ from the text's.
    """
    load = functools.cache(lambda: load_tagger(source.path))

    def annotate_to(path: Path, text: TextShard) -> None:
        if source.pipeline is not None:
            made = annotate_by_spacy(source.pipeline, text.sentences, source.task)
        else:
            made = annotate(load(), text.sentences, row_length, shared)
        write_predictions(path, made)

    def predictions(text: TextShard) -> SourcePredictions:
        if source.is_file:
            return predictions_from_files(source, text, cache)
        name = re.sub(r"[^\w.-]", "_", source.name)[:40]  # as files may be called
        key = f"{name}-{_fingerprint(source, text.sentences, row_length)}"
        path = find_or_make(cache, key, ".parquet", functools.partial(annotate_to, text=text))
        return in_target_labels(source, read_predictions(path, folder=cache))

    return [_stored(predictions(text), text, cache) for text in texts]


def predictions_from_files(source: Source, text: TextShard, cache: Path) -> SourcePredictions:
    """`source_predictions` of a source that is given as files, of the whole text or its sample."""
    if len(source.files) != text.num_files:
        raise InputError(
            f"{source.given or f'the source {source.name}'}: {len(source.files)} files for "
            f"{text.num_files} of the text; give one for each, in the same order"
        )
    by_file, sampled = [], text.sampled
    wholes = text.by_file or [text.sentences]
    for file, sentences in zip(text.shard.of_files(source.files), wholes, strict=True):
        made = read_predictions(file, sentences, cache, source.offsets)
        if len(wholes) == 1 and sampled is not None and len(made.words) == len(sampled):
            sentences, sampled = [sentences[place] for place in sampled], None
        check_words(made, sentences, file)
        by_file.append(made)
        if len(by_file) == MOST_FILES:
            by_file = [_in_one_file(by_file, cache)]
    whole = concatenate(by_file)
    return in_target_labels(source, select_sentences(whole, text.shard, sampled))


def annotate(
    tagger: LoadedTagger,
    sentences: Sequence[Sentence],
    row_length: int,
    shared: SharedLayers | None = None,
) -> SourcePredictions:
    """A tagger's probabilities and labels for a text; `shared` layers run once for all taggers."""
    label_set = require_head(tagger)
    log_probs = text_log_probs(tagger, sentences, row_length, shared)
    probs = np.exp(log_probs, out=log_probs)
    labelled = without_unspecified(label_set.names, probs.argmax(-1), probs)
    return LabelledText(sentences, *labelled).predictions()


def abstaining(sentences: Sequence[Sentence], label_set: LabelSet) -> SourcePredictions:
    """The predictions of a source that abstains from a whole text."""
    words = tuple(sentence.words for sentence in sentences)
    count = sum(len(sentence.words) for sentence in sentences)
    probs = np.zeros((count, label_set.size), np.float16)
    labels = np.full(count, -1, np.int32)
    return SourcePredictions(label_names=label_set.names, labels=labels, probs=probs, words=words)


def _stored(predictions: SourcePredictions, text: TextShard, cache: Path) -> SourcePredictions:
    """Predictions that hold neither words nor probabilities of their own in memory."""
    probs = predictions.probs
    if probs is not None and not isinstance(probs, np.memmap):
        probs = to_memmap(cut_rows(probs), probs.shape[1:], cache)
    return predictions._replace(probs=probs, words=CompactText.of(text.sentences).words)


def _in_one_file(shards: Sequence[SourcePredictions], cache: Path) -> SourcePredictions:
    """Predictions of several texts together, their probabilities in one file."""
    whole = concatenate(shards)
    if whole.probs is None:
        return whole
    rows = to_memmap(cut_rows(whole.probs), whole.probs.shape[1:], cache)
    return whole._replace(probs=rows)


def _fingerprint(source: Source, sentences: Sequence[Sentence], row_length: int) -> str:
    """Twelve hexadecimal digits that identify a tagger, a text and the row length."""
    digest = hashlib.sha256(f"{row_length}\n{source.fingerprint}\n".encode())
    for sentence in sentences:
        digest.update("\t".join(sentence.words).encode("utf-8", "surrogatepass") + b"\n")
    return digest.hexdigest()[:12]
