"""The sources of a run: prediction files, or taggers that annotate the text first."""

import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from absl import logging

from zsl_jax.data import predictions as prediction_files
from zsl_jax.data.bio import bio_predictions, reading_line
from zsl_jax.data.label_maps import map_labels, read_label_map
from zsl_jax.data.parts import Part
from zsl_jax.data.predictions import SourcePredictions
from zsl_jax.data.text_files import find_files
from zsl_jax.errors import InputError
from zsl_jax.labels import LabelScheme
from zsl_jax.types import Sentence
from zsl_jax.workflows.labelled_text import LabelledText
from zsl_jax.workflows.tagging import LoadedTagger, load_tagger, predict_log_probs, require_head


class Source(NamedTuple):
    """One `--source=NAME=PATH`: a model folder (or hub name), or a file of predictions.

    Attributes:
      name: What the user calls it.
      path: The folder, hub name or file.
      label_map: The file of its `--label_map=NAME=FILE`; None if its labels are the target's.
    """

    name: str
    path: str
    label_map: str | None = None

    @property
    def is_file(self) -> bool:
        """Whether the path is a file of predictions (or several) rather than a model."""
        return all(Path(file).is_file() for file in self.files)

    @property
    def files(self) -> list[str]:
        """The files of predictions, or the one folder or hub name of a model."""
        return [self.path] if os.path.isdir(self.path) else find_files(self.path)


class TextPart(NamedTuple):
    """What one process has of a text.

    Attributes:
      sentences: Its sentences.
      part: Which of the whole they are.
      num_files: Files of the whole.
      by_file: All sentences of each of the part's files, from which `sentences` were taken; None
        where these are all.
    """

    sentences: Sequence[Sentence]
    part: Part = Part((0,), 0, 1)
    num_files: int = 1
    by_file: Sequence[Sequence[Sentence]] | None = None


def parse_sources(values: Sequence[str], flag: str = "--source") -> list[Source]:
    """The sources that a repeated flag names.

    Raises:
      InputError: A value has no name, a name stands twice, or a file is missing.
    """
    sources: list[Source] = []
    for value in values:
        name, equals, path = value.partition("=")
        if not (name and equals and path):
            raise InputError(f"{flag}={value} must read {flag}=NAME=PATH")
        if any(name == other.name for other in sources):
            raise InputError(f"{flag}: the name {name} stands twice; give each source its own")
        source = Source(name, path)
        for file in source.files:
            if Path(file).suffix in (".parquet", ".conll", ".jsonl") and not Path(file).exists():
                raise InputError(f"{flag}={value}: there is no file {file}")
        if "/" in name or name.startswith("."):
            raise InputError(f"{flag}={value}: a name is a plain word, without / or a leading dot")
        sources.append(source)
    return sources


def with_label_maps(sources: Sequence[Source], values: Sequence[str]) -> list[Source]:
    """The sources with the label maps that the values of `--label_map` name.

    Raises:
      InputError: A value has no name, names no source or one twice, or its file is missing.
    """
    maps: dict[str, str] = {}
    for value in values:
        name, equals, path = value.partition("=")
        if not (name and equals and path):
            raise InputError(f"--label_map={value} must read --label_map=NAME=FILE")
        if name in maps or all(name != source.name for source in sources):
            raise InputError(
                f"--label_map={value}: give one map for each source that needs one; the sources "
                f"are {', '.join(source.name for source in sources)}"
            )
        if not Path(path).is_file():
            raise InputError(f"--label_map={value}: there is no file {path}")
        maps[name] = path
    return [source._replace(label_map=maps.get(source.name)) for source in sources]


def annotate(
    tagger: LoadedTagger, sentences: Sequence[Sentence], row_length: int
) -> SourcePredictions:
    """A tagger's probabilities and labels for a text."""
    scheme = require_head(tagger)
    probs = np.exp(predict_log_probs(tagger, sentences, row_length))
    return LabelledText(sentences, scheme.names, probs.argmax(-1), probs).predictions()


