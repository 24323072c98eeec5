"""What users of the kernels alone rely on: types, weights, batches, and what bad arguments do."""

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

from tests.kernels import four_devices
from zsl_jax import kernels

N, U, V, K = 6, 3, 5, 4
RNG = np.random.default_rng(0)
LOG_PRIOR = np.log(RNG.dirichlet(np.ones(K), N)).astype(np.float32)
LABELS = RNG.integers(-1, V, (N, U)).astype(np.int32)
LABELS[[0, 2, 3, 4, 5], [0, 1, 2, 0, 2]] = -1
PROBS = (RNG.dirichlet(np.ones(V), (N, U)) * (LABELS >= 0)[..., None]).astype(np.float32)
CONFUSION = np.log(RNG.dirichlet(np.ones(V), (U, K)).swapaxes(1, 2)).astype(np.float32)
POSTERIOR = RNG.dirichlet(np.ones(K), N).astype(np.float32)
MASK = np.arange(N) != 2
COMPATIBLE = RNG.random((U, V, K)) < 0.6
STANDS_FOR = RNG.dirichlet(np.ones(K), V).astype(np.float32)
WEIGHTS = RNG.dirichlet(np.ones(U), K).T.astype(np.float32)
EVEN = np.full(K, 1 / K, np.float32)
MEANINGS = kernels.VoteMeanings(STANDS_FOR, COMPATIBLE)
SOURCES = kernels.SourceReliability(
    CONFUSION, np.ones(U, np.float32), np.full((U, V), 1 / V, np.float32), WEIGHTS, EVEN
)
STARTS = np.arange(N) % 3 == 0
START, TRANSITIONS = EVEN, RNG.dirichlet(np.ones(K), K).astype(np.float32)
STATE = kernels.ChainState((RNG.random((7, K)).astype(np.float32),), EVEN, EVEN, TRANSITIONS)
KEYS = RNG.integers(-1, 7, (N, 1))
ALLOWED = np.ones((K, K), bool)

# Each takes votes alone, and gives something for every word or sums over them.
OF_LABELS = {
    "hard_log_likelihood": lambda v: jnp.stack(
        [kernels.hard_log_likelihood(label, CONFUSION[0]) for label in v[:, 0]]
    ),
    "source_log_likelihoods": lambda v: kernels.source_log_likelihoods(v, CONFUSION),
    "log_joint": lambda v: kernels.log_joint(LOG_PRIOR, v, CONFUSION),
    "expected_counts": lambda v: kernels.expected_counts(POSTERIOR, v, MASK, V),
    "probs_of_votes": lambda v: kernels.probs_of_votes(v, V),
    "majority_vote": lambda v: kernels.majority_vote(v, None, V),
    "summarise_votes": lambda v: kernels.summarise_votes(v, None, V),
    "dawid_skene": lambda v: kernels.dawid_skene(v, V, max_iterations=3),
    "bayesian_dawid_skene": lambda v: kernels.bayesian_dawid_skene(v, V, max_iterations=3),
    "label_model_posterior": lambda v: kernels.label_model_posterior(v, EVEN, CONFUSION),
    "source_agreement": lambda v: kernels.source_agreement(POSTERIOR, v, COMPATIBLE, MASK),
    "pair_sums": lambda v: kernels.pair_sums(v, MASK, V),
    "reliability_sums": lambda v: kernels.reliability_sums(v, MASK, WEIGHTS, MEANINGS),
    "label_sums": lambda v: kernels.label_sums(LOG_PRIOR, v, MASK, CONFUSION),
    "log_evidence": lambda v: kernels.log_evidence(v, SOURCES, STANDS_FOR),
    "mean_by_reliability": lambda v: kernels.mean_by_reliability(v, WEIGHTS, STANDS_FOR),
}


def assert_equal(first, second):
    jax.tree.map(np.testing.assert_array_equal, first, second)


@pytest.mark.parametrize("name", OF_LABELS)
def test_labels_out_of_range_abstain_in_every_kernel(name):
    outside = LABELS.copy()
    outside[LABELS < 0] = np.resize([V, -2, V + 300, -(2**31), 2**31 - 1], (LABELS < 0).sum())
    assert_equal(OF_LABELS[name](outside), OF_LABELS[name](LABELS))


