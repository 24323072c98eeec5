"""Aggregation in blocks of one shape gives what the kernels give for the whole."""

import numpy as np
import pytest

from launch import shared_flags
from zsl_jax import kernels
from zsl_jax.runtime import processes
from zsl_jax.runtime.blocks import BLOCK_WORDS
from zsl_jax.types import SourceVotes
from zsl_jax.workflows.vote_aggregation import (
    AGGREGATIONS,
    FITTED,
    METHODS,
    aggregate_votes,
    fit_to_votes,
)

N, U, K = BLOCK_WORDS + 5, 3, 4
RNG = np.random.default_rng(0)
PROBS = RNG.dirichlet(np.ones(K), (N, U)).astype(np.float16)
LABELS = PROBS.argmax(-1).astype(np.int32)
LABELS[RNG.random((N, U)) < 0.3] = -1
PROBS[LABELS < 0] = 0
SILENT = (LABELS < 0).all(1)


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("method", ["majority", "mean", "dawid_skene", "bea"])
def test_blocks_give_what_the_kernels_give(method, soft):
    probs = PROBS if soft else None
    found = aggregate_votes(SourceVotes(LABELS, probs), K, method)
    votes = np.asarray(kernels.probs_of_votes(LABELS, K))
    if method in ("dawid_skene", "bea"):
        fit = kernels.dawid_skene if method == "dawid_skene" else kernels.bayesian_dawid_skene
        distinct, times = kernels.distinct_votes(LABELS)
        model = fit(distinct, K, times=times)
        table = kernels.label_model_posterior(LABELS, model.log_prior, model.log_confusion)
    else:
        table = kernels.mean_probs(PROBS if soft and method == "mean" else votes)
    ids = np.asarray(table).argmax(-1)
    if method == "majority":
        ids = np.asarray(kernels.majority_vote(LABELS, probs, K))
    assert SILENT.any()
    assert not found.probs[SILENT].any() and (found.labels[SILENT] == -1).all()
    np.testing.assert_allclose(found.probs[~SILENT], np.asarray(table)[~SILENT], atol=1e-5)
    if method in ("majority", "mean"):
        np.testing.assert_array_equal(found.labels[~SILENT], ids[~SILENT])


# The last of these three words has no votes.
FEW = SourceVotes(np.array([[0, 1, 1], [2, 0, -1], [-1, -1, -1]], np.int32), None)


@pytest.mark.parametrize("method", METHODS)
def test_every_aggregation_gives_each_word_with_votes_a_label(method):
    made = aggregate_votes(FEW, 3, method)
    assert (made.labels[:2] >= 0).all() and made.labels[2] == -1
    np.testing.assert_allclose(made.probs.sum(-1), [1, 1, 0], atol=1e-5)


def test_dawid_skene_outvotes_a_majority_of_bad_sources():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 4000)
    good = [np.where(rng.random(4000) < 0.9, truth, rng.integers(0, 3, 4000)) for _ in range(2)]
    bad = [np.where(rng.random(4000) < 0.25, truth, rng.integers(0, 3, 4000)) for _ in range(5)]
    votes = SourceVotes(np.stack([*good, *bad], 1).astype(np.int32), None)
    right = {m: (aggregate_votes(votes, 3, m).labels == truth).mean() for m in METHODS}
    assert right["dawid_skene"] > right["majority"] + 0.02


def test_bea_is_fitted_to_the_text_and_applied_to_the_test():
    text, test = SourceVotes(LABELS, None), SourceVotes(LABELS[:40], None)
    whole = aggregate_votes(text, K, "bea")
    fitted = fit_to_votes(text, K, "bea")
    np.testing.assert_allclose(
        aggregate_votes(test, K, "bea", fitted).probs, whole.probs[:40], atol=1e-5
    )
    assert np.abs(aggregate_votes(test, K, "bea").probs - whole.probs[:40]).max() > 1e-3
    np.testing.assert_allclose(np.exp(whole.log_confusion).sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("method", FITTED)
def test_a_model_is_fitted_to_the_votes_of_all_processes(method, monkeypatch):
    parts = [SourceVotes(LABELS[:5000], None), SourceVotes(LABELS[5000:], None)]
    expected = fit_to_votes(SourceVotes(LABELS, None), K, method)
    others = iter(kernels.distinct_votes(parts[1].labels))
    monkeypatch.setattr(
        processes, "concatenate", lambda array: np.concatenate([array, next(others)])
    )
    found = fit_to_votes(parts[0], K, method)
    np.testing.assert_allclose(found.log_prior, expected.log_prior, atol=1e-4)
    np.testing.assert_allclose(found.log_confusion, expected.log_confusion, atol=1e-3)


def test_programs_offer_every_aggregation():
    assert shared_flags.DEFINITIONS["method"][2] == list(AGGREGATIONS)
