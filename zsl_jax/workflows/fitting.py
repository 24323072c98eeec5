"""From a loaded tagger and a text to a training state, and back to a whole model.

Only the word-embedding rows that occur in the text are trained; the others cannot move, and are put
back unchanged at the end. So are the embeddings and layers below `trainable_layers`.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from zsl_jax.data.subwords import Windows
from zsl_jax.labels import LabelScheme
from zsl_jax.models.frozen import join_layers, split_layers
from zsl_jax.models.tagger import restore_word_embeddings, slice_word_embeddings, word_embeddings
from zsl_jax.training import hosts, setup
from zsl_jax.training.config import TrainConfig
from zsl_jax.training.devices import all_devices
from zsl_jax.training.divergence import check_tagger
from zsl_jax.training.state import TrainState, new_classifier
from zsl_jax.workflows.corpus import training_corpus
from zsl_jax.workflows.tagging import LoadedTagger

ROWS_MULTIPLE = 1024


class Fit(NamedTuple):
    """A training that is ready to run.

    Attributes:
      training: Settings, devices and batches, in the numbering of the trained embedding rows.
      state: Before the first update, on the host.
      used_ids: [V], the subword ids of those rows; None where the embeddings are frozen.
    """

    training: setup.Training
    state: TrainState
    used_ids: np.ndarray | None


def start_fit(
    start: LoadedTagger,
    scheme: LabelScheme,
    parts: Sequence[Windows],
    config: TrainConfig,
    confusion_logits: np.ndarray | None = None,
    states: np.ndarray | None = None,
) -> Fit:
    """Prepare training of a tagger with the labels of `scheme` on a text.

    Args:
      start: Its encoder is where training starts, and its head too if it has exactly these labels.
      scheme: The labels, K.
      parts: This process's parts of the text.
      config: Of the run.
      confusion_logits: [U, V, K], first logits of σ; None without a label model.
      states: [T, H], with `trainable_layers`: from `through_frozen_layers`, as are the parts then.
    """
    params: dict[str, Any] = {"encoder": start.params["encoder"]}
    assert (states is None) == (config.trainable_layers is None), "frozen layers have run"
    if config.trainable_layers is None:
        used_ids = _used_rows(parts, len(word_embeddings(start.params)))
        params, parts = slice_word_embeddings(params, used_ids), _renumbered(parts, used_ids)
    else:
        used_ids, params = None, split_layers(params, config.trainable_layers)[1]
    params["classifier"] = head_for(start, scheme, config.seed)
    if confusion_logits is None:
        confusion_logits = np.zeros((0, scheme.size, scheme.size), np.float32)
    devices = all_devices(config.partition)
    length = min(config.row_length, start.encoder.max_positions)
    corpus = training_corpus(parts, config, length, devices, states)
    settings = setup.step_settings(config, start.encoder, scheme.size)
    training = setup.Training(config, settings, devices, corpus)
    return Fit(training, setup.init_state(params, confusion_logits, config), used_ids)


def finished(
    start: LoadedTagger, fit: Fit, params: dict[str, Any], scheme: LabelScheme
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
    return start._replace(params=params, scheme=scheme)


def trained_part(tagger: LoadedTagger, fit: Fit, params: dict[str, Any]) -> LoadedTagger:
    """A tagger's layers above the frozen ones, which read hidden states for subwords."""
    return tagger._replace(encoder=fit.training.settings.encoder, params=params)


def _renumbered(parts: Sequence[Windows], used_ids: np.ndarray) -> list[Windows]:
    """The parts, with places in `used_ids` for subword ids."""
    return [
        part._replace(token_ids=np.searchsorted(used_ids, part.token_ids).astype(np.int32))
        for part in parts
    ]


def _used_rows(parts: Sequence[Windows], vocabulary: int) -> np.ndarray:
    """The subword ids of a text, filled up to a round number so that texts share compiled code.

    The first and smallest ids that do not occur fill up; their rows have no gradient.
    """
    occurs = np.zeros(vocabulary, bool)
    for part in parts:
        occurs[part.token_ids] = True
    occurs = hosts.total(occurs) > 0
    missing = min(-int(occurs.sum()) % ROWS_MULTIPLE, vocabulary - int(occurs.sum()))
    occurs[np.flatnonzero(~occurs)[:missing]] = True
    return np.flatnonzero(occurs)


def head_for(start: LoadedTagger, scheme: LabelScheme, seed: int) -> dict[str, np.ndarray]:
    """The start's own head in the order of `scheme`, or a new one if its labels differ."""
    if start.scheme is not None and set(start.scheme.names) == set(scheme.names):
        order = [start.scheme.ids[name] for name in scheme.names]
        head = start.params["classifier"]
        return {"kernel": head["kernel"][:, order], "bias": head["bias"][order]}
    return new_classifier(np.random.default_rng(seed), start.encoder.hidden_size, scheme.size)
