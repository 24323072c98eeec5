"""Random problems for the kernels of the chain label model, of one fixed shape, in float64."""

import itertools
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

NUM_WORDS, NUM_SOURCES, NUM_VOTES, NUM_LABELS = 12, 3, 6, 4
STANDS_FOR = np.concatenate([np.eye(4), [[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]]])


class Example(NamedTuple):
    """Sources with labels of their own, one of which is a set; sentences of up to 5 words."""

    probs: np.ndarray  # [N, U, V], all-zero rows abstain
    mask: np.ndarray  # [N]
    weights: np.ndarray  # [U, K]
    compatible: np.ndarray  # [U, V, K]
    confusion: np.ndarray  # [U, V, K]
    posterior: np.ndarray  # [N, K]
    potentials: np.ndarray  # [N, K], of which some are -inf
    lengths: np.ndarray  # of sentences
    start: np.ndarray  # [K]
    transitions: np.ndarray  # [K, K], of which some are 0

    @property
    def starts(self):
        starts = np.zeros(NUM_WORDS, bool)
        starts[np.cumsum(self.lengths) - self.lengths] = True
        return starts

    @property
    def labels(self):
        return np.where(self.probs.any(axis=2), self.probs.argmax(axis=2), -1)

    @property
    def trust(self):
        return self.weights[:, 0] / self.weights[:, 0].max()


def _example(seed, least_weight, lengths):
    rng = np.random.default_rng(seed)
    compatible = np.tile(STANDS_FOR > 0, (NUM_SOURCES, 1, 1))
    compatible[0, 4:] = compatible[1, 5] = compatible[2, 2] = (
        False  # labels that sources do not have
    )
    has = compatible.any(axis=2)
    probs = rng.dirichlet(np.full(NUM_VOTES, 0.5), (NUM_WORDS, NUM_SOURCES)) * has
    probs /= probs.sum(axis=2, keepdims=True)
    probs[rng.random(probs.shape[:2]) < 0.3] = 0
    probs[0] = 0  # a word on which every source abstains
    potentials = rng.normal(0, 2, (NUM_WORDS, NUM_LABELS))
    potentials[rng.integers(0, NUM_WORDS), rng.integers(0, NUM_LABELS)] = -np.inf
    transitions = rng.dirichlet(np.ones(NUM_LABELS), NUM_LABELS)
    transitions[0, 2] = 0
    return Example(
        probs=probs,
        mask=rng.random(NUM_WORDS) < 0.7,
        weights=rng.uniform(0, 1, (NUM_SOURCES, NUM_LABELS)) + least_weight,
        compatible=compatible,
        confusion=rng.dirichlet(np.ones(NUM_VOTES), (NUM_SOURCES, NUM_LABELS)).swapaxes(1, 2),
        posterior=rng.dirichlet(np.full(NUM_LABELS, 0.5), NUM_WORDS),
        potentials=potentials,
        lengths=np.array(lengths),
        start=rng.dirichlet(np.ones(NUM_LABELS)),
        transitions=transitions / transitions.sum(axis=1, keepdims=True),
    )


_sentences = [
    lengths for lengths in itertools.product(range(1, 6), repeat=4) if sum(lengths) == NUM_WORDS
]
chain_examples = st.builds(
    _example,
    seed=st.integers(0, 2**32 - 1),
    least_weight=st.sampled_from([0.0, 1.0]),
    lengths=st.sampled_from(_sentences),
)
