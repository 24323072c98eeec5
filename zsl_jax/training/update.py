"""One update as each device computes it: loss, gradient, sum over devices, optimiser.

Pure functions; `steps` compiles them for one device and for many.
"""

import dataclasses
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax
from jaxtyping import Array, Float, Int

from zsl_jax import kernels
from zsl_jax.models.encoder_config import EncoderConfig
from zsl_jax.models.token_classifier import TokenClassifier
from zsl_jax.training.config import JointWeights, OptimizerConfig
from zsl_jax.training.config_choices import Objective
from zsl_jax.training.optimizer import make_optimizer
from zsl_jax.training.schedules import StepSchedule
from zsl_jax.training.state import TrainState, trainable
from zsl_jax.types import Batch


@dataclasses.dataclass(frozen=True)
class StepSettings:
    """The static part of an update.

    Attributes:
      encoder: The encoder, with the dropout of this run.
      num_labels: K.
      objective: The loss.
      optimizer: Clipping and decay; its learning rates are not used here.
      trainable_confusion: False if σ is fixed or has a closed form.
      weights: α and β of the log joint.
      dtype: Data type of the encoder's activations: "float32" or "bfloat16".
      accumulate: Parts of a device's rows whose gradients are summed one after the other.
      remat: What of a layer is computed again for the gradient; a key of `encoder.REMAT`.
    """

    encoder: EncoderConfig
    num_labels: int
    objective: Objective
    optimizer: OptimizerConfig
    trainable_confusion: bool
    weights: JointWeights
    dtype: str = "float32"
    accumulate: int = 1
    remat: str = "cheap"


class Evidence(NamedTuple):
    """Evidence about the words of one batch, with P = R·S places in its rows.

    Attributes:
      target: [P, K], the distribution to learn (Q, or the mean or vote of the sources); an
        all-zero row leaves the word out. None for the direct strategy.
      votes: [P, U] labels or [P, U, V] probabilities; None without a label model.
      log_fixed: [U, V, K], log ψ, the same in every batch; None without a label model.
      gold: [P], true labels where the user gives them, -1 elsewhere; None if there are none.
    """

    target: Float[np.ndarray, "P K"] | None
    votes: np.ndarray | None
    log_fixed: Float[np.ndarray, "U V K"] | None
    gold: Int[np.ndarray, " P"] | None = None


class StepInfo(NamedTuple):
    """Sums over the words of one batch.

    Attributes:
      loss: [], loss summed over words.
      num_words: [], number of words with a loss.
      gradient_norm: [], global norm of the gradient of the mean loss, before clipping.
    """

    loss: Float[Array, ""]
    num_words: Int[Array, ""]
    gradient_norm: Float[Array, ""]


def device_update(
    settings: StepSettings,
    axis: str | None,
    state: TrainState,
    batch: Batch,
    evidence: Evidence,
    rates: StepSchedule,
) -> tuple[TrainState, StepInfo]:
    """Takes one step of AdamW on the mean loss per word over all devices' rows.

    The gradient of the summed loss is taken on each device, summed over the devices and divided by
    the number of words on all of them; a mean of the devices' means would weight words unequally.

    Args:
      settings: The static part of the update.
      axis: Name of the devices' axis; None if one device has all rows.
      state: The state, the same on every device.
      batch: This device's rows.
      evidence: Evidence of the words in these rows.
      rates: Learning rates and λ, the same on every device.

    Returns:
      The new state and the sums over all words, both the same on every device.
    """
    key = jax.random.fold_in(
        jax.random.wrap_key_data(jnp.asarray(state.key), impl="threefry2x32"), state.step
    )
    tree = varying = trainable(state)
    if axis is not None:
        key = jax.random.fold_in(key, lax.axis_index(axis))
        # Without this, shard_map sums the gradients of replicated values itself; pmap does not.
        varying = lax.pcast(tree, axis, to="varying")

    def gradient_of(key, batch, evidence):
        def loss(values):
            return objective(settings, values, key, batch, evidence, rates.mix)

        return jax.value_and_grad(loss, has_aux=True)(varying)

    (total, count), gradient = _accumulated(
        gradient_of, settings.accumulate, axis, key, batch, evidence
    )
    if axis is not None:
        total, count, gradient = lax.psum((total, count, gradient), axis)
    gradient = _scaled(gradient, 1 / jnp.maximum(count, 1))
    direction, opt_state = make_optimizer(settings.optimizer).update(
        gradient, state.opt_state, tree
    )
    part_rates = dict.fromkeys(direction["tagger"], rates.learning_rate)
    part_rates["classifier"] = rates.head_learning_rate
    moved = {
        "tagger": {
            name: _scaled(direction["tagger"][name], -rate) for name, rate in part_rates.items()
        },
        "confusion": direction["confusion"] * -rates.confusion_learning_rate,
    }
    tree = optax.apply_updates(tree, moved)
    info = StepInfo(total, count, optax.global_norm(gradient))
    return TrainState(tree["tagger"], tree["confusion"], opt_state, state.step + 1, state.key), info


