"""Confusion matrices: initialisation, logits, mixture and distance.

Every matrix is indexed [source, predicted label, true label]; each column, one true label, is a
distribution over predictions, so every normalisation here runs over axis -2. Sources that do not
distinguish the target's K labels have V labels of their own: V rows and K columns.
"""

import math

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float

from zsl_jax.kernels.arguments import Scalar, check_numbers_of_labels, kernel

# Largest difference of two log-probabilities whose exponential float32 can hold.
_LARGEST_LOG_RATIO = 85.0


def diagonal_from_temperature(temperature: float, num_labels: int) -> float:
    """Returns the probability that a source is right whose logits are τ times the identity.

    μ = e^τ / (e^τ + K − 1).

    Args:
      temperature: τ, may be infinite.
      num_labels: K.

    Returns:
      μ, the diagonal of the confusion matrix.

    Raises:
      ValueError: No labels.

    Examples:
      >>> round(diagonal_from_temperature(2.0, 11), 2), round(diagonal_from_temperature(2.0, 37), 2)
      (0.42, 0.17)
    """
    check_numbers_of_labels(num_labels=num_labels)
    if temperature >= 0:
        return 1 / (1 + (num_labels - 1) * math.exp(-temperature))
    odds = math.exp(temperature)
    return odds / (odds + num_labels - 1)


def temperature_from_diagonal(diagonal: float, num_labels: int) -> float:
    """Returns the temperature whose identity logits have this diagonal.

    The inverse of `diagonal_from_temperature`.

    τ = log(μ (K − 1) / (1 − μ)).

    Args:
      diagonal: μ, between chance 1/K and 1, both excluded.
      num_labels: K.

    Returns:
      τ, above 0.

    Raises:
      ValueError: The diagonal is not above chance or not below 1; no labels.

    Examples:
      >>> round(temperature_from_diagonal(0.8, 17), 2)
      4.16
    """
    check_numbers_of_labels(num_labels=num_labels)
    if not 1 / num_labels < diagonal < 1:
        raise ValueError(
            f"the diagonal of a confusion matrix over {num_labels} labels must lie between chance, "
            f"{1 / num_labels:.4g}, and 1, but is {diagonal:.4g}"
        )
    return math.log(diagonal * (num_labels - 1)) - math.log1p(-diagonal)


@kernel(static=("num_sources", "num_labels"))
def identity_logits(
    temperature: Scalar, num_sources: int, num_labels: int
) -> Float[Array, "U K K"]:
    """Returns logits of sources that are often right, and evenly wrong otherwise: τ·I.

    Args:
      temperature: τ. If infinite, the logits are those of the identity matrix: 0 and −inf.
      num_sources: U.
      num_labels: K.

    Returns:
      [U, K, K], the same matrix for every source.

    Examples:
      >>> identity_logits(2.0, num_sources=1, num_labels=2)
      Array([[[2., 0.],
              [0., 2.]]], dtype=float32)
    """
    identity = jnp.eye(num_labels, dtype=bool)
    return jnp.tile(logits_of_meaning(temperature, identity), (num_sources, 1, 1))


@kernel
def logits_of_meaning(
    temperature: Scalar, compatible: Bool[Array, "*sources V K"]
) -> Float[Array, "*sources V K"]:
    """Returns logits of sources whose labels differ from the target's: τ where they may agree.

    Column y is a softmax over the labels that the source has: e^τ for those that may mean y, 1 for
    the others. A column that no label may mean is uniform over them: whatever the source predicts
    is then no evidence for or against that true label.

    Args:
      temperature: τ. If infinite, labels that may not mean the true one have −inf.
      compatible: [..., V, K], whether a source's label may mean the true label; a row that is False
        throughout is a label that the source does not have.

    Returns:
      [..., V, K], −inf in the rows of labels that the source does not have (unless it has none);
      `identity_logits` for the identity.

    Examples:
      >>> compatible = jnp.array([[True, False, False], [False, True, True]])  # PERSON, OTHER
      >>> logits_of_meaning(2.0, compatible)
      Array([[2., 0., 0.],
             [0., 2., 2.]], dtype=float32)
    """
    infinite = jnp.isinf(temperature)
    has_label = jnp.any(compatible, axis=-1, keepdims=True)
    has_label |= ~jnp.any(has_label, axis=-2, keepdims=True)
    meant = jnp.any(compatible, axis=-2, keepdims=True)
    other = jnp.where(infinite & meant, -jnp.inf, 0.0)
    logits = jnp.where(compatible, jnp.where(infinite, 0.0, temperature), other)
    logits = jnp.where(has_label, logits, -jnp.inf)
    return jnp.asarray(logits, jnp.result_type(temperature, float))