@pytest.mark.parametrize("name", ["log_joint", "expected_counts", "majority_vote"])
def test_labels_may_be_small_integers(name):
    assert_equal(OF_LABELS[name](LABELS.astype(np.int8)), OF_LABELS[name](LABELS))


def test_keys_may_be_small_integers_beside_a_large_table():
    table = np.random.default_rng(1).random((300, K)).astype(np.float32)
    state = STATE._replace(type_counts=(table,))
    keys = np.array([[100], [-1], [127], [0], [44], [-128]])
    zeros = np.zeros_like(LOG_PRIOR)

    def results(dtype):
        small = keys.astype(dtype)
        return (
            kernels.log_potentials(LOG_PRIOR, zeros, small, state, 1.0),
            kernels.word_type_counts(POSTERIOR, small[:, 0], 300),
            kernels.dawid_skene(LABELS, 300, 50 * np.arange(3).astype(dtype), max_iterations=2),
        )

    assert_equal(results(np.int8), results(np.int32))


@pytest.mark.parametrize("name", ["log_joint", "expected_counts", "majority_vote"])
def test_labels_beyond_int32_abstain_where_jax_reads_64_bits(name):
    outside = LABELS.astype(np.int64)
    outside[LABELS < 0] = np.resize([2**32, 2**32 + 1, -(2**32) + 1, 2**63 - 1], (LABELS < 0).sum())
    with jax.enable_x64(True):
        assert_equal(OF_LABELS[name](outside), OF_LABELS[name](LABELS))


def test_numbers_of_labels_may_be_those_of_numpy():
    expected = kernels.dawid_skene(LABELS, V, max_iterations=3)
    assert_equal(kernels.dawid_skene(LABELS, np.int64(V), max_iterations=3), expected)
    assert kernels.identity_logits(2.0, np.int32(U), num_labels=np.uint8(K)).shape == (U, K, K)


def test_gold_labels_and_keys_out_of_range_count_as_missing():
    joint = jnp.asarray(LOG_PRIOR)
    assert_equal(kernels.clamp_log_joint(joint, np.array([K, -2, -1, K, 99, -1])), joint)
    counts = kernels.word_type_counts(POSTERIOR, np.array([7, -2, 0, 8, 1, 9]), 7)
    np.testing.assert_allclose(counts.sum(), 2, rtol=1e-6)
    outside = np.where(KEYS < 0, 7, KEYS)
    zeros = np.zeros_like(LOG_PRIOR)
    assert_equal(
        kernels.log_potentials(LOG_PRIOR, zeros, outside, STATE, 1.0),
        kernels.log_potentials(LOG_PRIOR, zeros, KEYS, STATE, 1.0),
    )


def test_distinct_votes_take_every_negative_label_for_an_abstention():
    distinct, times = kernels.distinct_votes(np.array([[-2, 1], [-1, 1], [0, 1]]))
    assert distinct.tolist() == [[-1, 1], [0, 1]]
    assert times.tolist() == [2, 1]


@pytest.mark.parametrize("labels", [np.ones((2, 2)), np.ones(2, int), np.ones((2, 2), bool), None])
def test_distinct_votes_are_those_of_label_ids_by_word_and_source(labels):
    with pytest.raises(jaxtyping.TypeCheckError, match="'labels'"):
        kernels.distinct_votes(labels)
    assert kernels.distinct_votes(jnp.zeros((3, 2), int))[1].tolist() == [3]


