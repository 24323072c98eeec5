"""The parts of a training, and its first state."""

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

from zsl_jax.models.encoder_config import EncoderConfig
from zsl_jax.training import steps
from zsl_jax.training.config import JointWeights, OptimizerConfig, TrainConfig, TransferConfig
from zsl_jax.training.config_choices import Dtype
from zsl_jax.training.devices import Devices
from zsl_jax.training.hooks import Hooks
from zsl_jax.training.records import Progress
from zsl_jax.training.state import TrainState, new_key
from zsl_jax.training.text_batches import Corpus
from zsl_jax.training.update import StepSettings


class Training(NamedTuple):
    """The parts that stay the same from the first update to the last.

    Attributes:
      config: Configuration of the run.
      settings: The static part of an update.
      devices: The devices that share an update.
      corpus: This process's shard of the text.
      hooks: Functions called during training.
    """

    config: TrainConfig
    settings: StepSettings
    devices: Devices
    corpus: Corpus
    hooks: Hooks = Hooks()

    @property
    def transfer(self) -> TransferConfig:
        """The configuration as that of a transfer, which it is wherever there are E steps."""
        assert isinstance(self.config, TransferConfig)
        return self.config


class ResumePoint(NamedTuple):
    """Where a training starts, or resumes after an interruption.

    Attributes:
      state: The state, on the host.
      progress: Progress up to this state.
      state_at: Returns the state, on the host, that an E step saw, given the step's number; called
        only for the last one in `progress`. None if it is not kept: where the user deleted the
        latest checkpoint, that of the one before it is not.
    """

    state: TrainState
    progress: Progress = Progress()
    state_at: Callable[[int], TrainState | None] | None = None


def init_state(params: dict[str, Any], confusion_logits: np.ndarray, config: TrainConfig):
    """Returns the state before the first update.

    Args:
      params: The tagger's parameters, with a head.
      confusion_logits: [U, V, K]; U = 0 without a label model.
      config: Configuration; its seed initialises the key.

    Returns:
      A `TrainState` at step 0, on the host.
    """
    logits = np.asarray(confusion_logits, np.float32)
    opt_state = steps.init_optimizer({"tagger": params, "confusion": logits}, config.optimizer)
    key = new_key(config.seed)
    return jax.tree.map(
        np.asarray, TrainState(params, logits, opt_state, np.zeros((), np.int32), key)
    )


def step_settings(config: TrainConfig, encoder: EncoderConfig, num_labels: int):
    """Returns the static part of this run's updates.

    What the update does not read has its default, so that as many trainings as possible share one
    compiled program: training on labels, distillation, and the M step of the chain.
    """
    if config.trainable_layers is not None:
        encoder = encoder.above(config.trainable_layers)
    has_model = config.objective.has_label_model
    return StepSettings(
        encoder=with_dropout(config, encoder),
        num_labels=num_labels,
        objective=config.objective,
        optimizer=OptimizerConfig(
            weight_decay=config.optimizer.weight_decay, clip_norm=config.optimizer.clip_norm
        ),
        trainable_confusion=has_model and config.trains_confusion,
        weights=config.weights if has_model else JointWeights(),
        dtype=activations_dtype(config),
        accumulate=config.accumulate,
        remat=config.remat,
    )


def with_dropout(config: TrainConfig, encoder: EncoderConfig) -> EncoderConfig:
    """The encoder with this run's dropout rates."""

    def given(rate: float | None) -> float:
        return config.dropout if rate is None else rate

    return dataclasses.replace(
        encoder,
        dropout=config.dropout,
        attention_dropout=given(config.attention_dropout),
        head_dropout=given(config.head_dropout),
    )


def activations_dtype(config: TrainConfig) -> str:
    """Data type of the encoder's activations in training: that of this machine's devices."""
    if config.dtype is not Dtype.AUTO:
        return config.dtype
    return "float32" if jax.default_backend() == "cpu" else "bfloat16"
