"""Runs the frozen layers once over a text."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float, Int

from zsl_jax.models.encoder_config import EncoderConfig
from zsl_jax.runtime.lookahead import lookahead, prepared
from zsl_jax.training import steps
from zsl_jax.training.devices import Devices
from zsl_jax.types import TokenBatch


class FrozenLayers(NamedTuple):
    """An encoder made of the layers below the trained ones.

    Attributes:
      encoder: Its configuration, with the number of frozen layers.
      params: Its parameters, on the host.
      dtype: Data type of the activations.
    """

    encoder: EncoderConfig
    params: dict[str, Any]
    dtype: str


class Block(NamedTuple):
    """Hidden states of some subwords.

    Attributes:
      subwords: [n], their positions in the text.
      hidden: [n, H], the output of the frozen layers.
      num_words: Number of words that begin with one of them.
    """

    subwords: Int[np.ndarray, " n"]
    hidden: Float[np.ndarray, "n H"]
    num_words: int


def hidden_states(
    devices: Devices,
    layers: FrozenLayers,
    token_ids: Int[np.ndarray, " T"],
    batches: Iterable[TokenBatch],
    dtype: str,
) -> Iterator[Block]:
    """The output of the frozen layers for every subword of a text, without dropout.

    The output does not depend on the row that a window is packed into, because attention stays
    inside the window.

    Args:
      devices: The devices of this process.
      layers: The frozen layers.
      token_ids: [T], subword ids of the text.
      batches: The text in rows that divide evenly among the devices; their `token_ids` hold the
        subwords' positions in the text, from 0 to T - 1, instead of ids.
      dtype: Data type of the result: "float16" or "float32".

    Yields:
      A block for each batch; every subword is in exactly one of them.
    """
    params = devices.replicate(layers.params)
    dtypes = (layers.dtype, dtype)

    def run() -> Iterator[tuple[TokenBatch, jax.Array]]:
        for batch in prepared(batches):
            tokens = batch._replace(token_ids=token_ids[batch.token_ids])
            yield batch, steps.hidden_states(devices, layers.encoder, dtypes, params, tokens)

    for batch, values in lookahead(run()):
        here = batch.segments > 0
        words = int((batch.word_ids >= 0).sum())
        yield Block(batch.token_ids[here], devices.join(values)[here], words)
