"""Tests of zsl_jax.training.optimizer."""

import jax
import numpy as np

from zsl_jax.training.config import OptimizerConfig
from zsl_jax.training.optimizer import make_optimizer

ONES = np.ones((2, 2), np.float32)
PARAMS = {"dense": {"kernel": ONES, "bias": ONES[0]}, "embeddings": ONES}


def moved(config, gradients=PARAMS):
    """Where two updates in a row would move the parameters to, at rate 1."""
    optimizer = make_optimizer(config)
    update = jax.jit(optimizer.update)
    state = jax.jit(optimizer.init)(PARAMS)
    for scale in (1.0, 3.0):
        scaled = jax.tree.map(lambda leaf, by=scale: leaf * by, gradients)
        updates, state = update(scaled, state, PARAMS)
    return updates


def test_only_dense_kernels_decay():
    none, some = (moved(OptimizerConfig(weight_decay=decay)) for decay in (0.0, 0.5))
    moves = jax.tree.map(lambda a, b: np.asarray(b - a), none, some)
    np.testing.assert_allclose(moves["dense"]["kernel"], 0.5, rtol=1e-5)
    assert not moves["dense"]["bias"].any() and not moves["embeddings"].any()


def test_a_norm_of_zero_clips_nothing():
    free, huge, tight = (moved(OptimizerConfig(clip_norm=norm)) for norm in (0.0, 1e9, 1.0))
    jax.tree.map(np.testing.assert_array_equal, free, huge)
    assert not np.allclose(free["dense"]["bias"], tight["dense"]["bias"])
