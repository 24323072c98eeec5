"""A text as the training loop is given it: passes over its batches."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from zsl_jax.types import Batch


class Batches(Protocol):
    """A pass over the text, with random access to its batches."""

    def __len__(self) -> int:
        """Number of batches, the same in every process."""

    def __getitem__(self, index: int) -> Batch:
        """Batch `index`; every word of the text is in exactly one of them."""


class Corpus(NamedTuple):
    """This process's shard of the text, as training sees it.

    Attributes:
      epoch: Maps an epoch's number, from 0, to its shuffled batches; the same number always gives
        the same batches.
      in_order: Batches for passes without updates.
      num_words: N, in this process.
    """

    epoch: Callable[[int], Batches]
    in_order: Batches
    num_words: int
