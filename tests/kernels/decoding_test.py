import itertools

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernels import reference
from tests.kernels.examples import arrays, precision
from zsl_jax import kernels

few = settings(max_examples=40, deadline=None)
NUM_WORDS, NUM_LABELS = 7, 3  # one shape, so that nothing compiles twice
FREE = (
    np.ones(NUM_LABELS, bool),
    np.ones((NUM_LABELS, NUM_LABELS), bool),
    np.ones(NUM_LABELS, bool),
)
BIO = (  # O, B-X, I-X
    np.array([True, True, False]),
    np.array([[True, True, False], [True, True, True], [True, True, True]]),
    np.ones(NUM_LABELS, bool),
)


class Problem:
    """A text of one to four sentences, with random transitions."""

    def __init__(self, seed):
        rng = np.random.default_rng(seed)
        self.log_probs = np.log(rng.dirichlet(np.full(NUM_LABELS, 0.5), NUM_WORDS))
        self.starts = rng.random(NUM_WORDS) < 0.3
        self.starts[0] = True
        square = (NUM_LABELS, NUM_LABELS)
        sizes = (NUM_LABELS, square, NUM_LABELS)
        self.transitions = tuple(rng.random(size) < 0.7 for size in sizes)

    @property
    def sentences(self):
        bounds = [*np.flatnonzero(self.starts), NUM_WORDS]
        return [slice(*pair) for pair in itertools.pairwise(bounds)]


def is_allowed(labels, may_start, may_follow, may_end):
    follow = all(may_follow[pair] for pair in itertools.pairwise(labels))
    return bool(may_start[labels[0]] and follow and may_end[labels[-1]])


problems = st.builds(Problem, st.integers(0, 2**32 - 1))


@pytest.mark.parametrize("double", [False, True], ids=["float32", "float64"])
@few
@given(problem=problems)
def test_no_allowed_sequence_is_better(problem, double):
    best = reference.viterbi(problem.log_probs, problem.starts, *problem.transitions)
    with precision(double):
        arguments = arrays(problem.log_probs, problem.starts, *problem.transitions)
        found = kernels.viterbi(*arguments)
        with jax.disable_jit():
            plain = kernels.viterbi(*arguments)
    np.testing.assert_array_equal(found, plain)
    found = np.asarray(found)
    for sentence, score in zip(problem.sentences, best, strict=True):
        if score is None:
            continue
        assert is_allowed(found[sentence], *problem.transitions)
        own = problem.log_probs[sentence][np.arange(len(found[sentence])), found[sentence]].sum()
        np.testing.assert_allclose(own, score, atol=1e-5)


@few
@given(problems)
def test_it_is_the_arg_max_where_that_is_allowed(problem):
    values = np.round(problem.log_probs, 0).astype(np.float32)  # many ties
    best = values.argmax(-1)
    np.testing.assert_array_equal(kernels.viterbi(values, problem.starts, *FREE), best)
    found = np.asarray(kernels.viterbi(values, problem.starts, *BIO))
    for sentence in problem.sentences:
        if is_allowed(best[sentence], *BIO):
            np.testing.assert_array_equal(found[sentence], best[sentence])


@few
@given(problems, st.integers(0, NUM_WORDS - 1))
def test_sentences_do_not_see_each_other(problem, place):
    """Other sentences changed, or made padding of one word each: the same labels."""
    found = np.asarray(kernels.viterbi(problem.log_probs, problem.starts, *problem.transitions))
    kept = next(s for s in problem.sentences if s.start <= place < s.stop)
    other = np.ones(NUM_WORDS, bool)
    other[kept] = False
    values, starts = problem.log_probs.copy(), problem.starts | other
    values[other] = 0
    starts[kept.stop : kept.stop + 1] = True
    alone = np.asarray(kernels.viterbi(values, starts, *problem.transitions))
    if reference.viterbi(values[kept], starts[kept], *problem.transitions) != [None]:
        np.testing.assert_array_equal(alone[kept], found[kept])


def test_an_orphan_is_settled_by_the_whole_sentence():
    values = np.log([[0.6, 0.3, 0.1], [0.25, 0.15, 0.6], [0.2, 0.2, 0.6]])
    starts = np.array([True, False, False])
    assert kernels.viterbi(values, starts, *BIO).tolist() == [1, 2, 2]
    starts[1] = True
    assert kernels.viterbi(values, starts, *BIO).tolist() == [0, 1, 2]


def test_edges():
    """Certain words, no allowed sequence, a text of 100,000 words, no word at all."""
    certain = np.full((3, 3), -np.inf)
    certain[[0, 1, 2], [0, 2, 2]] = 0
    starts = np.array([True, False, False])
    labels = kernels.viterbi(certain, starts, *BIO)
    assert is_allowed(labels.tolist(), *BIO) and labels[2] == 2
    nothing = tuple(np.zeros_like(mask) for mask in BIO)
    assert kernels.viterbi(certain, starts, *nothing).tolist() == [0, 2, 2]
    rng = np.random.default_rng(0)
    long = np.log(rng.dirichlet([1, 1, 1], 100_000)).astype(np.float32)
    start = np.arange(len(long)) == 0
    np.testing.assert_array_equal(kernels.viterbi(long, start, *FREE), long.argmax(-1))
    assert kernels.viterbi(np.zeros((0, 3)), np.zeros(0, bool), *BIO).shape == (0,)
