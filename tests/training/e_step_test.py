"""Q of a text is that of its words, however they fall into blocks."""

import numpy as np
import pytest

from zsl_jax.runtime.blocks import BLOCK_WORDS
from zsl_jax.training.config import JointWeights
from zsl_jax.training.e_step import label_posterior

N, U, K = 2 * BLOCK_WORDS + 3, 2, 3
RNG = np.random.default_rng(0)
PRIOR, PREVIOUS = RNG.dirichlet(np.ones(K), (2, N))
CONFUSION = RNG.dirichlet(np.ones(K), (U, K)).swapaxes(1, 2)
PROBS = RNG.dirichlet(np.ones(K), (N, U)).astype(np.float16)
LABELS = RNG.integers(-1, K, (N, U)).astype(np.int32)
PROBS[LABELS < 0] = 0


@pytest.mark.parametrize("soft", [False, True])
def test_blocks_give_the_posterior_and_sums_of_the_whole(soft):
    joint = PRIOR.copy()
    for source, matrix in enumerate(CONFUSION):
        if soft:
            likelihood = PROBS[:, source].astype(np.float64) @ matrix
            likelihood[LABELS[:, source] < 0] = 1
        else:
            likelihood = np.vstack([matrix, np.ones(K)])[LABELS[:, source]]
        joint *= likelihood
    q = joint / joint.sum(1, keepdims=True)
    log_prior, previous = np.log(PRIOR).astype(np.float32), PREVIOUS.astype(np.float32)
    arguments = (PROBS if soft else LABELS, np.log(CONFUSION).astype(np.float32))
    first = label_posterior(JointWeights(), log_prior, *arguments)
    np.testing.assert_allclose(first.posterior, q, atol=1e-5)
    assert first.objective == pytest.approx(-np.log(joint.sum(1)).sum(), rel=1e-5)
    assert first.bound == pytest.approx(first.objective, rel=1e-5)
    assert first.entropy == pytest.approx(-(q * np.log(q)).sum(), rel=1e-4)
    own = log_prior.copy()
    second = label_posterior(JointWeights(), own, *arguments, previous=previous, out=own)
    assert second.posterior is own
    np.testing.assert_array_equal(own, first.posterior)
    bound = (PREVIOUS * (np.log(PREVIOUS) - np.log(joint))).sum()
    assert second.bound == pytest.approx(bound, rel=1e-4)
    hard = label_posterior(JointWeights(), log_prior, *arguments, hard=True)
    np.testing.assert_array_equal(hard.posterior.argmax(1), first.posterior.argmax(1))
    assert hard.bound == pytest.approx(-np.log(joint.max(1)).sum(), rel=1e-4)
