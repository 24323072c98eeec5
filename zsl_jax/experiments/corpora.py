"""The texts of an experiment: read once, and the samples that its cells use."""

import functools
from pathlib import Path
from typing import Any

from zsl_jax.data.predictions.to_bio import bio_sentences
from zsl_jax.data.sampling import sample_sentences
from zsl_jax.data.text.readers import read_sentences
from zsl_jax.errors import InputError
from zsl_jax.experiments.plan import Cell, Corpora, Workplace
from zsl_jax.types import Sentence

TEST_SEED = 0  # all seeds share a test


def source_sentences(work: Workplace, language: str, seed: int) -> list[Sentence]:
    """The labelled sentences that a source model is trained on."""
    sentences = read_part(work.experiment.corpora, work.data, language, "train")
    return sample_sentences(sentences, work.experiment.max_source_sentences, seed)


def text_of(work: Workplace, cell: Cell) -> list[Sentence]:
    """The unlabelled text of a cell."""
    part = "train" if work.experiment.corpora.text is None else "text"
    sentences = read_part(work.experiment.corpora, work.data, cell.target, part)
    count = work.experiment.setting(cell.setting).max_sentences
    return [Sentence(s.words) for s in sample_sentences(sentences, count, cell.seed)]


def labelled_test(work: Workplace, target: str) -> list[Sentence]:
    """The labelled test of a target, the same for all cells."""
    sentences = read_part(work.experiment.corpora, work.data, target, "test")
    return sample_sentences(sentences, work.experiment.max_test_sentences, TEST_SEED)


def path_of(corpora: Corpora, data: Path, language: str, part: str) -> Path:
    """The file (or folder) of a language's "train", "test" or "text"."""
    return data / getattr(corpora, part).format(language=language)


@functools.lru_cache(maxsize=12)
def read_part(corpora: Corpora, data: Path, language: str, part: str) -> list[Sentence]:
    """The sentences of one part of a corpus, with labels but for "text"; entity labels in BIO.

    Raises:
      InputError: The file is missing or malformed, or no sentence has the wanted comment.
    """
    path, labelled = path_of(corpora, data, language, part), part != "text"
    how: Any = {"column": corpora.column, "format": corpora.format} if labelled else {}
    sentences = read_sentences(path, with_labels=labelled, **how)
    if not labelled:
        return sentences
    if corpora.select is not None:
        start = corpora.select.format(language=language)
        sentences = [s for s in sentences if _has_comment(s, start)]
        if not sentences:
            raise InputError(
                f"{path} has no sentence with a comment that starts with {start!r}; correct "
                "`select` or `languages` of the experiment"
            )
    return list(bio_sentences(sentences)[0])


def _has_comment(sentence: Sentence, start: str) -> bool:
    return any(comment.lstrip("# ").startswith(start) for comment in sentence.comments)
