"""A spaCy pipeline as a source: it labels the words of our text, and cuts none of its own."""

import hashlib
import importlib.metadata
import importlib.util
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zsl_jax.data.predictions.source_predictions import SourcePredictions, check_label_names
from zsl_jax.errors import InputError
from zsl_jax.labels import OUTSIDE, LabelSet, bio_labels
from zsl_jax.runtime.progress import word_progress
from zsl_jax.types import Sentence

TASKS = ("ner", "pos")


def annotate_by_spacy(
    pipeline: str, sentences: Sequence[Sentence], task: str = "ner"
) -> SourcePredictions:
    """The labels that a spaCy pipeline gives to the words of a text.

    Args:
      pipeline: The folder of a saved pipeline, or the name of an installed package.
      sentences: The text; each sentence is a Doc of its words, with spaces where the text has them.
      task: "ner" for `doc.ents` as BIO, "pos" for `token.pos_`.

    Returns:
      Labels without probabilities. The label names are those that occur and, of entities, those
      that the pipeline can give. A word without a part of speech has no label.

    Raises:
      InputError: spaCy or the pipeline is missing, or no component of it does the task.
    """
    nlp = _load(pipeline)
    entities = task == "ner"
    found: list[str] = []
    done = False
    with word_progress(sum(len(s.words) for s in sentences), "labelling") as advance:
        for doc in _label(nlp, sentences, pipeline):
            found += _bio(doc) if entities else [token.pos_ for token in doc]
            done = done or doc.has_annotation("ENT_IOB" if entities else "POS")
            advance(len(doc))
    if found and not done:
        in_python = "in Python zsl_jax.workflows.sources.Source(NAME, PATH, task='pos')"
        what = "entities (such as ner)" if entities else "parts of speech (such as morphologizer)"
        raise InputError(
            f"the spaCy pipeline {pipeline} has no component for {what} but "
            f"{', '.join(nlp.pipe_names) or 'none at all'}; name another pipeline"
            + (f", or give `task`=pos, {in_python}" if entities else ", or leave out `task`=pos")
        )
    label_set = LabelSet.from_labels([{*found, *(_entity_labels(nlp) if entities else ())} - {""}])
    check_label_names(label_set.names, f"the spaCy pipeline {pipeline}")
    ids = label_set.ids | {"": -1}
    labels = np.array([ids[label] for label in found], np.int32)
    words = tuple(sentence.words for sentence in sentences)
    return SourcePredictions(label_set.names, labels, None, words)


def spacy_fingerprint(pipeline: str, task: str) -> str:
    """A digest of what a pipeline's labels depend on: its files, the version of spaCy, the task.

    Raises:
      InputError: spaCy or the pipeline is missing.
    """
    folder = pipeline_folder(pipeline)
    digest = hashlib.sha256(f"{importlib.metadata.version('spacy')}\n{task}\n".encode())
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(f"{path.relative_to(folder)}\n".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def pipeline_folder(pipeline: str) -> Path:
    """The folder of a saved pipeline, or of an installed package with one.

    Raises:
      InputError: spaCy is not installed, or there is no such pipeline.
    """
    if importlib.util.find_spec("spacy") is None:
        raise InputError(
            f"spacy:{pipeline} needs spaCy, which is not installed; pip install 'zsl_jax[spacy]', "
            "or write the pipeline's Doc.to_json() as a file of predictions"
        )
    folder = Path(pipeline)
    if not folder.is_dir() and pipeline.isidentifier():
        package = importlib.util.find_spec(pipeline)
        folder = Path(next(iter((package and package.submodule_search_locations) or [pipeline])))
    if not (folder / "meta.json").is_file():
        raise InputError(
            f"spacy:{pipeline} is neither the folder of a saved spaCy pipeline (it would have a "
            "meta.json) nor an installed package with one; correct the path, or install the "
            "package"
        )
    return folder


def _load(pipeline: str) -> Any:
    pipeline_folder(pipeline)
    import spacy

    try:
        return spacy.load(pipeline)
    except Exception as error:  # whatever the components of a pipeline raise
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise InputError(
            f"the spaCy pipeline {pipeline} cannot be loaded ({reason}); install what it needs, in "
            "the version of spaCy that it was made with"
        ) from error


def _label(nlp: Any, sentences: Sequence[Sentence], pipeline: str) -> Iterator[Any]:
    """The Docs of the sentences, labelled; each has as many tokens as its sentence has words."""
    from spacy.tokens import Doc

    docs = (Doc(nlp.vocab, words=list(s.words), spaces=_spaces(s)) for s in sentences)
    for sentence, doc in zip(sentences, nlp.pipe(docs), strict=True):
        if len(doc) != len(sentence.words):
            raise InputError(
                f"the spaCy pipeline {pipeline} makes {len(doc)} tokens of {len(sentence.words)} "
                f"words ({' '.join(sentence.words[:5])!r}); leave out its component that merges or "
                "splits tokens"
            )
        yield doc


def _spaces(sentence: Sentence) -> list[bool]:
    """Whether a space follows each word; between all of them where there is no running text."""
    if sentence.text is None or sentence.starts is None:
        return [True] * (len(sentence.words) - 1) + [False]
    text, pairs = sentence.text, zip(sentence.starts, sentence.words, strict=True)
    return [text[start + len(word) : start + len(word) + 1].isspace() for start, word in pairs]


def _bio(doc: Any) -> list[str]:
    labels = [OUTSIDE] * len(doc)
    for entity in doc.ents:
        labels[entity.start : entity.end] = [f"I-{entity.label_}"] * (entity.end - entity.start)
        labels[entity.start] = f"B-{entity.label_}"
    return labels


def _entity_labels(nlp: Any) -> tuple[str, ...]:
    """All labels of the components that are made to find entities."""
    types = {
        label
        for name, labels in nlp.pipe_labels.items()
        if "doc.ents" in nlp.get_pipe_meta(name).assigns
        for label in labels
    }
    return bio_labels(types)
