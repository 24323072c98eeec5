"""Random problems of one fixed shape, so that nothing compiles twice, in either precision."""

import contextlib
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import strategies as st

from zsl_jax import kernels

NUM_WORDS, NUM_SOURCES, NUM_LABELS = 6, 3, 4


class Example(NamedTuple):
    """Float64 arrays; some sources abstain, some words are masked."""

    prior_logits: np.ndarray  # [N, K]
    labels: np.ndarray  # [N, U]
    probs: np.ndarray  # [N, U, K], all zero where labels are -1
    fixed_logits: np.ndarray  # [U, K, K]
    trainable_logits: np.ndarray  # [U, K, K]
    source_weight: np.ndarray  # [U]
    prior_weight: float
    mix: float
    mask: np.ndarray  # [N]
    posterior: np.ndarray  # [N, K], some of it exactly 0

    @property
    def prior(self):
        exponentials = np.exp(self.prior_logits)
        return exponentials / exponentials.sum(-1, keepdims=True)


def _example(seed, scale, mix, prior_weight):
    rng = np.random.default_rng(seed)
    labels = rng.integers(-1, NUM_LABELS, (NUM_WORDS, NUM_SOURCES))
    labels[0] = -1  # a word on which every source abstains
    probs = rng.dirichlet(np.full(NUM_LABELS, 0.5), labels.shape) * (labels >= 0)[..., None]
    posterior = rng.dirichlet(np.full(NUM_LABELS, 0.5), NUM_WORDS)
    posterior[1] = np.eye(NUM_LABELS)[2]
    square = (NUM_SOURCES, NUM_LABELS, NUM_LABELS)
    return Example(
        prior_logits=rng.normal(0, scale, (NUM_WORDS, NUM_LABELS)),
        labels=labels,
        probs=probs,
        fixed_logits=rng.normal(0, scale, square),
        trainable_logits=rng.normal(0, scale, square),
        source_weight=rng.uniform(0, 1.5, NUM_SOURCES),
        prior_weight=prior_weight,
        mix=mix,
        mask=rng.random(NUM_WORDS) < 0.7,
        posterior=posterior,
    )


examples = st.builds(
    _example,
    seed=st.integers(0, 2**32 - 1),
    scale=st.sampled_from([0.1, 1.0, 3.0]),
    mix=st.sampled_from([0.0, 0.3, 1.0]),
    prior_weight=st.sampled_from([0.0, 1.0, float(NUM_SOURCES)]),
)


@contextlib.contextmanager
def precision(double):
    """Float32 or float64 for what is computed inside."""
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", double)
    try:
        yield {"rtol": 1e-9, "atol": 1e-10} if double else {"rtol": 2e-4, "atol": 2e-5}
    finally:
        jax.config.update("jax_enable_x64", before)


def arrays(*values):
    """Each value as a JAX array; floats in the precision in force."""
    return tuple(jnp.asarray(value) for value in values)


def both_ways(function, *args):
    """Result inside a compiled function, after asserting in float32 that a call alone gives it.

    Called alone, each kernel is a program of its own; inside, it is inlined and fused with others.
    """
    jitted = jax.jit(function)(*args)
    if not jax.config.jax_enable_x64:
        plain = function(*args)
        for first, second in zip(jax.tree.leaves(plain), jax.tree.leaves(jitted), strict=True):
            assert first.dtype == second.dtype
            np.testing.assert_allclose(first, second, rtol=1e-5, atol=1e-6)
    return jitted


def log_posterior(log_joint):
    """log Q of every word, from the kernel that the E step runs."""
    every_word = jnp.ones(log_joint.shape[:-1], bool)
    return jnp.log(kernels.posterior_and_objective(log_joint, every_word).posterior)


def assert_finite(tree):
    for leaf in jax.tree.leaves(tree):
        assert np.isfinite(leaf).all(), leaf
