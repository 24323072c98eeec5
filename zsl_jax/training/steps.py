"""The compiled functions of training, for one device and for many.

This is the only file that calls `jax.jit` and `jax.pmap` on them. Whatever shapes the program is a
static argument, whatever changes from step to step is an array, so that each compiles once a run.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.sharding import PartitionSpec
from jaxtyping import Array, Bool, Float, Int

from zsl_jax import kernels
from zsl_jax.models.config import EncoderConfig
from zsl_jax.models.encoder import Encoder
from zsl_jax.training import update as updates
from zsl_jax.training.config import JointWeights, OptimizerConfig, Partition
from zsl_jax.training.devices import AXIS, Devices
from zsl_jax.training.optimizer import make_optimizer
from zsl_jax.training.schedules import Rates
from zsl_jax.training.state import TrainState
from zsl_jax.training.update import Evidence, StepInfo, StepSettings
from zsl_jax.types import Batch, TokenBatch


class BlockResult(NamedTuple):
    """The E step over one block of words: Q, and sums over the words.

    Attributes:
      posterior: [C, K], Q.
      objective: [], J.
      bound: [], Eq. 2 at the Q given.
      entropy: [], of Q, in nats.
    """

    posterior: Float[Array, "C K"]
    objective: Float[Array, ""]
    bound: Float[Array, ""]
    entropy: Float[Array, ""]


@functools.partial(jax.jit, static_argnames="config")
def init_optimizer(tree, config: OptimizerConfig):
    """The optimiser's first state for a tree of parameters."""
    return make_optimizer(config).init(tree)


def update(
    devices: Devices,
    settings: StepSettings,
    state: TrainState,
    batch: Batch,
    evidence: Evidence,
    rates: Rates,
) -> tuple[TrainState, StepInfo]:
    """`updates.update` of rows that the devices share; the state given is used up.

    Args:
      devices: All that hold the state.
      settings: What shapes the program.
      state: From `devices.replicate`, or from the update before.
      batch: This process's rows, a multiple of its devices.
      evidence: Of the words in these rows.
      rates: The same in every process.

    Returns:
      The new state, and sums over the words of all processes; `devices.fetch` gives either to the
      host.
    """
    fixed = evidence.log_fixed
    rows = devices.split((batch, evidence._replace(log_fixed=None)))
    state, info = _compiled_update(devices, settings)(state, *rows, fixed, rates)
    if devices.waits:
        jax.block_until_ready(info)
    return state, info


@functools.cache
def _compiled_update(devices: Devices, settings: StepSettings) -> Callable[..., Any]:
    def body(state, batch, evidence, fixed, rates):
        evidence = evidence._replace(log_fixed=fixed)
        return updates.update(settings, devices.axis, state, batch, evidence, rates)

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
      devices: Of this process; they share the rows, and nothing is sent between them.
      encoder: The encoder's configuration.
      num_labels: K.
      dtype: Of the activations.
      params: The tagger's parameters, from `devices.replicate`.
      batch: Rows, a multiple of the devices.

    Returns:
      [R, S, K], split over the devices; `devices.join` gives the host's array.
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
      devices: Of this process; they share the rows, and nothing is sent between them.
      encoder: The encoder's configuration.
      dtypes: Of the activations, and of what is returned.
      params: The encoder's parameters, from `devices.replicate`.
      batch: Rows, a multiple of the devices.

    Returns:
      [R, S, H], split over the devices; `devices.join` gives the host's array.
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
    """Compiles body(params, batch) -> rows; each device has the parameters and some of the rows."""
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
    log_confusion: Float[Array, "U V K"],
    previous: Float[Array, "C K"] | None,
    mask: Bool[Array, " C"],
    hard: bool,
    known: Int[Array, " C"] | None = None,
) -> BlockResult:
    """Q of a block of words (Eq. 3), with J and the bound (Eq. 2) at `previous`, or at Q."""
    joint = updates.weighted_log_joint(weights, log_prior_block, votes, log_confusion)
    joint = updates.clamped(joint, known)
    tight = jnp.exp(kernels.log_posterior(joint))
    posterior = kernels.hard_posterior(joint) if hard else tight
    objective, _ = kernels.negative_log_marginal(joint, mask)
    bound, _ = kernels.bound(posterior if previous is None else previous, joint, mask)
    entropy, _ = kernels.entropy(tight, mask)
    return BlockResult(posterior, objective, bound, entropy)


@jax.jit
def mixed_log_confusion(log_fixed, confusion_logits, mix) -> Float[Array, "U V K"]:
    """log φ = log(λψ + (1−λ)σ)."""
    trainable = kernels.log_confusion_from_logits(confusion_logits)
    return kernels.mix_log_confusion(log_fixed, trainable, mix)


@jax.jit
def first_logits(temperature, can_mean) -> Float[Array, "U V K"]:
    """Logits of confusion matrices before training."""
    return kernels.logits_of_meaning(temperature, can_mean)


@jax.jit
def log_sigma(confusion_logits) -> Float[Array, "U V K"]:
    """log σ from its logits."""
    return kernels.log_confusion_from_logits(confusion_logits)


@jax.jit
def confusion_moved(first_logits, confusion_logits) -> Float[Array, " U"]:
    """How far σ of each source is from where it started: total variation, mean over columns."""
    return kernels.total_variation(log_sigma(first_logits), log_sigma(confusion_logits))


@jax.jit
def confusion_counts(posterior, votes, log_confusion) -> Float[Array, "U V K"]:
    """Expected counts [source, predicted, true] under Q, of labels or of probabilities."""
    mask = jnp.ones(len(posterior), bool)
    if votes.ndim == 2:
        return kernels.expected_counts_from_labels(posterior, votes, mask, len(log_confusion[0]))
    return kernels.likelihood_weighted_counts(posterior, votes, log_confusion, mask)


@jax.jit
def closed_form(counts, log_initial, pseudo_count) -> Float[Array, "U V K"]:
    """log σ from expected counts, with σ₀ as a prior."""
    return kernels.closed_form_log_confusion(counts, log_initial, pseudo_count)
