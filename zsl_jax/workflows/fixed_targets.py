"""Targets of the approaches without a label model: one fixed distribution per word."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool

from zsl_jax.data.batches.subwords import Windows
from zsl_jax.training.config import TransferConfig
from zsl_jax.training.config_choices import Approach
from zsl_jax.training.loop import Target
from zsl_jax.types import SourceVotes
from zsl_jax.workflows.vote_aggregation import aggregate_votes, as_target_labels


def fixed_target(votes: SourceVotes, num_labels: int, config: TransferConfig) -> Target:
    """Returns the targets of an approach without a label model.

    Args:
      votes: The sources' predictions.
      num_labels: K.
      config: Its approach decides.

    Returns:
      [N, K]: one-hot rows for `hard` and `hard_vote`, the mean of the sources for `kd`; [U·N, K]
      for `hard_cat`, source by source. A row of zeros leaves its word out. Rows of words with a
      gold label are one-hot under every approach.
    """
    one_hot = np.vstack([np.eye(num_labels, dtype=bool), np.zeros(num_labels, bool)])
    target = _target_from_sources(votes, one_hot, config)
    if votes.gold is not None:
        gold = np.tile(votes.gold, len(target) // len(votes.gold))
        target = np.where(gold[:, None] >= 0, one_hot[gold], target)
    return target


def _target_from_sources(
    votes: SourceVotes, one_hot: Bool[np.ndarray, "K+1 K"], config: TransferConfig
) -> Target:
    """`fixed_target` without gold labels."""
    num_sources, num_labels = votes.labels.shape[1], one_hot.shape[1]
    labels = as_target_labels(votes._replace(probs=None), num_labels).labels
    config.approach.check_sources(num_sources)
    if config.approach is Approach.HARD:
        return one_hot[labels[:, 0]]
    if config.approach is Approach.HARD_CAT:
        return one_hot[labels.T.reshape(-1)]
    if config.approach is Approach.HARD_VOTE:
        return one_hot[aggregate_votes(votes, num_labels, "majority").labels]
    if config.predictions == "hard":
        votes = votes._replace(probs=None)
    return aggregate_votes(votes, num_labels, "mean").probs


def repeated(windows: Windows, times: int) -> Windows:
    """The text several times over; copy i of word n is word i·N + n."""
    words = windows.num_words
    copies = [
        np.where(windows.word_ids >= 0, windows.word_ids + i * words, -1) for i in range(times)
    ]
    steps = [windows.offsets[:-1] + i * windows.offsets[-1] for i in range(times)]
    return windows._replace(
        token_ids=np.tile(windows.token_ids, times),
        word_ids=np.concatenate(copies).astype(np.int32),
        offsets=np.concatenate([*steps, [times * windows.offsets[-1]]]),
        num_words=times * words,
        num_sentences=times * windows.num_sentences,
    )


def shard_by_shard(target: np.ndarray, num_words: Sequence[int], copies: int) -> np.ndarray:
    """From [U·N, K], source by source over the whole, to source by source inside each shard."""
    ends = np.cumsum(num_words)[:-1]
    by_source = np.split(target, copies)
    cut = [np.split(table, ends) for table in by_source]
    return np.concatenate([table[shard] for shard in range(len(num_words)) for table in cut])
