"""Describes a transfer before anything is trained."""

from collections.abc import Sequence

import numpy as np

from zsl_jax.data.predictions.to_bio import reading_line
from zsl_jax.data.text_shard import TextShard
from zsl_jax.evaluation.diagnosis import Learned, diagnose
from zsl_jax.training.config import TransferConfig
from zsl_jax.training.config_choices import Approach
from zsl_jax.types import Sentence
from zsl_jax.workflows.run_hooks import tally_of
from zsl_jax.workflows.transfer_task import TransferTask, planned
from zsl_jax.workflows.vote_aggregation import aggregate_votes


def text_line(text: TextShard, sample: TextShard) -> str:
    """How much text there is, and how much of it was annotated by models.

    >>> text = TextShard([Sentence(("a", "b")), Sentence(("c",))])
    >>> text_line(text, text)
    'text: 2 sentences, 3 words'
    """
    about = f"text: {len(text.sentences):,} sentences, {num_words(text.sentences):,} words"
    if text.num_files > 1:
        about += f" in {text.num_files} files"
    if len(sample.sentences) < len(text.sentences):
        about += f"; models annotated {len(sample.sentences):,} random sentences of it"
    return about


def num_words(sentences: Sequence[Sentence]) -> int:
    """Words of some sentences."""
    return sum(len(sentence.words) for sentence in sentences)


def source_lines(transfer_task: TransferTask) -> list[str]:
    """The target's labels, how each source's labels were read, and how the sources agree.

    Coverage, agreement and the most frequent disagreements are with the chain's posterior where it
    is the label model, and with the mean of the sources otherwise.

    Args:
      transfer_task: With its label model, where it has one.
    """
    lines = [f"labels: {', '.join(transfer_task.label_set.names)}"]
    read = transfer_task.labels_read
    lines += [f"source {name}: {reading_line(about)}" for name, about in read.items()]
    votes, chain, learned = transfer_task.text.votes, transfer_task.text.chain, Learned()
    if chain is None:
        posterior = aggregate_votes(votes, transfer_task.label_set.size, "mean").probs
    else:
        posterior = chain.result.posterior
        log_confusion = np.asarray(chain.fitted.sources.log_confusion)
        learned = Learned(log_confusion, copies=chain.fitted.copies)
    tally = tally_of(posterior, votes)
    found = diagnose(transfer_task.names, transfer_task.source_labels, learned, tally)
    of = "the mean of the sources" if chain is None else "the label model's posterior"
    return [*lines, f"Q is {of} without a tagger:", found.text]


def training_line(transfer_task: TransferTask, config: TransferConfig, words: int) -> str:
    """One line on what would be trained, from where, and for how long."""
    if config.approach is Approach.DIRECT:
        return f"would use {transfer_task.start.path} as it is"
    model = "" if config.chain is None else " with the chain"
    if config.has_paper_model:
        model = " with the paper's label model"
    passes = f"{config.num_rounds} rounds" if config.num_rounds > 1 else "1 round"
    if config.epochs_per_round > 1:
        passes += f" of {config.epochs_per_round} epochs"
    copies = len(transfer_task.names) if config.approach is Approach.HARD_CAT else 1
    return (
        f"would train {config.approach}{model} from {transfer_task.start.path}: {passes}, "
        f"{config.passes * words * copies:,} words in all"
    )


def check_lines(
    transfer_task: TransferTask,
    config: TransferConfig,
    texts: tuple[TextShard, TextShard],
) -> list[str]:
    """The lines that describe what a run has read and would do.

    Args:
      transfer_task: Of the sentences that all sources have annotated.
      config: Of the run.
      texts: The whole text, and these sentences.
    """
    text, sample = texts
    words = num_words(text.sentences)
    transfer_task, config = planned(transfer_task, config, words)
    lines = [text_line(text, sample), *source_lines(transfer_task)]
    return [*lines, training_line(transfer_task, config, words)]
