"""Every approach on the same text and sources, for one table."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from zsl_jax.data.text_shard import TextShard
from zsl_jax.io.run_folder import RunFolder
from zsl_jax.training.config import LabelModelConfig, TransferConfig
from zsl_jax.training.config_choices import Approach, ConfusionInit, LabelModelKind
from zsl_jax.types import Sentence
from zsl_jax.workflows.approaches import TrainedTarget
from zsl_jax.workflows.frozen_cache import shared_layers
from zsl_jax.workflows.labelled_text import LabelledText
from zsl_jax.workflows.loaded_tagger import LoadedTagger
from zsl_jax.workflows.result_table import Row
from zsl_jax.workflows.scoring import TestSet, label_test, labelled_rows, prepare_test
from zsl_jax.workflows.sources import Source
from zsl_jax.workflows.transfer_task import (
    TransferTask,
    made_ready,
    predictions_of,
    prepare_transfer,
    run_approach,
    trainable_models,
)

PAPER = LabelModelConfig(kind=LabelModelKind.PAPER)
APPROACHES: dict[str, dict[str, Any]] = {
    "hard_vote": {"approach": Approach.HARD_VOTE},
    "hard_cat": {"approach": Approach.HARD_CAT},
    "kd": {"approach": Approach.KD},
    "mrt hard": {"approach": Approach.MRT, "predictions": "hard"},
    "mrt soft": {"approach": Approach.MRT, "predictions": "soft"},
    "lvm hard": {"approach": Approach.LVM, "predictions": "hard", "label_model": PAPER},
    "lvm soft": {"approach": Approach.LVM, "predictions": "soft", "label_model": PAPER},
    "chain": {"approach": Approach.LVM, "rounds": None},
}
# σ starts where Dawid-Skene ends, and counts from the first update on.
_FROM_DAWID_SKENE = dataclasses.replace(
    PAPER, confusion_init=ConfusionInit.DAWID_SKENE, mix_start=0.0
)
VARIANTS = APPROACHES | {
    "lvm hard ds": {**APPROACHES["lvm hard"], "label_model": _FROM_DAWID_SKENE},
    "lvm soft ds": {**APPROACHES["lvm soft"], "label_model": _FROM_DAWID_SKENE},
    "kd chain": {
        "approach": Approach.KD,
        "label_model": LabelModelConfig(kind=LabelModelKind.CHAIN),
    },
}


class ComparisonResult(NamedTuple):
    """One approach, trained and scored.

    Attributes:
      title: Its name in the table.
      transfer_task: What it was trained on, with its label model and start.
      config: How it was trained.
      done: The tagger and what was learned about the sources.
      labelled: The test with its labels, see `label_test`.
      rows: Its lines of the table.
    """

    title: str
    transfer_task: TransferTask
    config: TransferConfig
    done: TrainedTarget
    labelled: Mapping[str, LabelledText]
    rows: list[Row]


def prepare(
    encoder: LoadedTagger,
    sources: Sequence[Source],
    corpora: tuple[Sequence[Sentence], Sequence[Sentence]],
    run: RunFolder,
    config: TransferConfig,
    task: str,
    test_sources: Sequence[Source] | None = None,
) -> tuple[TransferTask, TestSet]:
    """Lets the sources annotate a text and a test, and put both into one label set.

    Args:
      encoder: Where every approach starts.
      sources: Model folders, or files of predictions for the text.
      corpora: The text, whose labels (if any) are dropped here, and the labelled test.
      run: Keeps the sources' predictions.
      config: Its row length is used, and the layers below the trained ones, which run once for all
        sources that share them.
      task: Which score counts.
      test_sources: The sources for the test; the same by default.

    Returns:
      What the approaches learn from, and what they are scored on.
    """
    labelled, gold = corpora
    text = [sentence._replace(labels=None) for sentence in labelled]
    cache, length = run.path / "predictions", config.row_length
    shared = shared_layers(config.trainable_layers, run.cache)
    shards = [TextShard(text), TextShard(gold)]
    if test_sources is None:
        of_text, of_test = predictions_of(sources, shards, cache, length, shared)
    else:
        (of_text,) = predictions_of(sources, shards[:1], cache, length, shared)
        (of_test,) = predictions_of(test_sources, shards[1:], cache, length, shared)
    models = trainable_models(sources)
    transfer_task = prepare_transfer(encoder, [text], [of_text], length, cache, models=models)
    return transfer_task, prepare_test(transfer_task, gold, of_test, task)


def compare(
    transfer_task: TransferTask,
    test: TestSet,
    config: TransferConfig,
    run: RunFolder,
    titles: list[str],
) -> Iterator[ComparisonResult]:
    """Trains by one approach after the other, and scores each when it is trained.

    Args:
      transfer_task: What all of them learn from.
      test: Seen by the scores only.
      config: The settings that they share.
      run: Receives the metrics of all, each under its title.
      titles: Keys of `VARIANTS`.

    Yields:
      The approaches in order.
    """
    for title in titles:
        own = dataclasses.replace(config, **VARIANTS[title])
        ready, own = made_ready(transfer_task, own, run)
        done = run_approach(ready, own, run, title)
        shared = shared_layers(own.trainable_layers, run.cache)
        labelled = label_test(transfer_task, done, test, own, shared=shared)
        rows = labelled_rows(labelled, test, title)
        for row in rows:
            run.append_metrics(kind="row", **row._asdict())
        yield ComparisonResult(title, ready, own, done, labelled, rows)
