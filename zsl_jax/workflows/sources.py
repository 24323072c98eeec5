"""The sources of a run: prediction files, or taggers that annotate the text first."""

import functools
import hashlib
import os
import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from absl import logging

from zsl_jax.data.predictions.label_maps import map_labels, read_label_map
from zsl_jax.data.predictions.memmap import cut_rows, to_memmap
from zsl_jax.data.predictions.parquet_writer import write_predictions
from zsl_jax.data.predictions.prediction_files import read_predictions
from zsl_jax.data.predictions.sharded_predictions import concatenate, select_sentences
from zsl_jax.data.predictions.source_predictions import SourcePredictions, with_silence
from zsl_jax.data.predictions.to_bio import STRAY, bio_predictions, reading_line
from zsl_jax.data.predictions.word_check import check_words
from zsl_jax.data.text.files import find_files
from zsl_jax.data.text_shard import TextShard
from zsl_jax.errors import InputError
from zsl_jax.io.checked_cache import find_or_make
from zsl_jax.labels import OUTSIDE, LabelSet, TaggingScheme, doubtful_reading, stray_label
from zsl_jax.types import Sentence
from zsl_jax.workflows.frozen_cache import SharedLayers, text_log_probs
from zsl_jax.workflows.labelled_text import LabelledText
from zsl_jax.workflows.loaded_tagger import LoadedTagger, load_tagger, require_head
from zsl_jax.workflows.spacy_source import annotate_by_spacy, spacy_fingerprint

SPACY = "spacy:"
# Files whose probabilities are held open at once; a process may have few.
MOST_FILES = 100


class Source(NamedTuple):
    """One `source=NAME=PATH`: a model folder (or hub name), a spaCy pipeline, or predictions.

    Attributes:
      name: What the user calls it.
      path: The folder, hub name or file; "spacy:" and a folder or package for a spaCy pipeline.
      label_map: The file of its `label_map=NAME=FILE`; None if its labels are the target's.
      given: The flag and value that name it, for messages.
      task: What a spaCy pipeline is asked for, "ner" or "pos".
      sparse: Whether its O means that it does not know the word.
      offsets: What the places of character spans in a file count; None for characters, as long as
        that can be.
    """

    name: str
    path: str
    label_map: str | None = None
    given: str = ""
    task: str = "ner"
    sparse: bool = False
    offsets: str | None = None

    @property
    def pipeline(self) -> str | None:
        """The folder or package of a spaCy pipeline; None for other sources."""
        return self.path.removeprefix(SPACY) if self.path.startswith(SPACY) else None

    @property
    def is_file(self) -> bool:
        """Whether the path is a file of predictions (or several) rather than a model."""
        return all(map(os.path.isfile, self.files))

    @property
    def is_model(self) -> bool:
        """Whether the path is a model folder or hub name."""
        return not self.is_file and self.pipeline is None

    @property
    def files(self) -> list[str]:
        """The files of predictions, or the one folder or hub name of a model."""
        whole = self.pipeline is not None or os.path.isdir(self.path)
        return [self.path] if whole else find_files(self.path)

    @property
    def fingerprint(self) -> str:
        """A digest of the files of a model or pipeline; a hub name stands for itself."""
        if self.pipeline is not None:
            return spacy_fingerprint(self.pipeline, self.task)
        return fingerprint(self.path)


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
    return LabelledText(sentences, label_set.names, probs.argmax(-1), probs).predictions()


def source_predictions(
    source: Source,
    text: TextShard,
    cache: Path,
    row_length: int,
    shared: SharedLayers | None = None,
) -> SourcePredictions:
    """A source's predictions for (a shard of) a text, checked word by word, in the target's labels.

    A model or pipeline annotates the text once; the result lies in `cache` under a name that
    changes with it, the text and the row length. Probabilities lie in a file in `cache`, not in
    memory, and the words are the text's own, so that they are in memory once for all sources.

    Args:
      source: The source.
      text: (A shard of) the text.
      cache: Folder of what models and pipelines predict.
      row_length: Subwords of a row.
      shared: Layers that the model shares with other sources; None if there are none.

    Raises:
      InputError: There is not one file of predictions for each file of the text, or their words
        differ from the text's.
    """
    if source.is_file:
        return _stored(predictions_from_files(source, text, cache), text, cache)

    def make(path: Path) -> None:
        if source.pipeline is not None:
            made = annotate_by_spacy(source.pipeline, text.sentences, source.task)
        else:
            made = annotate(load_tagger(source.path), text.sentences, row_length, shared)
        write_predictions(path, made)

    name = re.sub(r"[^\w.-]", "_", source.name)[:40]  # as files may be called
    key = f"{name}-{_fingerprint(source, text.sentences, row_length)}"
    path = find_or_make(cache, key, ".parquet", make)
    found = read_predictions(path, folder=cache)
    return _stored(in_target_labels(source, found), text, cache)


