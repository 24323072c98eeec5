"""The shapes in the signatures are true: right ones pass, wrong ones raise."""

import jax
import jax.numpy as jnp
import jaxtyping
import pytest

from zsl_jax import kernels

N, U, V, K = 5, 3, 6, 4
MASK = jnp.ones(N, bool)
WORDS = jnp.full((N, K), 0.25)
LABELS = jnp.zeros((N, U), int)
PROBS = jnp.full((N, U, V), 1 / V)
LIKELIHOOD = jnp.full((N, U, K), -1.0)
MATRIX = jnp.log(jnp.full((U, V, K), 1 / V))
MATRICES = jnp.full((U, V, K), 1 / V)
SOURCE_WEIGHTS = jnp.full((U, K), 1 / U)
MEANINGS = kernels.VoteMeanings(jnp.ones((V, K)), MATRICES > 0)
AGREEMENT = kernels.agreement_sums(PROBS, SOURCE_WEIGHTS, *MEANINGS, MASK)
SOURCES = kernels.SourceReliability(MATRIX, jnp.ones(U), MATRICES[..., 0], SOURCE_WEIGHTS, WORDS[0])
PAIRS = kernels.pair_sums(LABELS, MASK, V)
LABEL_SUMS = kernels.LabelSums(MATRICES, WORDS[0])
SQUARE = jnp.full((K, K), 1 / K)
R, S, L = 2, 3, 2
ROWS = jnp.full((R, S, K), 0.25)
KEYS = jnp.zeros((R, S, L), int)
ROW_MASK = jnp.ones((R, S), bool)
TABLES = (jnp.ones((7, K)), jnp.ones((8, K)))
CHAIN_STATE = kernels.ChainState(TABLES, WORDS[0], WORDS[0], SQUARE)
TEXT_SUMS = kernels.TextSums(TABLES, SQUARE, WORDS[0], WORDS[0])
ONE = jnp.ones(())
CHAIN_BLOCK = (ROWS, ROWS, KEYS, ROW_MASK, ROW_MASK, KEYS[..., 0], CHAIN_STATE, ONE, ONE)
ARGUMENTS = {
    kernels.log_confusion_from_logits: (MATRIX,),
    kernels.logits_of_meaning: (2.0, MATRIX > 0),
    kernels.mix_log_confusion: (MATRIX, MATRIX, 0.5),
    kernels.expected_counts: (WORDS, LABELS, MASK, V),
    kernels.likelihood_weighted_counts: (WORDS, PROBS, MATRIX, MASK),
    kernels.closed_form_log_confusion: (MATRIX, MATRIX, 0.1),
    kernels.total_variation: (MATRIX, MATRIX),
    kernels.hard_log_likelihood: (LABELS[0, 0], MATRIX[0]),
    kernels.soft_log_likelihood: (PROBS[0, 0], MATRIX[0]),
    kernels.source_log_likelihoods: (LABELS, MATRIX),
    kernels.log_joint: (WORDS, LABELS, MATRIX, jnp.ones(U), 1.0),
    kernels.clamp_log_joint: (WORDS, LABELS[:, 0]),
    kernels.hard_posterior: (WORDS,),
    kernels.posterior_and_objective: (WORDS, MASK),
    kernels.negative_log_marginal: (WORDS, MASK),
    kernels.bound: (WORDS, WORDS, MASK),
    kernels.m_step_loss: (WORDS, WORDS, MASK),
    kernels.kl_divergence: (WORDS, WORDS, MASK),
    kernels.squared_error: (WORDS, WORDS, MASK),
    kernels.majority_vote: (LABELS, LIKELIHOOD, K),
    kernels.label_model_posterior: (LABELS, WORDS[0], MATRIX),
    kernels.mean_probs: (PROBS,),
    kernels.summarise_votes: (LABELS, LIKELIHOOD, K),
    kernels.viterbi: (WORDS, MASK, MASK[:K], jnp.ones((K, K), bool), MASK[:K]),
    kernels.best_sequences: (WORDS, MASK, WORDS[0], SQUARE, WORDS[0]),
    kernels.probs_of_votes: (LABELS, V),
    kernels.labels_of_probs: (PROBS,),
    kernels.weighted_mean: (LIKELIHOOD, SOURCE_WEIGHTS),
    kernels.leave_one_out_means: (LIKELIHOOD, SOURCE_WEIGHTS),
    kernels.agreement_sums: (PROBS, SOURCE_WEIGHTS, *MEANINGS, MASK),
    kernels.agreement_beyond_chance: (AGREEMENT, MATRICES > 0),
    kernels.source_agreement: (WORDS, LABELS, MATRICES > 0, MASK),
    kernels.class_f_scores: (MATRICES, WORDS[0], MATRICES > 0),
    kernels.pair_sums: (PROBS, MASK, V),
    kernels.pairwise_agreement: (PAIRS,),
    kernels.near_copies: (PAIRS.agreed,),
    kernels.reliability_weights: (SOURCE_WEIGHTS, jnp.ones(U)),
    kernels.reliability_sums: (PROBS, MASK, SOURCE_WEIGHTS, MEANINGS),
    kernels.confusion_with_identity: (MATRICES, MATRICES > 0),
    kernels.label_sums: (WORDS, LABELS, MASK, MATRIX, jnp.ones(U)),
    kernels.source_estimates: (LABEL_SUMS, AGREEMENT, MATRICES > 0),
    kernels.log_evidence: (LABELS, SOURCES, MEANINGS.stands_for),
    kernels.mean_by_reliability: (PROBS, SOURCE_WEIGHTS, MEANINGS.stands_for),
    kernels.word_type_counts: (WORDS, LABELS[:, 0], 7),
    kernels.back_off: (jnp.ones((N, L, K)), WORDS, WORDS[0]),
    kernels.log_potentials: (WORDS, WORDS, LABELS[:, :L], CHAIN_STATE, 1.0),
    kernels.chain_marginals: (WORDS, MASK, MASK, WORDS[0], SQUARE),
    kernels.chain_viterbi: (WORDS, MASK, MASK, WORDS[0], SQUARE),
    kernels.neighbour_counts: (WORDS, MASK, MASK),
    kernels.transition_probs: (SQUARE, WORDS[0], SQUARE > 0, WORDS[0] > 0),
    kernels.chain_posterior: CHAIN_BLOCK,
    kernels.chain_best_labels: CHAIN_BLOCK,
    kernels.added_text_sums: (TEXT_SUMS, ROWS, KEYS, ROW_MASK, ROW_MASK),
}


