"""Supervised training in one call: labelled sentences in, a source model out."""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from absl import logging

from zsl_jax.errors import InputError
from zsl_jax.evaluation.metrics import check_task, task_of
from zsl_jax.io.bucket_copies import fetched
from zsl_jax.io.run_folder import RunSpec, create_run_folder
from zsl_jax.labels import OUTSIDE, doubtful_reading, is_bio, label_kinds, listed
from zsl_jax.runtime.compilation import compiled, watch_compilations
from zsl_jax.training.config import TrainConfig
from zsl_jax.training.config_checks import checked_config
from zsl_jax.workflows.given_text import (
    LabelledSentences,
    PathLike,
    check_folders,
    check_output,
    labelled_sentences,
)
from zsl_jax.workflows.loaded_tagger import gold_labels, load_tagger, save_tagger
from zsl_jax.workflows.python_run_spec import python_run_spec
from zsl_jax.workflows.run_hooks import recorded
from zsl_jax.workflows.supervised import Dev, train_supervised
from zsl_jax.workflows.tagger import WithTagger

TITLE = "training"  # in the progress and the metrics


@dataclasses.dataclass(frozen=True)
class TrainResult(WithTagger):
    """The result of a supervised training.

    Attributes:
      folder: The model folder, absolute.
      row_length: Subwords per packed row.
      scores: On `dev`, one mapping per epoch; empty without `dev`.
    """

    folder: Path
    row_length: int
    scores: Sequence[dict[str, Any]]

    @property
    def best(self) -> int | None:
        """The epoch with the highest score, whose tagger is kept, from 0; None without `dev`."""
        ranked = [scores["score"] for scores in self.scores]
        return ranked.index(max(ranked)) if ranked else None


def train(
    text: LabelledSentences,
    encoder: PathLike,
    output: PathLike,
    *,
    config: TrainConfig | None = None,
    dev: LabelledSentences | None = None,
    task: str | None = None,
    overwrite: bool = False,
    tensorboard: PathLike | None = None,
    spec: RunSpec | None = None,
    about: Mapping[str, Any] = MappingProxyType({}),
) -> TrainResult:
    """Trains a tagger on labelled text; `launch.train` in one call.

    Args:
      text: Labelled sentences as (words, labels), or the path of a labelled text. Entity labels of
        any tagging scheme become BIO.
      encoder: Folder or hub name of the encoder to start from.
      output: The run's folder, new or empty, in which the tagger is saved.
      config: Epochs, optimiser and the like; by default those of `launch.train`.
      dev: Labelled text that chooses the best epoch.
      task: Which score counts on `dev`: "pos", "ner" or "plain"; None infers it from the labels.
      overwrite: Replace the result of an earlier run in `output`.
      tensorboard: Folder that gets the metrics for TensorBoard, too.
      spec: The run's specification for run.json; by default the arguments and digests of the texts.
      about: Further entries of result.json.

    Returns:
      The tagger and its scores on `dev`.

    Raises:
      InputError: A text has no labels, or `output` holds something else.
    """
    watch_compilations()
    config = checked_config(config, TrainConfig)
    check_folders(tensorboard=tensorboard)
    encoder = fetched(encoder, "`encoder`")
    check_output(output, overwrite, {"text": text, "dev": dev, "encoder": encoder})
    sentences, read = labelled_sentences(text, "text")
    held_out, read_dev = (None, None) if dev is None else labelled_sentences(dev, "dev")
    check_task(task)
    labels = gold_labels(sentences, "text")
    logging.info("training text: %s", _summary(labels))
    _warn_of_doubtful_reading(labels)
    if held_out is not None:
        gold = gold_labels(held_out, "dev")
        task_of(gold, task)
        _check_dev(labels, gold)
    scores: list[dict[str, Any]] = []

    def on_dev(epoch: int, reached: dict[str, Any]) -> None:
        run.append_metrics(kind="dev", run=TITLE, epoch=epoch, scores=reached)
        scores.append(reached)

    start = load_tagger(encoder)
    texts = {"text": sentences} | ({"dev": held_out} if held_out else {})
    spec = spec or python_run_spec(config, encoder, texts)
    run = create_run_folder(output, spec, overwrite, tensorboard)
    words = config.passes * sum(len(sentence.words) for sentence in sentences)
    with run.held():
        chooser = None if held_out is None else Dev(held_out, on_dev, task)
        with recorded(run, TITLE, words) as hooks:
            tagger = train_supervised(start, sentences, config, hooks, run.cache, chooser)
        save_tagger(run.path, tagger)
        read_as = {"train": read} | ({} if read_dev is None else {"dev": read_dev})
        run.write_result({"dev": scores, "labels": read_as, **about, **compiled()})
    return TrainResult(run.path, config.row_length, scores)


def _summary(labels: Sequence[Sequence[str]]) -> str:
    """A text's size and the words of each label but O, entity types whole; typos show as rare ones.

    >>> _summary([["O", "B-PER", "I-PER"], ["B-LOC"]])
    '2 sentences, 4 words; words per label: PER 2, LOC 1'
    """
    words = Counter(name for names in labels for name in names)
    size = f"{len(labels):,} sentences, {words.total():,} words; words per label: "
    kinds: Counter[str] = Counter()
    entities = is_bio(words)
    for name, count in words.items():
        if name != OUTSIDE:
            kinds[name[2:] if entities else name] += count
    return size + (", ".join(f"{name} {count:,}" for name, count in kinds.most_common()) or "none")


def _warn_of_doubtful_reading(labels: Sequence[Sequence[str]]) -> None:
    """Warns of labels that may be meant otherwise than they are read."""
    names = sorted({name for own in labels for name in own})
    doubt = doubtful_reading(names)
    if doubt:
        logging.warning(
            "training text: %s are read as %s; if they are meant otherwise, correct their names",
            listed(names),
            doubt,
        )


def _check_dev(text: Sequence[Sequence[str]], dev: Sequence[Sequence[str]]) -> None:
    """Warns of labels that the training text lacks, which the tagger cannot give.

    Raises:
      InputError: The texts have no label in common, so that `dev` cannot choose an epoch.
    """
    own, known = (label_kinds(name for names in labels for name in names) for labels in (dev, text))
    if own and known and not own & known:
        raise InputError(
            f"`dev` has the labels {listed(own)}, the training text {listed(known)}, and none of "
            "them in common; write both in one spelling"
        )
    if own - known:
        logging.warning(
            "`dev` has the labels %s, which the training text lacks: the tagger never gives them",
            listed(own - known),
        )
