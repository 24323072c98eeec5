"""The mathematics of zero-shot sequence labelling, as pure functions of arrays.

Nothing here reads files, flags or text, and nothing but JAX is needed. A whole E step:

>>> import jax.numpy as jnp
>>> log_prior = jnp.log(jnp.array([[0.6, 0.3, 0.1], [0.1, 0.6, 0.3]]))
>>> labels = jnp.array([[0], [2]])
>>> log_confusion = log_confusion_from_logits(identity_logits(0.2877, 1, 3))
>>> likelihood = source_log_likelihoods(labels, log_confusion)
>>> joint = log_joint(log_prior, likelihood, jnp.ones(1), 1.0)
>>> [[round(float(p), 2) for p in row] for row in jnp.exp(joint)]
[[0.24, 0.09, 0.03], [0.03, 0.18, 0.12]]

Notation
--------

======  ===================  ============  =====================================================
Symbol  Name in code         Shape         Meaning
======  ===================  ============  =====================================================
K       ``num_labels``                     number of labels; padding is not a label
V                                          number of labels of the sources: K, or more with sets
U       ``num_sources``                    number of sources
N                                          number of words, flat over sentences
y                            [N]           unknown true label of each word
ŷ       ``labels``           [N, U]        hard prediction of each source; -1 = abstains
P_s     ``probs``            [N, U, V]     soft prediction of each source; all-zero row = abstains
P_θ     ``log_prior``        [N, K]        the target tagger, a softmax per word
ψ       ``log_fixed``        [U, V, K]     fixed confusion matrix P(ŷ|y)
σ       ``log_trainable``    [U, V, K]     trained confusion matrix P(ŷ|y), kept as logits
φ       ``log_confusion``    [U, V, K]     their mixture λψ + (1 − λ)σ
λ       ``mix``              []            1 = minimum risk training, < 1 = latent variable model
ℓ_u     ``log_likelihood``   [N, U, K]     likelihood of what one source says, per true label
α, β    ``prior_weight``,    [], [U]       weights of tagger and sources in the joint
        ``source_weight``
Q       ``posterior``        [N, K]        posterior of the true label (E step)
τ       ``temperature``      []            logits of a confusion matrix start at τ times identity
μ       ``diagonal``         []            probability that a source is right at the start
κ                            [U]           agreement of a source with the others beyond chance
k       ``trust``            [U]           weight of a source's likelihood, from κ
w       ``weights``          [U, K]        weight of a source's probability of each label
m       ``frequency``        [U, V]        how often a source gives each label
r       ``weighted_mean``    [N, K]        reliability-weighted mean of the sources, r̄ over the text
γ       ``scale``            []            power of m and r̄ that probabilities are divided by
π̂       ``prior``            [K]           frequencies of the true labels in Q
a                            [N, K]        what other words of the same type say of a word
p₀, A   ``start``,           [K], [K, K]   Markov chain of the labels of a sentence, A indexed
        ``transitions``                    [before, after]
======  ===================  ============  =====================================================

Confusion matrices are indexed [source, predicted, true]; each column sums to 1.
"""

from zsl_jax.kernels.aggregation import (
    DawidSkene,
    VoteSummary,
    dawid_skene,
    distinct_votes,
    label_model_posterior,
    majority_vote,
    mean_probs,
    summarise_votes,
    vote_probs,
)
from zsl_jax.kernels.chain import (
    ChainMarginals,
    chain_marginals,
    chain_viterbi,
    neighbour_counts,
    transition_probs,
)
from zsl_jax.kernels.chain_label_model import (
    ChainState,
    LabelSums,
    ReliabilitySums,
    SourceEstimates,
    SourceReliability,
    TextSums,
    VoteMeanings,
    added_text_sums,
    chain_best_labels,
    chain_posterior,
    label_sums,
    log_evidence,
    log_potentials,
    mean_by_reliability,
    reliability_sums,
    source_estimates,
)
from zsl_jax.kernels.confusion import (
    closed_form_log_confusion,
    confusion_with_identity,
    diagonal_from_temperature,
    expected_counts,
    expected_counts_from_labels,
    identity_logits,
    likelihood_weighted_counts,
    log_confusion_from_logits,
    logits_of_meaning,
    mix_log_confusion,
    temperature_from_diagonal,
    total_variation,
)
from zsl_jax.kernels.decoding import LOG_FORBIDDEN, best_sequences, viterbi
from zsl_jax.kernels.e_step import PosteriorAndObjective, posterior_and_objective
from zsl_jax.kernels.objectives import (
    bound,
    cross_entropy,
    entropy,
    expected_risk,
    kl_divergence,
    m_step_loss,
    negative_log_marginal,
    squared_error,
)
from zsl_jax.kernels.posterior import (
    LOG_FLOOR,
    clamp_log_joint,
    hard_log_likelihood,
    hard_posterior,
    log_joint,
    log_joint_of_votes,
    log_posterior,
    soft_log_likelihood,
    soft_source_log_likelihoods,
    source_log_likelihoods,
)
from zsl_jax.kernels.reliability import (
    AgreementSums,
    agreement_beyond_chance,
    agreement_sums,
    class_f_scores,
    labels_of_probs,
    leave_one_out_means,
    probs_of_votes,
    reliability_weights,
    source_agreement,
    weighted_mean,
)
from zsl_jax.kernels.word_types import back_off, word_type_counts

__all__ = [
    "LOG_FLOOR",
    "LOG_FORBIDDEN",
    "AgreementSums",
    "ChainMarginals",
    "ChainState",
    "DawidSkene",
    "LabelSums",
    "PosteriorAndObjective",
    "ReliabilitySums",
    "SourceEstimates",
    "SourceReliability",
    "TextSums",
    "VoteMeanings",
    "VoteSummary",
    "added_text_sums",
    "agreement_beyond_chance",
    "agreement_sums",
    "back_off",
    "best_sequences",
    "bound",
    "chain_best_labels",
    "chain_marginals",
    "chain_posterior",
    "chain_viterbi",
    "clamp_log_joint",
    "class_f_scores",
    "closed_form_log_confusion",
    "confusion_with_identity",
    "cross_entropy",
    "dawid_skene",
    "diagonal_from_temperature",
    "distinct_votes",
    "entropy",
    "expected_counts",
    "expected_counts_from_labels",
    "expected_risk",
    "hard_log_likelihood",
    "hard_posterior",
    "identity_logits",
    "kl_divergence",
    "label_model_posterior",
    "label_sums",
    "labels_of_probs",
    "leave_one_out_means",
    "likelihood_weighted_counts",
    "log_confusion_from_logits",
    "log_evidence",
    "log_joint",
    "log_joint_of_votes",
    "log_posterior",
    "log_potentials",
    "logits_of_meaning",
    "m_step_loss",
    "majority_vote",
    "mean_by_reliability",
    "mean_probs",
    "mix_log_confusion",
    "negative_log_marginal",
    "neighbour_counts",
    "posterior_and_objective",
    "probs_of_votes",
    "reliability_sums",
    "reliability_weights",
    "soft_log_likelihood",
    "soft_source_log_likelihoods",
    "source_agreement",
    "source_estimates",
    "source_log_likelihoods",
    "squared_error",
    "summarise_votes",
    "temperature_from_diagonal",
    "total_variation",
    "transition_probs",
    "viterbi",
    "vote_probs",
    "weighted_mean",
    "word_type_counts",
]
