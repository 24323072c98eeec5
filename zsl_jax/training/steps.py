"""The compiled functions of training: one update, one forward pass, one block of the E step.

This is the only file that calls `jax.jit` on them. Whatever shapes the program is a static
argument, whatever changes from step to step is an array, so that each compiles once a run.
"""

import dataclasses
import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Bool, Float, Int

from zsl_jax import kernels
from zsl_jax.models.config import EncoderConfig
from zsl_jax.models.tagger import Tagger
from zsl_jax.training.config import JointWeights, Objective, OptimizerConfig
from zsl_jax.training.optimizer import make_optimizer
from zsl_jax.training.schedules import Rates
from zsl_jax.training.state import TrainState, trainable
from zsl_jax.types import TokenBatch


@dataclasses.dataclass(frozen=True)
class StepSettings:
    """The static part of an update.

    Attributes:
      encoder: The encoder, with the dropout of this run.
      num_labels: K.
      objective: The loss.
      optimizer: Clipping and decay (its rates are not read here).
      trainable_confusion: False if σ is fixed or has a closed form.
      weights: α and β of the log joint.
    """

    encoder: EncoderConfig
    num_labels: int
    objective: Objective
    optimizer: OptimizerConfig
    trainable_confusion: bool
    weights: JointWeights


class Evidence(NamedTuple):
    """What is known about the words of one batch, P = R·S places in its rows.

    Attributes:
      target: [P, K], the distribution to learn (Q, or the mean or vote of the sources); an
        all-zero row leaves the word out. None for the direct strategy.
      votes: [P, U] labels or [P, U, K] probabilities; None where no label model takes part.
      log_fixed: [U, K, K], log ψ, the same in every batch; None where no label model takes part.
    """

    target: Float[np.ndarray, "P K"] | None
    votes: np.ndarray | None
    log_fixed: Float[np.ndarray, "U K K"] | None


class StepInfo(NamedTuple):
    """Sums over the words of one batch.

    Attributes:
      loss: [], summed over words.
      num_words: [], words that had a loss.
      gradient_norm: [], global norm of the gradient of the mean loss, before clipping.
    """

    loss: Float[Array, ""]
    num_words: Int[Array, ""]
    gradient_norm: Float[Array, ""]


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


@functools.partial(jax.jit, static_argnames="settings", donate_argnames="state")
def update(
    settings: StepSettings, state: TrainState, batch: TokenBatch, evidence: Evidence, rates: Rates
) -> tuple[TrainState, StepInfo]:
    """One step of AdamW on the mean loss a word; the state given is used up."""
    key = jax.random.fold_in(state.key, state.step)

    def mean_loss(tree):
        total, count = _loss(settings, tree, key, batch, evidence, rates.mix)
        return total / jnp.maximum(count, 1), (total, count)

    tree = trainable(state)
    gradient, (total, count) = jax.grad(mean_loss, has_aux=True)(tree)
    direction, opt_state = make_optimizer(settings.optimizer).update(
        gradient, state.opt_state, tree
    )
    moved = {
        "tagger": {
            "encoder": _scaled(direction["tagger"]["encoder"], -rates.learning_rate),
            "classifier": _scaled(direction["tagger"]["classifier"], -rates.head_learning_rate),
        },
        "confusion": direction["confusion"] * -rates.confusion_learning_rate,
    }
    tree = optax.apply_updates(tree, moved)
    info = StepInfo(total, count, optax.global_norm(gradient))
    return (
        TrainState(tree["tagger"], tree["confusion"], opt_state, state.step + 1, state.key),
        info,
    )


@functools.partial(jax.jit, static_argnames=("encoder", "num_labels"))
def log_prior(encoder: EncoderConfig, num_labels: int, params, batch: TokenBatch):
    """log P_θ at every place of a batch, without dropout: [R, S, K]."""
    return _tagger(encoder, num_labels).apply(
        {"params": params}, batch.token_ids, batch.positions, batch.segments, deterministic=True
    )