def source_predictions(
    source: Source, text: TextPart, cache: Path, row_length: int
) -> SourcePredictions:
    """A source's predictions for (a part of) a text, checked word by word, in the target's labels.

    A model annotates the text once; the result lies in `cache` under a name that changes with the
    model, the text and the row length.

    Raises:
      InputError: There is not one file of predictions for each file of the text, or their words
        differ from the text's.
    """
    if source.is_file:
        return in_target_labels(source, _from_files(source, text))
    path = cache / f"{source.name}-{_fingerprint(source.path, text.sentences, row_length)}.parquet"
    if not path.exists():
        made = annotate(load_tagger(source.path), text.sentences, row_length)
        cache.mkdir(parents=True, exist_ok=True)
        prediction_files.write_predictions(path, made)
    return in_target_labels(source, prediction_files.read_predictions(path))


def in_target_labels(source: Source, predictions: SourcePredictions) -> SourcePredictions:
    """A source's predictions in BIO (or plain labels) and by its label map, with a line in the log.

    The map comes after the conversion, so that entities that touch stay apart when their types
    become one; plain labels that it maps to I-TYPE are converted after it.
    """
    found = bio_predictions(predictions)
    if source.label_map is not None:
        first = found.about
        mapped = map_labels(found, read_label_map(source.label_map), f"the source {source.name}")
        found = bio_predictions(mapped)
        repairs = first["repairs"] + found.about["repairs"]
        scheme = found.about["scheme"] if first["scheme"] == "plain" else first["scheme"]
        about = {"scheme": scheme, "repairs": repairs, "label_map": source.label_map}
        found = found._replace(about={**found.about, **about})
    logging.info("source %s: %s", source.name, reading_line(found.about))
    return found


def _from_files(source: Source, text: TextPart) -> SourcePredictions:
    if len(source.files) != text.num_files:
        raise InputError(
            f"--source={source.name}={source.path}: {len(source.files)} files of predictions for "
            f"{text.num_files} of the text; give one for each, in the same order"
        )
    by_file = []
    wholes = text.by_file or [text.sentences]
    for file, sentences in zip(text.part.of_files(source.files), wholes, strict=True):
        by_file.append(prediction_files.read_predictions(file, sentences))
        prediction_files.check_words(by_file[-1], sentences, file)
    return prediction_files.select_sentences(prediction_files.concatenate(by_file), text.part)


def fingerprint(model: str) -> str:
    """A digest of a model folder's files; a hub name stands for itself."""
    digest = hashlib.sha256()
    for path in sorted(Path(model).glob("*")):
        if path.suffix in (".json", ".safetensors", ".txt", ".model") and path.is_file():
            digest.update(path.name.encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest() if Path(model).is_dir() else model


def common_scheme(label_names: Iterable[Iterable[str]]) -> LabelScheme:
    """The target's labels: every label that some source can give."""
    return LabelScheme.from_labels(label_names)


def abstaining(sentences: Sequence[Sentence], scheme: LabelScheme) -> SourcePredictions:
    """The predictions of a source that says nothing about a text."""
    words = tuple(sentence.words for sentence in sentences)
    count = sum(len(sentence.words) for sentence in sentences)
    probs = np.zeros((count, scheme.size), np.float16)
    labels = np.full(count, -1, np.int32)
    return SourcePredictions(label_names=scheme.names, labels=labels, probs=probs, words=words)


def _fingerprint(model: str, sentences: Sequence[Sentence], row_length: int) -> str:
    """Twelve hexadecimal digits of what a tagger's predictions for a text depend on."""
    digest = hashlib.sha256(f"{row_length}\n{fingerprint(model)}\n".encode())
    for sentence in sentences:
        digest.update("\t".join(sentence.words).encode("utf-8", "surrogatepass") + b"\n")
    return digest.hexdigest()[:12]
