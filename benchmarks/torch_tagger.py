"""The PyTorch peer: transformers' token classifier, trained as its example run_ner.py does."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForTokenClassification

from zsl_jax.data.batches.subwords import Windows

IGNORED = -100  # label that PyTorch's cross-entropy ignores


class TorchTagger:
    """AdamW steps on padded batches of sentences."""

    def __init__(self, folder: Path, num_labels: int, learning_rate: float, dropout: float):
        """Loads the encoder with a new head."""
        self.model = AutoModelForTokenClassification.from_pretrained(
            folder,
            num_labels=num_labels,
            hidden_dropout_prob=dropout,
            attention_probs_dropout_prob=dropout,
        ).train()
        parameters = self.model.parameters()
        self.optimizer = torch.optim.AdamW(parameters, lr=learning_rate, fused=True)

    def step(self, batch: dict[str, torch.Tensor]) -> float:
        """Makes one update and returns its loss."""
        loss = self.model(**batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return float(loss.detach())


def padded_batches(
    windows: Windows, labels: np.ndarray, size: int, by_length: bool, seed: int, multiple: int = 1
) -> list[dict[str, torch.Tensor]]:
    """Batches of `size` sentences, each padded to its longest, in random order.

    Args:
      windows: The text in subwords.
      labels: [N], one label id per word; assigned to first subwords.
      size: Sentences per batch.
      by_length: Whether to batch sentences of similar length; otherwise batches are random.
      seed: Random seed of the order.
      multiple: Lengths are multiples of this.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(windows.lengths))
    if by_length:
        order = order[np.argsort(windows.lengths[order], kind="stable")]
    groups = [order[start : start + size] for start in range(0, len(order), size)]
    return [_padded(windows, labels, groups[i], multiple) for i in rng.permutation(len(groups))]


def _padded(
    windows: Windows, labels: np.ndarray, group: Sequence[int], multiple: int
) -> dict[str, torch.Tensor]:
    width = -(-int(windows.lengths[group].max()) // multiple) * multiple
    ids = np.ones((len(group), width), np.int64)
    mask = np.zeros_like(ids)
    targets = np.full_like(ids, IGNORED)
    for row, window in enumerate(group):
        part = slice(windows.offsets[window], windows.offsets[window + 1])
        length = part.stop - part.start
        words = windows.word_ids[part]
        ids[row, :length] = windows.token_ids[part]
        mask[row, :length] = 1
        targets[row, :length] = np.where(words >= 0, labels[words], IGNORED)
    batch = {"input_ids": ids, "attention_mask": mask, "labels": targets}
    return {name: torch.from_numpy(array) for name, array in batch.items()}


def words_of(batch: dict[str, torch.Tensor]) -> int:
    """Number of words with a label in a batch."""
    return int((batch["labels"] != IGNORED).sum())
