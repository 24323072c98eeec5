"""The text that was trained on, with its labels: Q of tagger and sources, or the tagger's own."""

import itertools
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from zsl_jax.data.predictions.label_table import SOURCE, TAGGER, LabelTable, write_label_tables
from zsl_jax.data.text.chunks import chunks_of_words
from zsl_jax.data.text.compact_text import CompactText
from zsl_jax.data.text_shard import TextShard
from zsl_jax.io.run_files import LABELS, VOTES
from zsl_jax.runtime import processes
from zsl_jax.runtime.progress import word_progress
from zsl_jax.training.config import TransferConfig
from zsl_jax.types import Sentence, SourceVotes
from zsl_jax.workflows.approaches import TrainedTarget
from zsl_jax.workflows.chain_model import best_labels_of_fitted_text
from zsl_jax.workflows.label_decoding import AUTO, VITERBI, decode
from zsl_jax.workflows.labelled_text import LabelledText, write_labelled
from zsl_jax.workflows.loaded_tagger import log_prob_function, predict_windows
from zsl_jax.workflows.trainable_part import upper_layers
from zsl_jax.workflows.transfer_task import TransferTask
from zsl_jax.workflows.vote_aggregation import aggregate_votes

VOTE_METHODS = ("majority", "mean")
CHUNK_WORDS = 1 << 16  # labelled by the tagger at once
BLOCK_SENTENCES = 4096  # written at once


class TextLabels(NamedTuple):
    """Labels of this process's part of the text, on the flat axis of its N words.

    Attributes:
      labels_from: "Q" (tagger and sources), or "P" (the tagger alone) without a label model.
      decoding: How the labels follow from Q or P, "argmax" or "viterbi".
      ids: [N], the labels.
      probs: [N, K], Q or P.
      by_tagger: [N], the tagger's labels.
      votes: By the name of a way to put the sources' votes together, its labels, [N]; -1 where all
        sources abstain.
    """

    labels_from: str
    decoding: str
    ids: Int[np.ndarray, " N"]
    probs: Float[np.ndarray, "N K"]
    by_tagger: Int[np.ndarray, " N"]
    votes: dict[str, Int[np.ndarray, " N"]]


def label_text(
    transfer_task: TransferTask,
    done: TrainedTarget,
    config: TransferConfig,
    decoding: str = AUTO,
) -> TextLabels:
    """Labels the text that a tagger was trained on, by all that is known of it.

    Args:
      transfer_task: What it was trained on.
      done: The tagger and what was learned about the sources.
      config: Settings of the training.
      decoding: How labels follow from probabilities, see `label_decoding.decoding_of`.
    """
    votes, size = transfer_task.text.votes, transfer_task.label_set.size
    kind = "P" if done.posterior is None else "Q"
    decoding = done.decoding(decoding, kind)
    chain, first = done.chain if decoding == VITERBI else None, 0
    by_tagger = np.empty(len(votes.labels), np.int32)
    kept = chain is not None or kind == "P"
    log_probs = np.empty((len(by_tagger), size), np.float32) if kept else None
    for table in _log_probs(transfer_task, done, config):
        rows = slice(first, first + len(table))
        by_tagger[rows] = table.argmax(axis=1)
        if log_probs is not None:
            log_probs[rows] = table
        first = rows.stop
    probs = done.posterior
    if probs is None:
        assert log_probs is not None
        probs = np.exp(log_probs, out=log_probs)
    if chain is not None:
        words, label_set = transfer_task.text.words, transfer_task.label_set
        ids = best_labels_of_fitted_text(chain, votes, words, label_set, probs, log_probs)
    else:
        ids = _decoded(transfer_task, probs, decoding)
    by_votes = {method: aggregate_votes(votes, size, method).labels for method in VOTE_METHODS}
    return TextLabels(kind, decoding, ids, probs, by_tagger, by_votes)