@kernel
def log_confusion_from_logits(
    logits: Float[Array, "*sources V K"],
) -> Float[Array, "*sources V K"]:
    """Returns the log-probabilities of confusion matrices: log-softmax over predictions.

    Args:
      logits: [..., V, K], no column all −inf.

    Returns:
      [..., V, K], each column's exponentials sum to 1.

    Examples:
      >>> logits = identity_logits(temperature_from_diagonal(0.4, 3), 1, 3)
      >>> jnp.exp(log_confusion_from_logits(logits))
      Array([[[0.4, 0.3, 0.3],
              [0.3, 0.4, 0.3],
              [0.3, 0.3, 0.4]]], dtype=float32)
    """
    return jax.nn.log_softmax(logits, axis=-2)


@kernel
def mix_log_confusion(
    log_fixed: Float[Array, "*sources V K"],
    log_trainable: Float[Array, "*sources V K"],
    mix: Scalar,
) -> Float[Array, "*sources V K"]:
    """Returns the mixture of the fixed and the trainable confusion matrices.

    log φ = log(λψ + (1 − λ)σ), Hu et al. (2021), [Risk Minimization for Zero-shot Sequence
    Labeling](https://aclanthology.org/2021.acl-long.380).

    Args:
      log_fixed: [..., V, K], log ψ.
      log_trainable: [..., V, K], log σ.
      mix: [], λ: 1 is minimum risk training, below 1 the latent variable model.

    Returns:
      [..., V, K], log φ, with finite gradients for every λ from 0 to 1; `log_fixed` at λ = 1 and
      `log_trainable` at λ = 0.

    Examples:
      >>> fixed, trainable = jnp.eye(2), jnp.full((2, 2), 0.5)
      >>> jnp.exp(mix_log_confusion(jnp.log(fixed), jnp.log(trainable), 0.6))
      Array([[0.8, 0.2],
             [0.2, 0.8]], dtype=float32)
    """
    largest = jnp.maximum(jnp.log(mix) + log_fixed, jnp.log1p(-jnp.asarray(mix)) + log_trainable)
    shift = lax.stop_gradient(jnp.where(jnp.isfinite(largest), largest, 0))
    fixed = jnp.exp(jnp.minimum(log_fixed - shift, _LARGEST_LOG_RATIO))
    trainable = jnp.exp(jnp.minimum(log_trainable - shift, _LARGEST_LOG_RATIO))
    mixed = mix * fixed + (1 - mix) * trainable
    possible = mixed > 0
    return jnp.where(possible, jnp.log(jnp.where(possible, mixed, 1)) + shift, -jnp.inf)


@kernel
def total_variation(
    log_first: Float[Array, "*sources V K"], log_second: Float[Array, "*sources V K"]
) -> Float[Array, "*sources"]:
    """Returns the distance of two sets of confusion matrices, between 0 (equal) and 1.

    Half the L1 distance of two columns, averaged over the columns.

    Args:
      log_first: [..., V, K], log-probabilities.
      log_second: [..., V, K], log-probabilities.

    Returns:
      [...], one distance per matrix.

    Examples:
      >>> total_variation(jnp.log(jnp.eye(2)), jnp.log(jnp.full((2, 2), 0.5)))
      Array(0.5, dtype=float32)
    """
    difference = jnp.abs(jnp.exp(log_first) - jnp.exp(log_second))
    return jnp.mean(jnp.sum(difference, axis=-2), axis=-1) / 2
