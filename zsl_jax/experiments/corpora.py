"""The texts of an experiment: read once, and the samples that its cells use."""

import functools
import glob
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from zsl_jax.data.predictions.to_bio import bio_sentences
from zsl_jax.data.sampling import sample_sentences
from zsl_jax.data.text.readers import read_sentences
from zsl_jax.errors import InputError
from zsl_jax.evaluation.metrics import task_of
from zsl_jax.experiments.plan import Cell, Corpora, Experiment, Kind, Workplace
from zsl_jax.labels import OUTSIDE
from zsl_jax.types import Sentence

TRAIN, TEST, TEXT = "train", "test", "text"  # parts of a language's corpus
TEST_SEED = 0  # all seeds share a test
_TITLES = {TRAIN: "training text", TEST: "test", TEXT: "unlabelled text"}


def needed_texts(experiment: Experiment, cells: Iterable[Cell]) -> set[tuple[str, str]]:
    """The languages and parts that some cells use; their rows need not be in the experiment."""
    needed: set[tuple[str, str]] = set()
    unlabelled = TRAIN if experiment.corpora.text is None else TEXT
    supervised = {m.name for m in experiment.methods if m.kind is Kind.SUPERVISED}
    for cell in cells:
        needed |= {(cell.target, TEST), (cell.target, unlabelled)}
        if cell.method in supervised:
            needed.add((cell.target, TRAIN))
        else:
            sources = experiment.setting(cell.setting).sources_of(cell.target)
            needed |= {(source, TRAIN) for source in sources}
    return needed


def data_files(
    work: Workplace, needed: Collection[tuple[str, str]], may_lack: bool = False
) -> dict[str, Path]:
    """The files of some texts, by their paths below the data's folder.

    Args:
      work: The experiment and its folders.
      needed: Languages and parts, as of `needed_texts`.
      may_lack: Whether some may be missing, as on a machine that has a part of the data.

    Raises:
      InputError: One is missing.
    """
    files: dict[str, Path] = {}
    for language, part in sorted(needed):
        path = path_of(work.experiment.corpora, work.data, language, part)
        if path.is_dir():
            inside = sorted(file for file in path.rglob("*") if file.is_file())
        else:
            matches = [path] if path.exists() else map(Path, glob.glob(str(path)))
            inside = sorted(file for file in matches if file.is_file())
        if not inside and not may_lack:
            raise InputError(
                f"there is no {path}, the {_TITLES[part]} of {language}; the first lines of the "
                "experiment's file describe where to get it, and `data` names the folder"
            )
        files |= {str(file.relative_to(work.data)): file for file in inside}
    return files


def source_sentences(work: Workplace, language: str, seed: int) -> list[Sentence]:
    """The labelled sentences that a source model is trained on."""
    sentences = _labelled(work, language, TRAIN)
    return sample_sentences(sentences, work.experiment.max_source_sentences, seed)


def text_of(work: Workplace, cell: Cell) -> list[Sentence]:
    """The unlabelled text of a cell.

    Raises:
      InputError: It is shorter than the sizes that settings are compared by.
    """
    part = TRAIN if work.experiment.corpora.text is None else TEXT
    sentences = read_part(work.experiment.corpora, work.data, cell.target, part)
    count = work.experiment.setting(cell.setting).max_sentences
    if work.experiment.has_sizes and count is not None and len(sentences) < count:
        raise InputError(
            f"{path_of(work.experiment.corpora, work.data, cell.target, part)} has "
            f"{len(sentences)} sentences, but setting {cell.setting} is for {count}; leave the "
            "setting out by `only`, or give more text"
        )
    return [Sentence(s.words) for s in sample_sentences(sentences, count, cell.seed)]


def labelled_test(work: Workplace, target: str) -> list[Sentence]:
    """The labelled test of a target, the same for all cells."""
    sentences = _labelled(work, target, TEST)
    return sample_sentences(sentences, work.experiment.max_test_sentences, TEST_SEED)


def _labelled(work: Workplace, language: str, part: str) -> list[Sentence]:
    """The sentences of one part of a corpus but those that the format leaves without labels.

    Raises:
      InputError: Their labels are not those of the experiment's task.
    """
    corpora = work.experiment.corpora
    sentences = read_part(corpora, work.data, language, part)
    labelled = [sentence for sentence in sentences if sentence.labels is not None]
    labels = [sentence.labels or () for sentence in labelled]
    path = path_of(corpora, work.data, language, part)
    if not {name for own in labels for name in own} - {OUTSIDE}:
        raise InputError(
            f"{path}: every word is labelled O, as where entities are not annotated; give labelled "
            "text, or correct `column` of the experiment"
        )
    try:
        task_of(labels, work.experiment.task)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return labelled


def path_of(corpora: Corpora, data: Path, language: str, part: str) -> Path:
    """The file (or folder) of a language's "train", "test" or "text"."""
    return data / getattr(corpora, part).format(language=language)


@functools.lru_cache(maxsize=12)
def read_part(corpora: Corpora, data: Path, language: str, part: str) -> list[Sentence]:
    """The sentences of one part of a corpus, with labels but for "text"; entity labels in BIO.

    Sentences that a format leaves without labels are among them.

    Raises:
      InputError: The file is missing or malformed, or no sentence has the wanted comment.
    """
    path, labelled = path_of(corpora, data, language, part), part != TEXT
    how: Any = {"word_column": corpora.word_column, "encoding": corpora.encoding}
    if labelled:
        how |= {"column": corpora.column, "format": corpora.format}
    sentences = read_sentences(path, with_labels=labelled, **how)
    if corpora.select is not None and (labelled or "{language}" not in getattr(corpora, part)):
        start = corpora.select.format(language=language)
        sentences = [s for s in sentences if _has_comment(s, start)]
        if not sentences:
            raise InputError(
                f"{path} has no sentence with a comment that starts with {start!r}; correct "
                "`select` or `languages` of the experiment"
            )
    return bio_sentences(sentences, str(path))[0] if labelled else sentences


def _has_comment(sentence: Sentence, start: str) -> bool:
    return any(comment.lstrip("# ").startswith(start) for comment in sentence.comments)