def _accumulated(gradient_of, num_parts: int, axis: str | None, key, batch, evidence: Evidence):
    """Sums gradient_of(key, rows, evidence of the rows) over equal parts of the rows, in order."""
    if num_parts == 1:
        return gradient_of(key, batch, evidence)
    fixed = evidence.log_fixed
    arrays = (batch, evidence._replace(log_fixed=None))
    parts = jax.tree.map(lambda leaf: leaf.reshape(num_parts, -1, *leaf.shape[1:]), arrays)

    def part_sum(number, rows, own):
        return gradient_of(jax.random.fold_in(key, number), rows, own._replace(log_fixed=fixed))

    def add(total, part):
        return jax.tree.map(jnp.add, total, part_sum(*part)), None

    first = jax.tree.map(lambda leaf: leaf[0], parts)
    shapes = jax.eval_shape(part_sum, 0, *first)
    zeros = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)
    if axis is not None:
        zeros = lax.pcast(zeros, axis, to="varying")
    total, _ = lax.scan(add, zeros, (np.arange(num_parts), *parts))
    return total


def objective(settings: StepSettings, tree, key, batch: Batch, evidence: Evidence, mix):
    """Returns the loss summed over the words of a batch, and their number."""
    module = tagger(settings.encoder, settings.num_labels, settings.dtype, settings.remat)
    log_probs: Array = module.apply(
        {"params": tree["tagger"]}, *batch.inputs, deterministic=False, rngs={"dropout": key}
    )  # type: ignore[assignment]
    words = log_probs.reshape(-1, settings.num_labels)
    mask = jnp.asarray(batch.word_ids).reshape(-1) >= 0
    if settings.objective is Objective.MARGINAL:
        joint = _batch_joint(settings, tree, words, evidence, mix)
        return kernels.negative_log_marginal(clamped(joint, evidence.gold), mask)
    target = jnp.asarray(evidence.target)
    if settings.objective is Objective.M_STEP:
        joint = _batch_joint(settings, tree, words, evidence, mix)
        return kernels.m_step_loss(target, joint, mask)
    mask &= target.sum(-1) > 0
    if settings.objective is Objective.SQUARED_ERROR:
        return kernels.squared_error(target, words, mask)
    return kernels.kl_divergence(target, words, mask)


def _batch_joint(settings: StepSettings, tree, log_prior_words, evidence: Evidence, mix):
    """The log joint of a batch at the current θ and σ."""
    logits = tree["confusion"]
    if not settings.trainable_confusion:
        logits = jax.lax.stop_gradient(logits)
    trainable_confusion = kernels.log_confusion_from_logits(logits)
    log_fixed = jnp.asarray(evidence.log_fixed)
    log_confusion = kernels.mix_log_confusion(log_fixed, trainable_confusion, mix)
    return weighted_log_joint(settings.weights, log_prior_words, evidence.votes, log_confusion)


def clamped(log_joint, gold):
    """Restricts the log joint of words with a gold label to that label; [P, K]."""
    return log_joint if gold is None else kernels.clamp_log_joint(log_joint, jnp.asarray(gold))


def weighted_log_joint(weights: JointWeights, log_prior_words, votes, log_confusion):
    """log p(y, ŷ | x) of each word: α log P_θ + Σ β_u log ℓ_u; [P, K]."""
    num_sources = log_confusion.shape[0]
    source_weight = jnp.broadcast_to(jnp.asarray(weights.source, jnp.float32), (num_sources,))
    prior_weight = weights.prior or float(num_sources)
    return kernels.log_joint(log_prior_words, votes, log_confusion, source_weight, prior_weight)


def tagger(
    encoder: EncoderConfig, num_labels: int, dtype: str = "float32", remat: str = "cheap"
) -> TokenClassifier:
    """Returns the Flax module; softmax, normalisation and loss are float32 whatever `dtype` is."""
    return TokenClassifier(encoder, num_labels, jnp.dtype(dtype), remat)


def _scaled(tree, factor):
    return jax.tree.map(lambda leaf: leaf * factor, tree)