def _decoded(
    transfer_task: TransferTask, probs: Float[np.ndarray, "N K"], decoding: str
) -> Int[np.ndarray, " N"]:
    """The labels of the text from its probabilities alone, part by part."""
    ids, first = np.empty(len(probs), np.int32), 0
    sentences = (sentence for shard in transfer_task.sentences for sentence in shard)
    for chunk in chunks_of_words(sentences, CHUNK_WORDS):
        words = [sentence.words for sentence in chunk]
        rows = slice(first, first + sum(map(len, words)))
        ids[rows] = decode(probs[rows], transfer_task.label_set, words, decoding)
        first = rows.stop
    return ids


def _log_probs(
    transfer_task: TransferTask, done: TrainedTarget, config: TransferConfig
) -> Iterator[Float[np.ndarray, "n K"]]:
    """The tagger's log P of the text, part by part; frozen layers have run already."""
    text = transfer_task.text
    if text.states is not None and config.trainable_layers is not None:
        upper = upper_layers(done.tagger, config.trainable_layers)
        for shard in text.shards:
            yield predict_windows(upper, shard, config.row_length, text.states)
        return
    sentences = (sentence for shard in transfer_task.sentences for sentence in shard)
    log_probs = log_prob_function(done.tagger, config.row_length)
    num_words = len(text.votes.labels)
    with word_progress(num_words, "labelling the text", processes.is_first()) as advance:
        for chunk in chunks_of_words(sentences, CHUNK_WORDS):
            yield log_probs(chunk, advance)


class _Part(NamedTuple):
    """This process's part of the text.

    Attributes:
      sentences: Its sentences.
      numbers: [M], the place of each in the whole text.
      ends: [M + 1], where each begins among the words, and the number of words.
    """

    sentences: CompactText
    numbers: Int[np.ndarray, " M"]
    ends: Int[np.ndarray, " M+1"]

    @classmethod
    def of(cls, sentences: CompactText, numbers: Int[np.ndarray, " M"]) -> "_Part":
        """A part of the text, whose words are counted."""
        return cls(sentences, numbers, np.cumsum(np.insert(sentences.words.lengths, 0, 0)))

    def between(self, first: int, stop: int) -> tuple[list[int], Int[np.ndarray, " n"]]:
        """The sentences with numbers from `first` to `stop` in order, and their words' rows."""
        places = np.flatnonzero((self.numbers >= first) & (self.numbers < stop))
        places = places[np.argsort(self.numbers[places])]
        rows = [np.arange(self.ends[place], self.ends[place + 1]) for place in places]
        return places.tolist(), np.concatenate([np.empty(0, np.int64), *rows]).astype(np.int64)


def write_text_labels(
    folder: Path,
    transfer_task: TransferTask,
    labels: TextLabels,
    text: Sequence[TextShard],
    output_format: str | None = None,
) -> None:
    """Writes labels.parquet, labels.conll and votes.parquet; all processes call it.

    Sentences are in the order of the text, however it was divided into shards. A block of them
    is in memory besides what training has there.

    Args:
      folder: Of the run; only the first process writes.
      transfer_task: What was trained on.
      labels: From `label_text`.
      text: This process's shards, as they were read.
      output_format: Of the file beside labels.parquet, as in `write_labelled`; None for CoNLL.
    """
    sentences = CompactText.joined(CompactText.of(shard.sentences) for shard in text)
    part = _Part.of(sentences, np.concatenate(sentence_numbers(text)))
    table = _label_table(transfer_task, labels)
    names = transfer_task.label_set.names
    about = {"labels_from": labels.labels_from, "decode": labels.decoding}

    def blocks() -> Iterator[LabelledText]:
        for own, (ids, probs) in _in_order(part, labels.ids, labels.probs):
            yield LabelledText(own, names, ids, probs)

    def tables() -> Iterator[LabelTable]:
        return (table._replace(ids=ids) for _, (ids,) in _in_order(part, table.ids))

    if not processes.is_first():
        for _ in itertools.chain(*(blocks() for _ in label_files(folder, output_format)), tables()):
            pass
        return
    for path, format in label_files(folder, output_format).items():
        write_labelled(path, names, blocks(), format, about)
    write_label_tables(folder / VOTES, table.columns, table.label_names, tables())


