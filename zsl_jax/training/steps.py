"""The compiled functions of training, for one device and for many.

This is the only file that calls `jax.jit` and `jax.pmap` on them. What determines the program is a
static argument and what changes from step to step is an array, so that each compiles once per run.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import PartitionSpec
from jaxtyping import Array, Bool, Float, Int

from zsl_jax import kernels
from zsl_jax.models.encoder import Encoder
from zsl_jax.models.encoder_config import EncoderConfig
from zsl_jax.training import update as updates
from zsl_jax.training.config import JointWeights, OptimizerConfig
from zsl_jax.training.config_choices import Partition
from zsl_jax.training.devices import AXIS, Devices
from zsl_jax.training.optimizer import make_optimizer
from zsl_jax.training.schedules import StepSchedule
from zsl_jax.training.state import TrainState
from zsl_jax.training.update import Evidence, StepInfo, StepSettings
from zsl_jax.types import Batch, TokenBatch


class BlockResult(NamedTuple):
    """The E step over one block of words: Q, and sums over the words.

    Attributes:
      posterior: [C, K], Q.
      objective: [], J.
      bound: [], Eq. 2 at the Q given.
      entropy: [], entropy of the tight Q, in nats.
    """

    posterior: Float[Array, "C K"]
    objective: Float[Array, ""]
    bound: Float[Array, ""]
    entropy: Float[Array, ""]


def init_optimizer(tree, config: OptimizerConfig):
    """Returns the optimiser's initial state for a tree of parameters, on the host: all zeros."""
    shapes = jax.eval_shape(make_optimizer(config).init, tree)
    return jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), shapes)


def update(
    devices: Devices,
    settings: StepSettings,
    state: TrainState,
    batch: Batch,
    evidence: Evidence,
    rates: StepSchedule,
) -> tuple[TrainState, StepInfo]:
    """Runs `updates.device_update` on rows that the devices share; the state given is donated.

    Args:
      devices: The devices that hold the state.
      settings: The static part of the update.
      state: The state, from `devices.replicate` or from the update before.
      batch: This process's rows, a multiple of its devices.
      evidence: Evidence of the words in these rows.
      rates: Learning rates and λ; the same in every process.

    Returns:
      The new state, and sums over the words of all processes; `devices.fetch` copies either to the
      host.
    """
    fixed = evidence.log_fixed
    batch, evidence = devices.split((batch, evidence._replace(log_fixed=None)))
    state, info = _compiled_update(devices, settings)(state, batch, evidence, fixed, rates)
    if devices.waits:
        jax.block_until_ready(info)
    return state, info


@functools.cache
def _compiled_update(devices: Devices, settings: StepSettings) -> Callable[..., Any]:
    def body(state, batch, evidence, fixed, rates):
        evidence = evidence._replace(log_fixed=fixed)
        return updates.device_update(settings, devices.axis, state, batch, evidence, rates)

    if devices.is_one:
        return jax.jit(body, donate_argnums=0)
    if devices.partition is Partition.PMAP:
        chosen = None if len(devices.devices) == jax.device_count() else devices.devices
        axes = (0, 0, 0, None, None)
        return jax.pmap(body, AXIS, in_axes=axes, donate_argnums=0, devices=chosen)
    same, rows = PartitionSpec(), PartitionSpec(AXIS)
    specs = (same, rows, rows, same, same)
    mapped = jax.shard_map(body, mesh=devices.mesh, in_specs=specs, out_specs=(same, same))
    return jax.jit(mapped, donate_argnums=0)


def log_prior(
    devices: Devices, encoder: EncoderConfig, num_labels: int, dtype: str, params, batch: Batch
) -> Float[Array, "R S K"]:
    """log P_θ at every place of a batch, without dropout.

    Args:
      devices: The devices of this process, which share the rows without communication.
      encoder: The encoder's configuration.
      num_labels: K.
      dtype: Data type of the activations.
      params: The tagger's parameters, from `devices.replicate`.
      batch: Rows, a multiple of the number of devices.

    Returns:
      [R, S, K], split over the devices; `devices.join` copies it to the host.
    """
    compiled = _compiled_log_prior(devices, encoder, num_labels, dtype)
    return compiled(params, devices.split(batch))


@functools.cache
def _compiled_log_prior(
    devices: Devices, encoder: EncoderConfig, num_labels: int, dtype: str
) -> Callable[..., Any]:
    def body(params, batch):
        return updates.tagger(encoder, num_labels, dtype).apply(
            {"params": params}, *batch.inputs, deterministic=True
        )

    return _shared_by_rows(devices, body)


def hidden_states(
    devices: Devices, encoder: EncoderConfig, dtypes: tuple[str, str], params, batch: TokenBatch
) -> Float[Array, "R S H"]:
    """The encoder's output at every place of a batch, without dropout.

    Args:
      devices: The devices of this process, which share the rows without communication.
      encoder: The encoder's configuration.
      dtypes: Data types of the activations and of the result.
      params: The encoder's parameters, from `devices.replicate`.
      batch: Rows, a multiple of the number of devices.

    Returns:
      [R, S, H], split over the devices; `devices.join` copies it to the host.
    """
    return _compiled_hidden_states(devices, encoder, dtypes)(params, devices.split(batch))