BAD = {
    "as many matrices as sources": (
        "log_confusion",
        lambda: kernels.log_joint(LOG_PRIOR, LABELS, CONFUSION[:2]),
    ),
    "as many weights as sources": (
        "source_weight",
        lambda: kernels.log_joint(LOG_PRIOR, LABELS, CONFUSION, np.ones(2, np.float32)),
    ),
    "as many true labels in the matrix as in the prior": (
        "log_confusion",
        lambda: kernels.log_joint(LOG_PRIOR, LABELS, CONFUSION[..., :3]),
    ),
    "as many words in labels as in the prior": (
        "votes",
        lambda: kernels.log_joint(LOG_PRIOR, LABELS[:-1], CONFUSION),
    ),
    "as many columns in probabilities as in the matrix": (
        "log_confusion",
        lambda: kernels.log_joint(LOG_PRIOR, PROBS[..., :-1], CONFUSION),
    ),
    "one mask per word": (
        "mask",
        lambda: kernels.posterior_and_objective(LOG_PRIOR, MASK[:-1]),
    ),
    "labels are integers": (
        "labels",
        lambda: kernels.dawid_skene(PROBS[..., 0], V),
    ),
    "as many sources as the evidence knows": (
        "weights",
        lambda: kernels.log_evidence(LABELS[:, :2], SOURCES, STANDS_FOR),
    ),
    "square transitions": (
        "transitions",
        lambda: kernels.chain_marginals(LOG_PRIOR, STARTS, MASK, START, TRANSITIONS[:, :3]),
    ),
    "a start per word": (
        "starts",
        lambda: kernels.viterbi(LOG_PRIOR, STARTS[:2], ALLOWED[0], ALLOWED, ALLOWED[0]),
    ),
}


@pytest.mark.parametrize("promise", BAD)
def test_wrong_shapes_raise_with_the_name_of_the_argument(promise):
    argument, call = BAD[promise]
    with pytest.raises(jaxtyping.TypeCheckError, match=f"parameter '{argument}'"):
        call()


def test_one_number_serves_as_weight_of_every_source():
    for votes in (LABELS, PROBS):
        every = kernels.log_joint(LOG_PRIOR, votes, CONFUSION, np.full(U, 0.5, np.float32), 2.0)
        assert_equal(kernels.log_joint(LOG_PRIOR, votes, CONFUSION, 0.5, 2), every)
        plain = kernels.log_joint(LOG_PRIOR, votes, CONFUSION, np.ones(U, np.float32), 1.0)
        assert_equal(kernels.log_joint(LOG_PRIOR, votes, CONFUSION, 1), plain)


@pytest.mark.parametrize("votes", [LABELS, PROBS], ids=["labels", "probs"])
@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16])
def test_half_precision_priors_are_read_in_float32(dtype, votes):
    half = jnp.asarray(LOG_PRIOR, dtype)
    joint = kernels.log_joint(half, votes, CONFUSION)
    assert joint.dtype == jnp.float32
    assert_equal(joint, kernels.log_joint(half.astype(jnp.float32), votes, CONFUSION))
    path = kernels.viterbi(half, STARTS, ALLOWED[0], ALLOWED, ALLOWED[0])
    assert_equal(path, jnp.argmax(half, axis=-1))
    chain = kernels.chain_marginals(half, STARTS, MASK, START.astype(dtype), TRANSITIONS)
    assert chain.posterior.dtype == jnp.float32


@pytest.mark.parametrize("votes", [LABELS, PROBS], ids=["labels", "probs"])
def test_float32_beside_float64_gives_float64(votes):
    with jax.enable_x64(True):
        exact = kernels.log_joint(LOG_PRIOR.astype(float), votes, CONFUSION.astype(float))
        for prior, matrix in ((LOG_PRIOR.astype(float), CONFUSION), (LOG_PRIOR, CONFUSION * 1.0)):
            joint = kernels.log_joint(prior, votes, matrix.astype(float), np.float32(1))
            assert joint.dtype == jnp.float64
            np.testing.assert_allclose(joint, exact, rtol=1e-6)
        chain = kernels.chain_marginals(LOG_PRIOR, STARTS, MASK, START.astype(float), TRANSITIONS)
        assert chain.posterior.dtype == jnp.float64
        assert kernels.dawid_skene(LABELS, V).posterior.dtype == jnp.float64


