"""Batches whose subwords are looked up in the output of the frozen layers."""

import numpy as np
from jaxtyping import Float

from zsl_jax.data.batches.packing import SideBySide
from zsl_jax.types import HiddenBatch


class HiddenBatches:
    """Batches of hidden states; a batch is gathered when it is asked for."""

    def __init__(self, batches: SideBySide, states: Float[np.ndarray, "T H"]):
        """Looks up what the ids of subwords stand for.

        Args:
          batches: Packed rows; their `token_ids` are rows of `states`.
          states: [T, H], the output of the frozen layers, in memory or mapped.
        """
        self._batches, self._states = batches, states

    def __len__(self) -> int:
        """Number of batches."""
        return len(self._batches)

    def __getitem__(self, index: int) -> HiddenBatch:
        """Batch `index`; padding is looked up as subword 0, which reaches no sentence."""
        batch = self._batches[index]
        return HiddenBatch(self._states[batch.token_ids], batch.segments, batch.word_ids)
