"""The chain beside a reference in NumPy that was written apart from it and lies beside the data.

The reference has other constants than the defaults here, no sets of labels, no abstentions and no
copies. With its constants and one iteration, both give the same numbers; with more iterations, the
reference counts the steps of the chain from Q, and ours expects them.
"""

import functools

import numpy as np
import pytest

from tests.kernels.examples import precision
from tests.real_data import tool
from zsl_jax import kernels
from zsl_jax.training import chain_fit
from zsl_jax.training.chain_inference import posterior_of_text
from zsl_jax.training.chain_text import ChainLabels, ChainText
from zsl_jax.training.config import ChainConfig

NUM_LABELS, ACCURACY = 5, (0.8, 0.7, 0.6, 0.5)
WORDS = [
    "Abc",
    "def",
    "ghi12",
    "JKL",
    "mnopq",
    "Rstu",
    ".",
    "vwxy",
    *map("word{}".format, range(40)),
]
CONFIG = ChainConfig(source_weight=0.5, scale=0.5, back_off=3.0, iterations=1)
BIO = np.array(  # "O", "B-X", "I-X", "B-Y", "I-Y"
    [[1, 1, 0, 1, 0], [1, 1, 1, 1, 0], [1, 1, 1, 1, 0], [1, 1, 0, 1, 1], [1, 1, 0, 1, 1]], bool
)


@pytest.fixture(scope="module")
def reference():
    module = tool("label_model_reference")
    module.ROUNDS = 1
    return module


@pytest.fixture
def constants(monkeypatch):
    """A count of 1 for every step, as in the reference."""
    smoothed = functools.partial(kernels.transition_probs, pseudo_count=1.0)
    monkeypatch.setattr(kernels, "transition_probs", smoothed)


def random_text(seed, num_sentences=120):
    """Words, sentence lengths, and probabilities [N, U, K] of sources that are often right."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 12, num_sentences)
    count, num_sources = lengths.sum(), len(ACCURACY)
    truth = rng.integers(0, NUM_LABELS, count)
    probs = rng.dirichlet(np.full(NUM_LABELS, 0.4), (count, num_sources))
    right = rng.random((count, num_sources)) < ACCURACY
    certain = np.eye(NUM_LABELS)[truth][:, None]
    probs = np.where(right[..., None], 0.3 * probs + 0.7 * certain, probs)
    return [WORDS[i] for i in rng.integers(0, len(WORDS), count)], lengths, probs


def key_ids(reference, words, known=None):
    """[N, L], ids of the words' keys, and the ids by level; -1 for those that are not known."""
    levels = [reference.keys(word) for word in words]
    ids = known or [
        {key: place for place, key in enumerate(dict.fromkeys(level))}
        for level in zip(*levels, strict=True)
    ]
    rows = [[ids[n].get(key, -1) for n, key in enumerate(keys)] for keys in levels]
    return np.array(rows, np.int32), ids


@pytest.mark.parametrize("allowed", [np.ones((5, 5), bool), BIO], ids=["tags", "entities"])
def test_the_chain_is_the_shared_reference(reference, constants, allowed):
    words, lengths, probs = random_text(0)
    new_words, new_lengths, new_probs = random_text(1, num_sentences=30)
    new_words[:2] = "Never", "seen"
    expected = reference.fit(probs, words, lengths, allowed)
    expected_new = reference.posterior(expected, new_probs, new_words, new_lengths)
    identity = np.eye(NUM_LABELS)
    meanings = kernels.VoteMeanings(identity, np.tile(identity > 0, (len(ACCURACY), 1, 1)))
    labels = ChainLabels(meanings, np.ones(NUM_LABELS, bool), allowed)
    ids, known = key_ids(reference, words)
    new = ChainText(new_probs, new_lengths, key_ids(reference, new_words, known)[0])
    with precision(double=True):
        fitted, result = chain_fit.fit_chain(ChainText(probs, lengths, ids), labels, CONFIG)
        q = posterior_of_text(new, labels, CONFIG, fitted)
    close = functools.partial(np.testing.assert_allclose, rtol=0, atol=3e-8)
    close(np.exp(fitted.sources.log_confusion), expected.sigma)
    close(fitted.sources.weights, expected.weights)
    close(fitted.sources.trust, expected.trust)
    close(result.posterior, expected.q)
    close(fitted.state.transitions, expected.transitions)
    close(q, expected_new)
    np.testing.assert_array_equal(fitted.copies, np.eye(len(ACCURACY)))
