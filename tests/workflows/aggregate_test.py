"""Aggregation in blocks of one shape gives what the kernels give for the whole."""

import numpy as np
import pytest

from zsl_jax import kernels
from zsl_jax.runtime.blocks import BLOCK_WORDS
from zsl_jax.types import SourceVotes
from zsl_jax.workflows.aggregate import aggregate

N, U, K = BLOCK_WORDS + 5, 3, 4
RNG = np.random.default_rng(0)
PROBS = RNG.dirichlet(np.ones(K), (N, U)).astype(np.float16)
LABELS = PROBS.argmax(-1).astype(np.int32)
LABELS[RNG.random((N, U)) < 0.3] = -1
PROBS[LABELS < 0] = 0
SILENT = (LABELS < 0).all(1)


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("method", ["majority", "mean", "dawid_skene"])
def test_blocks_give_what_the_kernels_give(method, soft):
    probs = PROBS if soft else None
    found = aggregate(SourceVotes(LABELS, probs), K, method)
    votes = np.asarray(kernels.probs_of_votes(LABELS, K))
    if method == "dawid_skene":
        distinct, times = kernels.distinct_votes(LABELS)
        model = kernels.dawid_skene(distinct, K, times=times)
        table = kernels.label_model_posterior(LABELS, model.log_prior, model.log_confusion)
    else:
        table = kernels.mean_probs(PROBS if soft and method == "mean" else votes)
    ids = np.asarray(table).argmax(-1)
    if method == "majority":
        ids = np.asarray(kernels.majority_vote(LABELS, probs, K))
    assert SILENT.any()
    assert not found.probs[SILENT].any() and (found.labels[SILENT] == -1).all()
    np.testing.assert_allclose(found.probs[~SILENT], np.asarray(table)[~SILENT], atol=1e-5)
    if method != "dawid_skene":
        np.testing.assert_array_equal(found.labels[~SILENT], ids[~SILENT])