@pytest.mark.parametrize("wanted", [np.float32, np.float64])
def test_results_have_the_type_given_under_x64(wanted):
    """float64 does not come from constants and label ids; these alone have JAX's default type."""

    def given(value):
        is_float = isinstance(value, np.ndarray) and value.dtype == np.float32
        return value.astype(wanted) if is_float else value

    weights, meanings, sources = jax.tree.map(given, (WEIGHTS, MEANINGS, SOURCES))
    with jax.enable_x64(True):
        for votes in (LABELS, given(PROBS)):
            sums = kernels.reliability_sums(votes, MASK, weights, meanings)
            estimates = kernels.source_estimates(sums.labels, sums.agreement, COMPATIBLE)
            evidence = kernels.log_evidence(votes, sources, meanings.stands_for)
            mean = kernels.mean_by_reliability(votes, weights, meanings.stands_for)
            matrix = kernels.confusion_with_identity(sums.labels.counts, COMPATIBLE)
            for leaf in jax.tree.leaves((sums, estimates, evidence, mean, matrix)):
                assert leaf.dtype == wanted
        pairs = kernels.pair_sums(given(PROBS), MASK, V)
        shares = kernels.summarise_votes(LABELS, given(PROBS), V)[1:]
        copies = kernels.near_copies(kernels.pairwise_agreement(pairs))
        for leaf in jax.tree.leaves((pairs, shares, copies)):
            assert leaf.dtype == wanted
        assert kernels.probs_of_votes(LABELS, V).dtype == jnp.float64


