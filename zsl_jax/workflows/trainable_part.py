"""From a loaded tagger and a text to a training state, and back to a whole model.

Only the word-embedding rows that occur in the text are trained; the others cannot move, and are put
back unchanged at the end. So are the embeddings and layers below `trainable_layers`.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from zsl_jax.data.batches.subwords import Windows
from zsl_jax.labels import LabelSet
from zsl_jax.models.frozen_split import join_layers, split_layers
from zsl_jax.models.token_classifier import (
    restore_word_embeddings,
    slice_word_embeddings,
    word_embeddings,
)
from zsl_jax.runtime import processes
from zsl_jax.training import setup
from zsl_jax.training.config import TrainConfig
from zsl_jax.training.devices import all_devices
from zsl_jax.training.divergence import check_tagger
from zsl_jax.training.state import TrainState, new_classifier
from zsl_jax.workflows.corpus_batches import training_corpus
from zsl_jax.workflows.loaded_tagger import LoadedTagger
from zsl_jax.workflows.size_defaults import with_head_rate

ROWS_MULTIPLE = 1024


class TrainingSetup(NamedTuple):
    """A training that is ready to run.

    Attributes:
      training: Settings, devices and batches, in the numbering of the trained embedding rows.
      state: Before the first update, on the host.
      used_ids: [V], the subword ids of those rows; None where the embeddings are frozen.
    """

    training: setup.Training
    state: TrainState
    used_ids: np.ndarray | None


def set_up_training(
    start: LoadedTagger,
    label_set: LabelSet,
    shards: Sequence[Windows],
    config: TrainConfig,
    confusion_logits: np.ndarray | None = None,
    states: np.ndarray | None = None,
) -> TrainingSetup:
    """Prepares training of a tagger with the labels of `label_set` on a text.

    Args:
      start: Its encoder is where training starts, and its head too if it has exactly these labels.
      label_set: The labels, K.
      shards: This process's shards of the text.
      config: Of the run.
      confusion_logits: [U, V, K], first logits of σ; None without a label model.
      states: [T, H], with `trainable_layers`: from `precompute_frozen`, as are the shards then.
    """
    config = with_head_rate(config, start.encoder.hidden_size)
    params: dict[str, Any] = {**start.params}
    assert (states is None) == (config.trainable_layers is None), "frozen layers have run"
    if config.trainable_layers is None:
        used_ids = _used_rows(shards, len(word_embeddings(start.params)))
        params, shards = slice_word_embeddings(params, used_ids), _renumbered(shards, used_ids)
    else:
        used_ids, params = None, split_layers(params, config.trainable_layers)[1]
    params["classifier"] = head_for(start, label_set, config.seed)
    if confusion_logits is None:
        confusion_logits = np.zeros((0, label_set.size, label_set.size), np.float32)
    devices = all_devices(config.partition)
    length = min(config.row_length, start.encoder.max_positions)
    corpus = training_corpus(shards, config, length, devices, states)
    settings = setup.step_settings(config, start.encoder, label_set.size)
    training = setup.Training(config, settings, devices, corpus)
    return TrainingSetup(training, setup.init_state(params, confusion_logits, config), used_ids)


def assemble_tagger(
    start: LoadedTagger, fit: TrainingSetup, params: dict[str, Any], label_set: LabelSet
) -> LoadedTagger:
    """The whole trained tagger, from the trained parameters on the host.

    Raises:
      InputError: The training diverged.
    """
    check_tagger(fit.training, params)
    if fit.used_ids is None:
        frozen, _ = split_layers(start.params, fit.training.settings.encoder.num_layers)
        params = join_layers(frozen, params)
    else:
        params = restore_word_embeddings(params, word_embeddings(start.params), fit.used_ids)
    return start._replace(params=params, label_set=label_set)


def trained_part(tagger: LoadedTagger, fit: TrainingSetup, params: dict[str, Any]) -> LoadedTagger:
    """A tagger's layers above the frozen ones, which read hidden states for subwords."""
    return tagger._replace(encoder=fit.training.settings.encoder, params=params)


def upper_layers(tagger: LoadedTagger, trainable_layers: int) -> LoadedTagger:
    """The same of a whole tagger."""
    params = split_layers(tagger.params, trainable_layers)[1]
    return tagger._replace(encoder=tagger.encoder.above(trainable_layers), params=params)


def _renumbered(shards: Sequence[Windows], used_ids: np.ndarray) -> list[Windows]:
    """The shards, with places in `used_ids` for subword ids."""
    return [
        shard._replace(token_ids=np.searchsorted(used_ids, shard.token_ids).astype(np.int32))
        for shard in shards
    ]


def _used_rows(shards: Sequence[Windows], vocabulary: int) -> np.ndarray:
    """The subword ids of a text, filled up to a round number so that texts share compiled code.

    The first and smallest ids that do not occur fill up; their rows have no gradient.
    """
    occurs = np.zeros(vocabulary, bool)
    for shard in shards:
        occurs[shard.token_ids] = True
    occurs = processes.total(occurs) > 0
    missing = min(-int(occurs.sum()) % ROWS_MULTIPLE, vocabulary - int(occurs.sum()))
    occurs[np.flatnonzero(~occurs)[:missing]] = True
    return np.flatnonzero(occurs)


def head_for(start: LoadedTagger, label_set: LabelSet, seed: int) -> dict[str, np.ndarray]:
    """The start's own head in the order of `label_set`, or a new one if its labels differ."""
    if start.label_set is not None and set(start.label_set.names) == set(label_set.names):
        order = [start.label_set.ids[name] for name in label_set.names]
        head = start.params["classifier"]
        return {"kernel": head["kernel"][:, order], "bias": head["bias"][order]}
    return new_classifier(np.random.default_rng(seed), start.encoder.hidden_size, label_set.size)