def _stored(predictions: SourcePredictions, text: TextShard, cache: Path) -> SourcePredictions:
    """Predictions that hold neither words nor probabilities of their own in memory."""
    probs = predictions.probs
    if probs is not None and not isinstance(probs, np.memmap):
        probs = to_memmap(cut_rows(probs), probs.shape[1:], cache)
    return predictions._replace(probs=probs, words=[s.words for s in text.sentences])


def in_target_labels(source: Source, predictions: SourcePredictions) -> SourcePredictions:
    """A source's predictions in BIO (or plain labels) and by its label map, with a line in the log.

    The map comes after the conversion, so that entities that touch stay apart when their types
    become one; plain labels that it maps to I-TYPE are converted after it.
    """
    found = converted(source, predictions)
    given = np.unique(found.labels[found.labels >= 0])
    log_reading(source, found, len(found.labels), [found.label_names[label] for label in given])
    return with_silence(found) if source.sparse else found


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
        mapped = map_labels(found, read_label_map(source.label_map), f"the source {source.name}")
        found = bio_predictions(mapped)
        repairs = first["repairs"] + found.about["repairs"]
        scheme = found.about["scheme"] if first["scheme"] == "plain" else first["scheme"]
        about = {"scheme": scheme, "repairs": repairs, "label_map": source.label_map}
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
            "source %s: %s are read as %s; say what they are with `label_map`=%s=FILE",
            source.name,
            ", ".join(found.label_names[:5]),
            doubt,
            source.name,
        )


def _warn_of_silence(source: Source, count: int, given: Collection[str]) -> None:
    """Warns of a source that abstains from every word, or names no entity without being sparse."""
    name = source.name
    if count and not given:
        logging.warning("source %s abstains from all %d words; is it about this text?", name, count)
    elif given == {OUTSIDE} and not source.sparse:
        logging.warning(
            "source %s names no entity in %d words; if its O means that it knows nothing, give "
            "`sparse`=%s",
            name,
            count,
            name,
        )


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


def _in_one_file(shards: Sequence[SourcePredictions], cache: Path) -> SourcePredictions:
    """Predictions of several texts together, their probabilities in one file."""
    whole = concatenate(shards)
    if whole.probs is None:
        return whole
    rows = to_memmap(cut_rows(whole.probs), whole.probs.shape[1:], cache)
    return whole._replace(probs=rows)


def fingerprint(model: str) -> str:
    """A digest of a model folder's files; a hub name stands for itself."""
    if not os.path.isdir(model):
        return model
    suffixes = (".json", ".safetensors", ".txt", ".model")
    files = [p for p in sorted(Path(model).glob("*")) if p.suffix in suffixes and p.is_file()]
    return _digest(tuple((path, path.stat().st_mtime_ns, path.stat().st_size) for path in files))


@functools.lru_cache(maxsize=256)
def _digest(files: tuple[tuple[Path, int, int], ...]) -> str:
    """A digest of files that are read again only if their time or size has changed."""
    digest = hashlib.sha256()
    for path, _, _ in files:
        digest.update(path.name.encode())
        with open(path, "rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def label_sets(predictions: Iterable[SourcePredictions]) -> dict[str, tuple[str, ...]]:
    """All sets of the target's labels that the label maps of these sources made."""
    return {name: members for made in predictions for name, members in made.sets.items()}


def abstaining(sentences: Sequence[Sentence], label_set: LabelSet) -> SourcePredictions:
    """The predictions of a source that abstains from a whole text."""
    words = tuple(sentence.words for sentence in sentences)
    count = sum(len(sentence.words) for sentence in sentences)
    probs = np.zeros((count, label_set.size), np.float16)
    labels = np.full(count, -1, np.int32)
    return SourcePredictions(label_names=label_set.names, labels=labels, probs=probs, words=words)


def _fingerprint(source: Source, sentences: Sequence[Sentence], row_length: int) -> str:
    """Twelve hexadecimal digits that identify a tagger, a text and the row length."""
    digest = hashlib.sha256(f"{row_length}\n{source.fingerprint}\n".encode())
    for sentence in sentences:
        digest.update("\t".join(sentence.words).encode("utf-8", "surrogatepass") + b"\n")
    return digest.hexdigest()[:12]