def batched(array):
    return array.reshape(2, N // 2, *array.shape[1:])


WORDWISE = {  # arguments of words, then the others; "sums" if the result is sums
    "log_joint": (kernels.log_joint, (LOG_PRIOR, LABELS), (CONFUSION,)),
    "log_joint of probabilities": (kernels.log_joint, (LOG_PRIOR, PROBS), (CONFUSION,)),
    "posterior_and_objective": (kernels.posterior_and_objective, (LOG_PRIOR, MASK), ()),
    "negative_log_marginal": (kernels.negative_log_marginal, (LOG_PRIOR, MASK), ()),
    "bound": (kernels.bound, (POSTERIOR, LOG_PRIOR, MASK), ()),
    "m_step_loss": (kernels.m_step_loss, (POSTERIOR, LOG_PRIOR, MASK), ()),
    "squared_error": (kernels.squared_error, (POSTERIOR, LOG_PRIOR, MASK), ()),
    "expected_counts": (kernels.expected_counts, (POSTERIOR, LABELS, MASK), (V,)),
    "summarise_votes": (kernels.summarise_votes, (LABELS, PROBS), (V,)),
    "dawid_skene": (kernels.dawid_skene, (LABELS,), (V,)),
    "bayesian_dawid_skene": (kernels.bayesian_dawid_skene, (LABELS,), (V,)),
    "label_model_posterior": (kernels.label_model_posterior, (LABELS,), (EVEN, CONFUSION)),
    "pair_sums": (lambda v, m: kernels.pair_sums(v, m, V), (LABELS, MASK), ()),
    "reliability_sums": (kernels.reliability_sums, (LABELS, MASK), (WEIGHTS, MEANINGS)),
    "label_sums": (kernels.label_sums, (LOG_PRIOR, LABELS, MASK), (CONFUSION,)),
    "log_evidence": (kernels.log_evidence, (PROBS,), (SOURCES, STANDS_FOR)),
    "log_potentials": (kernels.log_potentials, (LOG_PRIOR, POSTERIOR, KEYS), (STATE, 1.0)),
}


OTHERS = {
    "segment_sum": (kernels.segment_sum, (PROBS[:, 0], KEYS[:, 0], 7)),
    "word_type_counts": (kernels.word_type_counts, (POSTERIOR, KEYS[:, 0], 7)),
    "neighbour_counts": (kernels.neighbour_counts, (POSTERIOR, STARTS, MASK)),
    "transition_probs": (kernels.transition_probs, (TRANSITIONS, EVEN, ALLOWED, ALLOWED[0])),
    "weighted_mean": (kernels.weighted_mean, (PROBS[..., :K], WEIGHTS)),
    "closed_form": (kernels.closed_form_log_confusion, (WEIGHTS, WEIGHTS, 1.0)),
    "total_variation": (kernels.total_variation, (CONFUSION, CONFUSION[::-1])),
    "mix_log_confusion": (kernels.mix_log_confusion, (CONFUSION, CONFUSION[::-1], 0.5)),
    "log_confusion_from_logits": (kernels.log_confusion_from_logits, (CONFUSION,)),
    "hard_posterior": (kernels.hard_posterior, (LOG_PRIOR,)),
}
EVERY = OTHERS | {name: (one, (*words, *more)) for name, (one, words, more) in WORDWISE.items()}


@pytest.mark.parametrize("name", EVERY)
def test_half_precision_is_read_in_float32(name):
    function, arguments = EVERY[name]
    dtype = jnp.float16

    def in_type(value, wanted):
        is_float = isinstance(value, np.ndarray) and value.dtype == np.float32
        return jnp.asarray(value, dtype).astype(wanted) if is_float else value

    half, rounded = (
        function(*jax.tree.map(lambda leaf: in_type(leaf, wanted), arguments))  # noqa: B023
        for wanted in (dtype, jnp.float32)
    )
    assert [x.dtype for x in jax.tree.leaves(half)] == [x.dtype for x in jax.tree.leaves(rounded)]
    assert_equal(half, rounded)


def test_counts_of_half_precision_go_beyond_its_integers():
    rows = jnp.ones((4096, 1), jnp.float16)
    assert float(kernels.word_type_counts(rows, np.zeros(4096, np.int32), 1)[0, 0]) == 4096


@pytest.mark.parametrize("name", WORDWISE)
def test_words_may_have_any_leading_axes(name):
    function, words, others = WORDWISE[name]
    flat = function(*words, *others)
    batch = function(*map(batched, words), *others)
    for first, second in zip(jax.tree.leaves(flat), jax.tree.leaves(batch), strict=True):
        of_words = second.shape[:2] == (2, N // 2)
        np.testing.assert_allclose(second.reshape(first.shape), first, rtol=2e-6, atol=1e-6)
        assert of_words or second.shape == first.shape
    if name in ("log_joint", "label_model_posterior"):  # a single word has no leading axis
        one = function(*(array[0] for array in words), *others)
        np.testing.assert_allclose(one, flat[0], rtol=2e-6)


def test_sequences_may_have_any_leading_axes():
    rows, starts, mask = map(batched, (LOG_PRIOR, STARTS, MASK))  # a row holds whole sentences
    flat = kernels.chain_marginals(LOG_PRIOR, STARTS, MASK, START, TRANSITIONS)
    batch = kernels.chain_marginals(rows, starts, mask, START, TRANSITIONS)
    np.testing.assert_allclose(batch.posterior, batched(np.asarray(flat.posterior)), rtol=1e-5)
    for first, second in zip(flat[1:], batch[1:], strict=True):
        np.testing.assert_allclose(second, first, rtol=1e-5)
    assert_equal(
        kernels.chain_viterbi(rows, starts, mask, START, TRANSITIONS).ravel(),
        kernels.chain_viterbi(LOG_PRIOR, STARTS, MASK, START, TRANSITIONS),
    )
    allowed = np.triu(ALLOWED)
    assert_equal(
        kernels.viterbi(rows, starts, ALLOWED[0], allowed, ALLOWED[0]).ravel(),
        kernels.viterbi(LOG_PRIOR, STARTS, ALLOWED[0], allowed, ALLOWED[0]),
    )


def test_every_public_kernel_has_an_example():
    for name in kernels.__all__:
        function = getattr(kernels, name)
        if callable(function) and not isinstance(function, type):
            assert ">>> " in function.__doc__, name
            assert name in function.__doc__.split(">>> ", 1)[1], name


@pytest.mark.parametrize("name", four_devices.CASES)
def test_matrix_products_keep_all_bits_of_float32_on_every_device(name):
    """By default, GPUs would keep 10 bits of the factors, and TPUs 7."""
    function, words, _ = four_devices.CASES[name]
    program = jax.jit(lambda *arrays: function(None, *arrays)).lower(*words).as_text()
    products = [line for line in program.splitlines() if "dot_general" in line]
    assert all("precision = [HIGHEST, HIGHEST]" in product for product in products), products
    assert products or not name.startswith(("chain_posterior", "log_evidence", "near_copies"))
