"""The layers that are not trained: run once over a text, their output kept on disk.

float16 holds it to 11 bits, eight times as finely as bfloat16, and its range suffices where a
layer's output is normalised, so that no number is above sqrt(H) times the largest scale of the
normalisation (and that is checked). Encoders that normalise the input instead add up what their
layers give; theirs is kept as float32.
"""

import dataclasses
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
from absl import logging
from jaxtyping import Float

from zsl_jax.data.batches.subwords import Windows
from zsl_jax.errors import InputError
from zsl_jax.io.checked_cache import find_or_make
from zsl_jax.io.hidden_states import Rows, map_hidden_states, write_hidden_states
from zsl_jax.models.encoder_config import EncoderConfig
from zsl_jax.models.frozen_split import split_layers
from zsl_jax.models.token_classifier import slice_word_embeddings
from zsl_jax.runtime import processes
from zsl_jax.runtime.progress import word_progress
from zsl_jax.training.config import TrainConfig
from zsl_jax.training.config_choices import Dtype
from zsl_jax.training.devices import all_devices
from zsl_jax.training.frozen_pass import FrozenLayers, hidden_states
from zsl_jax.training.setup import activations_dtype
from zsl_jax.types import Sentence
from zsl_jax.workflows.corpus_batches import prediction_batches
from zsl_jax.workflows.loaded_tagger import (
    LoadedTagger,
    encode_text,
    predict_log_probs,
    predict_windows,
)
from zsl_jax.workflows.trainable_part import upper_layers

DTYPE = "float16"


class FrozenFeatures(NamedTuple):
    """A text as the trained layers read it.

    Attributes:
      shards: In subwords; where there are hidden states, the token ids number their rows.
      states: [T, H], the output of the frozen layers; None where all layers are trained.
    """

    shards: Sequence[Windows]
    states: Float[np.ndarray, "T H"] | None


class SharedLayers(NamedTuple):
    """Frozen layers that several taggers share, and where their output is kept.

    Attributes:
      trainable_layers: The number of layers above them.
      folder: Of their output for every text that one of the taggers has labelled.
    """

    trainable_layers: int
    folder: Path


def shared_layers(trainable_layers: int | None, folder: Path | None) -> SharedLayers | None:
    """The frozen layers below those that are trained; None where all are, or nothing is kept."""
    if trainable_layers is None or folder is None:
        return None
    return SharedLayers(trainable_layers, folder)


def text_log_probs(
    tagger: LoadedTagger,
    sentences: Sequence[Sentence],
    row_length: int,
    shared: SharedLayers | None = None,
) -> Float[np.ndarray, "N K"]:
    """log P(y|x) of every word of a text, [N, K]; `shared` layers run once for all taggers.

    Their output is kept in float32, as computed, so that it does not matter to the result which
    tagger was the first.

    Args:
      tagger: With a head.
      sentences: The text.
      row_length: Subwords of a row.
      shared: The layers that other taggers have, too; None runs all layers.
    """
    if shared is None:
        return predict_log_probs(tagger, sentences, row_length)
    config = TrainConfig(
        trainable_layers=shared.trainable_layers, row_length=row_length, dtype=Dtype.FLOAT32
    )
    windows = encode_text(tagger, sentences, row_length)
    (numbered,), states = precompute_frozen(tagger, [windows], config, shared.folder, "float32")
    upper = upper_layers(tagger, shared.trainable_layers)
    return predict_windows(upper, numbered, row_length, states)


def precompute_frozen(
    start: LoadedTagger,
    shards: Sequence[Windows],
    config: TrainConfig,
    folder: Path,
    dtype: str | None = None,
) -> FrozenFeatures:
    """Runs the frozen layers over a text, or finds what they gave before.

    The file's name has a digest of all that its contents depend on, frozen parameters and subwords,
    and their checksum. A file that is there is whole, and used again.

    Args:
      start: The tagger or encoder that training starts from.
      shards: This process's shards of the text.
      config: Its `trainable_layers` are not run; None returns the shards as they are.
      folder: Where the hidden states are kept.
      dtype: Data type in which they are kept; None takes float16 where that suffices.

    Raises:
      InputError: The encoder has fewer layers, or the hidden states cannot be kept.
    """
    if config.trainable_layers is None:
        return FrozenFeatures(shards, None)
    layers = _frozen_layers(start, config.trainable_layers, activations_dtype(config))
    sizes = np.cumsum([0, *(len(shard.token_ids) for shard in shards)])
    numbered = [
        shard._replace(token_ids=np.arange(first, first + len(shard.token_ids), dtype=np.int32))
        for shard, first in zip(shards, sizes[:-1].tolist(), strict=True)
    ]
    shape = (int(sizes[-1]), start.encoder.hidden_size)
    kept = np.dtype(dtype or _smallest_dtype(layers.encoder))

    def make(path: Path) -> None:
        length = min(config.row_length, start.encoder.max_positions)
        token_ids = np.concatenate([shard.token_ids for shard in shards])
        blocks = _blocks(layers, numbered, token_ids, length, config, kept.name)
        write_hidden_states(path, shape, kept, blocks)

    key = f"{processes.index()}-{_digest(layers, shards, kept.name)}"
    path = find_or_make(folder, key, ".npy", make)
    states = map_hidden_states(path, shape, kept)
    logging.info(
        "frozen layers: %d subwords, %.1f MB in %s", len(states), states.nbytes / 1e6, path
    )
    return FrozenFeatures(numbered, states)


def _frozen_layers(start: LoadedTagger, num_trained: int, dtype: str) -> FrozenLayers:
    num_layers = start.encoder.num_layers
    if num_trained > num_layers:
        raise InputError(
            f"`trainable_layers`={num_trained}: {start.path} has {num_layers} layers; give at most "
            "that many, or omit it to train the embeddings, too"
        )
    encoder = dataclasses.replace(
        start.encoder.below(num_trained), dropout=0.0, attention_dropout=0.0
    )
    return FrozenLayers(encoder, split_layers(start.params, num_trained)[0], dtype)


def _smallest_dtype(encoder: EncoderConfig) -> str:
    return "float32" if encoder.norm_first else DTYPE


def _digest(layers: FrozenLayers, shards: Sequence[Windows], kept: str) -> str:
    """Sixteen hexadecimal digits that identify everything the hidden states depend on."""
    digest = hashlib.sha256(repr((layers.encoder, layers.dtype, kept)).encode())
    used = np.unique(np.concatenate([shard.token_ids for shard in shards]))
    params = slice_word_embeddings({"encoder": layers.params}, used)
    arrays = [array for shard in shards for array in (shard.token_ids, shard.offsets)]
    for array in [*jax.tree.leaves(params), *arrays]:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def _blocks(
    layers: FrozenLayers,
    numbered: Sequence[Windows],
    token_ids: np.ndarray,
    length: int,
    config: TrainConfig,
    dtype: str,
) -> Iterator[Rows]:
    devices = all_devices(config.partition).local
    batches = prediction_batches(numbered, length, devices)
    in_order = (batches[index] for index in range(len(batches)))
    words = sum(shard.num_words for shard in numbered)
    with word_progress(words, "frozen layers", shown=processes.is_first()) as advance:
        for block in hidden_states(devices, layers, token_ids, in_order, dtype):
            if not np.isfinite(block.hidden).all():
                raise InputError(
                    f"the output of the frozen layers is not finite in {dtype}; check the weights, "
                    "or leave out `trainable_layers`"
                )
            advance(block.num_words)
            yield block.subwords, block.hidden
