"""The state that training updates, and its initial values."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Array, Float, Int, UInt32

AnyArray = Array | np.ndarray  # on the devices or on the host


class TrainState(NamedTuple):
    """Everything an update reads and writes.

    Attributes:
      params: {"encoder": ..., "classifier": ...}, the trained part of the tagger.
      confusion_logits: [U, V, K], logits of σ; U = 0 without a label model.
      opt_state: The optimiser's moments, for both of the above.
      step: [], number of updates so far.
      key: [2], data of the PRNG key; the dropout of update `step` uses fold_in(key, step).
    """

    params: dict[str, Any]
    confusion_logits: Float[AnyArray, "U V K"]
    opt_state: Any
    step: Int[AnyArray, ""]
    key: UInt32[AnyArray, "2"]


def trainable(state: TrainState) -> dict[str, Any]:
    """Returns the part of the state that has gradients, as one tree."""
    return {"tagger": state.params, "confusion": state.confusion_logits}


def new_key(seed: int) -> np.ndarray:
    """Returns the data of `jax.random.key(seed)` for JAX's own generator, threefry."""
    return np.array([seed >> 32, seed & 0xFFFFFFFF], np.uint32)


def new_classifier(
    rng: np.random.Generator, hidden_size: int, num_labels: int
) -> dict[str, np.ndarray]:
    """Returns a new linear head: kernel [H, K] ~ N(0, 0.02²), bias [K] = 0."""
    kernel = rng.normal(0.0, 0.02, (hidden_size, num_labels)).astype(np.float32)
    return {"kernel": kernel, "bias": np.zeros(num_labels, np.float32)}


def new_prediction_head(
    rng: np.random.Generator, hidden_size: int
) -> dict[str, dict[str, np.ndarray]]:
    """Returns a new layer between encoder and classifier: kernel [H, H] ~ N(0, 0.02²), scale 1."""
    kernel = rng.normal(0.0, 0.02, (hidden_size, hidden_size)).astype(np.float32)
    return {"dense": {"kernel": kernel}, "norm": {"scale": np.ones(hidden_size, np.float32)}}