@functools.partial(jax.jit, static_argnames=("weights", "hard"))
def expectation(
    weights: JointWeights,
    log_prior_block: Float[Array, "C K"],
    votes: Array,
    log_confusion: Float[Array, "U K K"],
    previous: Float[Array, "C K"] | None,
    mask: Bool[Array, " C"],
    hard: bool,
) -> BlockResult:
    """Q of a block of words (Eq. 3), with J and the bound (Eq. 2) at `previous`, or at Q."""
    joint = _log_joint(weights, log_prior_block, votes, log_confusion)
    tight = jnp.exp(kernels.log_posterior(joint))
    posterior = kernels.hard_posterior(joint) if hard else tight
    objective, _ = kernels.negative_log_marginal(joint, mask)
    bound, _ = kernels.bound(posterior if previous is None else previous, joint, mask)
    entropy, _ = kernels.entropy(tight, mask)
    return BlockResult(posterior, objective, bound, entropy)


@jax.jit
def mixed_log_confusion(log_fixed, confusion_logits, mix) -> Float[Array, "U K K"]:
    """log φ = log(λψ + (1−λ)σ)."""
    trainable = kernels.log_confusion_from_logits(confusion_logits)
    return kernels.mix_log_confusion(log_fixed, trainable, mix)


def _tagger(encoder: EncoderConfig, num_labels: int) -> Tagger:
    return Tagger(encoder, num_labels)


def _scaled(tree, factor):
    return jax.tree.map(lambda leaf: leaf * factor, tree)


def _log_joint(weights: JointWeights, log_prior_words, votes, log_confusion):
    """log p(y, ŷ | x) of each word: α log P_θ + Σ β_u log ℓ_u; [P, K]."""
    soft = votes.ndim == 3
    likelihoods = kernels.soft_source_log_likelihoods if soft else kernels.source_log_likelihoods
    num_sources = log_confusion.shape[0]
    source_weight = jnp.broadcast_to(jnp.asarray(weights.source, jnp.float32), (num_sources,))
    prior_weight = weights.prior or float(num_sources)
    log_likelihood = likelihoods(votes, log_confusion)
    return kernels.log_joint(log_prior_words, log_likelihood, source_weight, prior_weight)


def _loss(settings: StepSettings, tree, key, batch: TokenBatch, evidence: Evidence, mix):
    """The objective's sum over the words of a batch, and their number."""
    log_probs: Array = _tagger(settings.encoder, settings.num_labels).apply(
        {"params": tree["tagger"]},
        batch.token_ids,
        batch.positions,
        batch.segments,
        deterministic=False,
        rngs={"dropout": key},
    )  # type: ignore[assignment]
    words = log_probs.reshape(-1, settings.num_labels)
    mask = jnp.asarray(batch.word_ids).reshape(-1) >= 0
    if settings.objective is Objective.MARGINAL:
        return kernels.negative_log_marginal(
            _batch_joint(settings, tree, words, evidence, mix), mask
        )
    target = jnp.asarray(evidence.target)
    if settings.objective is Objective.M_STEP:
        joint = _batch_joint(settings, tree, words, evidence, mix)
        return kernels.m_step_loss(target, joint, mask)
    mask &= target.sum(-1) > 0
    if settings.objective is Objective.SQUARED_ERROR:
        return kernels.squared_error(target, words, mask)
    return kernels.kl_divergence(target, words, mask)


def _batch_joint(settings: StepSettings, tree, log_prior_words, evidence: Evidence, mix):
    """The log joint of a batch at the present θ and σ."""
    logits = tree["confusion"]
    if not settings.trainable_confusion:
        logits = jax.lax.stop_gradient(logits)
    log_confusion = mixed_log_confusion(jnp.asarray(evidence.log_fixed), logits, mix)
    return _log_joint(settings.weights, log_prior_words, evidence.votes, log_confusion)