def label_files(folder: Path, output_format: str | None, name: str = LABELS) -> dict[str, str]:
    """The files of labels of a run, with their formats."""
    other = output_format or "conll"
    extension = "jsonl" if other == "spans" else other
    stem = os.path.join(folder, name)
    return {f"{stem}.parquet": "parquet", f"{stem}.{extension}": other}


def sentence_numbers(text: Sequence[TextShard]) -> list[Int[np.ndarray, " M"]]:
    """The place of each sentence in the whole text, shard by shard; all processes call it."""
    own = {
        file: len(sentences)
        for shard in text
        for file, sentences in zip(shard.shard.files, shard.by_file or (), strict=False)
    }
    sizes = {int(file): size for part in processes.gather(own) for file, size in part.items()}
    firsts = dict(zip(sorted(sizes), itertools.accumulate([0, *_values(sizes)]), strict=False))
    numbers = []
    for shard in text:
        if shard.shard.step > 1 or shard.by_file is None or shard.sampled is not None:
            places = shard.shard.first + shard.shard.step * np.arange(len(shard.sentences))
        else:
            files = [firsts[file] + np.arange(sizes[file]) for file in shard.shard.files]
            places = np.concatenate([np.empty(0, np.int64), *files])
        numbers.append(places.astype(np.int64))
    return numbers


def _values(sizes: dict[int, int]) -> list[int]:
    return [sizes[file] for file in sorted(sizes)]


def _label_table(transfer_task: TransferTask, labels: TextLabels) -> LabelTable:
    """Everybody's labels for this process's words."""
    others = {**labels.votes, TAGGER: labels.by_tagger}
    return label_table(transfer_task, transfer_task.text.votes, others)


def label_table(
    transfer_task: TransferTask, votes: SourceVotes, others: Mapping[str, Int[np.ndarray, " N"]]
) -> LabelTable:
    """The labels of every source and of others for some words."""
    columns = (*(f"{SOURCE}{name}" for name in transfer_task.names), *others)
    ids = np.concatenate([votes.labels, np.stack(list(others.values()), axis=1)], axis=1)
    return LabelTable(columns, transfer_task.source_labels.names, ids.astype(np.int16))


def _in_order(part: _Part, *tables: np.ndarray) -> Iterator[tuple[CompactText, list[np.ndarray]]]:
    """The sentences of all processes in the order of the text, with their words' rows of tables."""
    last = int(part.numbers.max(initial=-1))
    count = 1 + max(processes.gather(last))
    for first in range(0, count, BLOCK_SENTENCES):
        places, rows = part.between(first, first + BLOCK_SENTENCES)
        own = part.sentences.take(places)
        if processes.count() == 1:
            yield own, [table[rows] for table in tables]
            continue
        given: list[Any] = [list(sentence) for sentence in own]
        numbers = part.numbers[places].tolist()
        gathered = processes.gather(list(zip(numbers, given, strict=True)))
        sentences = [(n, _sentence(fields)) for process in gathered for n, fields in process]
        values = [processes.concatenate(np.ascontiguousarray(table[rows])) for table in tables]
        numbers = np.array([number for number, _ in sentences])
        whole = _Part.of(CompactText.of(sentence for _, sentence in sentences), numbers)
        places, rows = whole.between(first, first + BLOCK_SENTENCES)
        yield whole.sentences.take(places), [table[rows] for table in values]


def _sentence(fields: list[Any]) -> Sentence:
    """A sentence that another process sent as JSON."""
    values: Any = (tuple(value) if isinstance(value, list) else value for value in fields)
    return Sentence(*values)
