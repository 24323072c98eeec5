"""The sources of a run: prediction files, or taggers that annotate the text first."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from zsl_jax.data import predictions as prediction_files
from zsl_jax.data.predictions import SourcePredictions
from zsl_jax.errors import InputError
from zsl_jax.labels import LabelScheme
from zsl_jax.types import Sentence
from zsl_jax.workflows.tagging import LoadedTagger, load_tagger, predict_log_probs, require_head


class Source(NamedTuple):
    """One `--source=NAME=PATH`: a model folder (or hub name), or a file of predictions."""

    name: str
    path: str

    @property
    def is_file(self) -> bool:
        """Whether the path is a file of predictions rather than a model."""
        return Path(self.path).is_file()


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
        if Path(path).suffix in (".parquet", ".conll", ".jsonl") and not Path(path).exists():
            raise InputError(f"{flag}={value}: there is no file {path}")
        if "/" in name or name.startswith("."):
            raise InputError(f"{flag}={value}: a name is a plain word, without / or a leading dot")
        sources.append(Source(name, path))
    return sources


def annotate(
    tagger: LoadedTagger, sentences: Sequence[Sentence], row_length: int
) -> SourcePredictions:
    """A tagger's probabilities and labels for a text."""
    scheme = require_head(tagger)
    probs = np.exp(predict_log_probs(tagger, sentences, row_length)).astype(np.float16)
    words = tuple(sentence.words for sentence in sentences)
    labels = probs.argmax(-1).astype(np.int32)
    return SourcePredictions(label_names=scheme.names, labels=labels, probs=probs, words=words)


def source_predictions(
    source: Source, sentences: Sequence[Sentence], cache: Path, row_length: int
) -> SourcePredictions:
    """A source's predictions for a text, checked word by word against it.

    A model annotates the text once; the result lies in `cache` under a name that changes with the
    model, the text and the row length.
    """
    if source.is_file:
        found = prediction_files.read_predictions(source.path)
        prediction_files.check_words(found, sentences, source.path)
        return found
    path = cache / f"{source.name}-{_fingerprint(source.path, sentences, row_length)}.parquet"
    if not path.exists():
        made = annotate(load_tagger(source.path), sentences, row_length)
        cache.mkdir(parents=True, exist_ok=True)
        prediction_files.write_predictions(path, made)
    return prediction_files.read_predictions(path)


def common_scheme(all_predictions: Sequence[SourcePredictions]) -> LabelScheme:
    """The target's labels: every label that some source can give."""
    return LabelScheme.from_labels(predictions.label_names for predictions in all_predictions)


def abstaining(sentences: Sequence[Sentence], scheme: LabelScheme) -> SourcePredictions:
    """The predictions of a source that says nothing about a text."""
    words = tuple(sentence.words for sentence in sentences)
    count = sum(len(sentence.words) for sentence in sentences)
    probs = np.zeros((count, scheme.size), np.float16)
    labels = np.full(count, -1, np.int32)
    return SourcePredictions(label_names=scheme.names, labels=labels, probs=probs, words=words)


def _fingerprint(model: str, sentences: Sequence[Sentence], row_length: int) -> str:
    """Twelve hexadecimal digits of what a tagger's predictions for a text depend on."""
    digest = hashlib.sha256(f"{row_length}\n".encode())
    for path in sorted(Path(model).glob("*")):
        if path.suffix in (".json", ".safetensors", ".txt", ".model"):
            digest.update(path.name.encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    if not Path(model).is_dir():
        digest.update(model.encode())
    for sentence in sentences:
        digest.update("\t".join(sentence.words).encode("utf-8", "surrogatepass") + b"\n")
    return digest.hexdigest()[:12]