@functools.cache
def _compiled_hidden_states(
    devices: Devices, encoder: EncoderConfig, dtypes: tuple[str, str]
) -> Callable[..., Any]:
    computed, returned = map(jnp.dtype, dtypes)

    def body(params, batch):
        hidden = Encoder(encoder, computed).apply(
            {"params": params}, *batch.inputs, deterministic=True
        )
        return jnp.asarray(hidden, returned)

    return _shared_by_rows(devices, body)


def _shared_by_rows(devices: Devices, body: Callable[..., Any]) -> Callable[..., Any]:
    """Compiles body(params, batch) -> rows with replicated parameters and rows split by device."""
    if devices.is_one:
        return jax.jit(body)
    if devices.partition is Partition.PMAP:
        return jax.pmap(body, AXIS, devices=devices.devices)
    same, rows = PartitionSpec(), PartitionSpec(AXIS)
    return jax.jit(jax.shard_map(body, mesh=devices.mesh, in_specs=(same, rows), out_specs=rows))


@functools.partial(jax.jit, static_argnames=("weights", "hard"))
def expectation(
    weights: JointWeights,
    log_prior_block: Float[Array, "C K"],
    votes: Array,
    previous: Float[Array, "C K"],
    mask: Bool[Array, " C"],
    log_confusion: Float[Array, "U V K"],
    compares: Bool[Array, ""],
    hard: bool,
    gold: Int[Array, " C"] | None = None,
) -> BlockResult:
    """Q of a block of words (Eq. 3), with J and the bound (Eq. 2).

    The bound is taken at `previous` if `compares`, at Q otherwise; both are one program.
    """
    joint = updates.weighted_log_joint(weights, log_prior_block, votes, log_confusion)
    joint = updates.clamped(joint, gold)
    tight = kernels.posterior_and_objective(joint, mask)
    posterior = kernels.hard_posterior(joint) if hard else tight.posterior

    def tight_bound() -> Float[Array, ""]:
        return kernels.bound(posterior, joint, mask)[0] if hard else tight.objective

    bound = lax.cond(compares, lambda: kernels.bound(previous, joint, mask)[0], tight_bound)
    return BlockResult(posterior, tight.objective, bound, tight.entropy)


@jax.jit
def first_confusion(
    fixed_temperature: Float[Array, ""],
    trainable_temperature: Float[Array, ""],
    compatible: Bool[Array, "U V K"],
) -> tuple[Float[Array, "U V K"], Float[Array, "U V K"]]:
    """log ψ and the logits of σ before training."""
    log_fixed = kernels.log_confusion_from_logits(
        kernels.logits_of_meaning(fixed_temperature, compatible)
    )
    return log_fixed, kernels.logits_of_meaning(trainable_temperature, compatible)


@jax.jit
def present_confusion(
    log_fixed: Float[Array, "U V K"],
    first_logits: Float[Array, "U V K"],
    logits: Float[Array, "U V K"],
    mix: Float[Array, ""],
) -> tuple[Float[Array, "U V K"], Float[Array, " U"]]:
    """log φ = log(λψ + (1−λ)σ), and the distance of each source's σ from its start.

    The distance is the total variation, averaged over columns.
    """
    first, trainable = map(kernels.log_confusion_from_logits, (first_logits, logits))
    log_confusion = kernels.mix_log_confusion(log_fixed, trainable, mix)
    return log_confusion, kernels.total_variation(first, trainable)


@functools.partial(jax.jit, static_argnames="soft")
def confusion_counts(
    posterior: Float[Array, "C K"],
    votes: Array,
    mask: Bool[Array, " C"],
    log_confusion: Float[Array, "U V K"],
    soft: bool,
) -> Float[Array, "U V K"]:
    """Expected counts [source, predicted, true] under Q in a block of words.

    Args:
      posterior: [C, K], Q.
      votes: [C, U] labels or [C, U, V] probabilities.
      mask: [C], False for words that do not count.
      log_confusion: [U, V, K], log φ that Q was computed with.
      soft: Whether to count probabilities; otherwise the most probable label is counted.
    """
    if soft:
        return kernels.likelihood_weighted_counts(posterior, votes, log_confusion, mask)
    if votes.ndim == 3:
        votes = kernels.labels_of_probs(votes)
    return kernels.expected_counts(posterior, votes, mask, log_confusion.shape[-2])


@jax.jit
def closed_form(counts, first_logits, pseudo_count) -> Float[Array, "U V K"]:
    """log σ from expected counts, with σ₀ as a prior."""
    first = kernels.log_confusion_from_logits(first_logits)
    return kernels.closed_form_log_confusion(counts, first, pseudo_count)