@pytest.mark.parametrize("function", ARGUMENTS, ids=lambda function: function.__name__)
def test_shapes_are_as_declared(function):
    arguments = ARGUMENTS[function]
    static = [a if isinstance(a, int) else None for a in arguments]

    def call(*arrays):
        pairs = zip(arrays, static, strict=True)
        return function(*(array if fixed is None else fixed for array, fixed in pairs))

    jax.eval_shape(call, *arguments)
    if len(arguments) > 1 and all(getattr(array, "ndim", 0) for array in arguments[:2]):
        twice = jnp.concatenate([arguments[1], arguments[1]])
        with pytest.raises(jaxtyping.TypeCheckError):
            jax.eval_shape(call, arguments[0], twice, *arguments[2:])


@pytest.mark.parametrize("number", [0, -1, False])
def test_at_least_one_label(number):
    calls = [
        lambda: kernels.dawid_skene(LABELS, number),
        lambda: kernels.summarise_votes(LABELS, None, num_labels=number),
        lambda: kernels.probs_of_votes(LABELS, number),
        lambda: kernels.diagonal_from_temperature(2.0, number),
        lambda: kernels.temperature_from_diagonal(0.5, number),
    ]
    for call in calls:
        with pytest.raises(ValueError, match=rf"num\w+labels is {number}; .* above 0"):
            call()
