"""The mathematics of zero-shot sequence labelling, as pure functions of JAX arrays.

Nothing here reads files, flags or text, and only JAX, jaxtyping and beartype are needed. A whole E
step:

>>> import jax.numpy as jnp
>>> from zsl_jax import kernels
>>> log_prior = jnp.log(jnp.array([[0.6, 0.3, 0.1], [0.1, 0.6, 0.3]]))  # [N, K], the tagger
>>> labels = jnp.array([[0], [2]])  # [N, U], -1 abstains
>>> logits = kernels.identity_logits(0.2877, num_sources=1, num_labels=3)
>>> log_confusion = kernels.log_confusion_from_logits(logits)  # [U, K, K]
>>> log_joint = kernels.log_joint(log_prior, labels, log_confusion)
>>> jnp.exp(log_joint)
Array([[0.24, 0.09, 0.03],
       [0.03, 0.18, 0.12]], dtype=float32)
>>> kernels.posterior_and_objective(log_joint, mask=jnp.array([True, True])).posterior
Array([[0.67, 0.25, 0.08],
       [0.09, 0.55, 0.36]], dtype=float32)

Modules
-------

- `likelihood`: P(what a source predicts given the true label)
- `posterior`: the E step: the joint, Q and J
- `objectives`: the losses of the M step
- `confusion`: confusion matrices: start, logits, mixture λψ + (1 − λ)σ
- `expected_counts`: their closed form
- `aggregation`: majority and mean of the votes
- `dawid_skene_model`: Dawid–Skene and BEA
- `weighted_mean`: means weighted per source and label
- `agreement`, `near_copies`, `reliability`: how far sources can be trusted
- `evidence`: their votes per label, weighted by this trust
- `word_type_prior`: what other words with the same form, suffix or shape imply for a word
- `chain`: forward-backward and Viterbi along sentences
- `chain_label_model`: the default label model, which joins these
- `decoding`: the best label sequence that a tagging scheme allows (Viterbi)
- `segments`: sums that are the same in every run, also on a GPU
- `arguments`: how every kernel treats its arguments

These are the kernels that the programs run, and their pieces; there is one of each, the fast one.
`identity_logits`, `diagonal_from_temperature` and `probs_of_votes` are for other projects alone.

Conventions
-----------

- Every kernel is compiled. Shapes and types are checked while it is traced: a wrong one raises
  `jaxtyping.TypeCheckError` with the argument's name. NumPy arrays and Python numbers will do.
- Leading axes are free: [..., K] is a word, a sentence or a batch. Sequences are [..., N, K].
- A label id outside 0 … V − 1 abstains, as -1 does, and so does an all-zero row of probabilities.
  A gold label or a key out of range counts as missing. Ids must fit int32: without
  `jax_enable_x64`, JAX keeps the lowest 32 bits of others. Values of probabilities are not checked.
- float16 and bfloat16 are read in float32; otherwise, results have the widest type given, or JAX's
  default (float64 under `jax_enable_x64`) where only label ids are given, as to `dawid_skene`.
  Matrix products of float32 are not rounded to TF32 or bfloat16.
- Everything can be differentiated, `vmap`ped, and called inside `jax.shard_map` and `jax.pmap`. A
  result of sums adds up over devices with `jax.lax.psum`; a kernel whose result has sums beside
  other values takes `axis_name` for that. There are three exceptions, which cannot be traced:
  `diagonal_from_temperature` and `temperature_from_diagonal` take Python numbers, and
  `distinct_votes` runs on the host. `dawid_skene` and `bayesian_dawid_skene`, whose number of
  rounds is not known beforehand, can be differentiated in forward mode only (`jax.jvp`);
  `label_model_posterior` of the model that they fit has gradients like all others.

Shape letters
-------------

| letter | size |
|---|---|
| N | words, flat over the sentences of a text |
| R, S | rows of whole sentences, and positions per row |
| U | sources |
| K | labels of the target; padding is not a label |
| V | labels of the sources: K unless they have a label set of their own |
| L, T | levels of word types, and keys of a level |
| M | different combinations of votes |

Symbols
-------

| symbol | name in code | shape | meaning |
|---|---|---|---|
| y | | [N] | unknown true label of each word |
| ŷ | `labels` | [N, U] | hard prediction of each source; -1 = abstains |
| P_u | `probs` | [N, U, V] | soft prediction of each source; all-zero row = abstains |
| | `votes` | | either of the two |
| P_θ | `log_prior` | [N, K] | the target tagger, a softmax per word |
| ψ | `log_fixed` | [U, V, K] | fixed confusion matrix P(ŷ given y) |
| σ | `log_trainable` | [U, V, K] | trained confusion matrix P(ŷ given y), kept as logits |
| φ | `log_confusion` | [U, V, K] | their mixture λψ + (1 − λ)σ |
| λ | `mix` | [] | 1 = minimum risk training, < 1 = latent variable model |
| ℓ_u | | [N, U, K] | likelihood of what source u predicts, per true label |
| α, β | `prior_weight`, `source_weight` | [], [U] | weights of tagger and sources in the joint |
| Q | `posterior` | [N, K] | posterior of the true label (E step) |
| τ | `temperature` | [] | logits of a confusion matrix start at τ times identity |
| μ | `diagonal` | [] | probability that a source is right at the start |
| κ | `kappa` | [U] | agreement of a source with the others beyond chance |
| s | `copies` | [U, U] | how far two sources are copies of each other |
| k | `trust` | [U] | weight of a source's likelihood: a power of κ (`training.chain_sources`) |
| w | `weights` | [U, K] | weight of a source's probability of each label |
| m | `frequency` | [U, V] | how often a source gives each label |
| η | `identity_share` | [] | share of the identity in confusion matrices |
| r, r̄ | `mean` | [N, K], [K] | reliability-weighted mean of the sources, and its mean over a text |
| γ | `scale` | [] | power of m and r̄ that probabilities are divided by |
| π̂ | `prior` | [K] | frequencies of the true labels in Q |
| a | | [N, K] | what other words of the same type imply for a word |
| p₀, A | `start`, `transitions` | [K], [K, K] | Markov chain of the labels, A [before, after] |

Confusion matrices are indexed [source, predicted, true]; each column sums to 1.
"""

from zsl_jax.kernels.aggregation import VoteSummary, majority_vote, mean_probs, summarise_votes
from zsl_jax.kernels.agreement import (
    AgreementSums,
    agreement_beyond_chance,
    agreement_sums,
    source_agreement,
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
    TextSums,
    added_text_sums,
    chain_best_labels,
    chain_posterior,
    log_potentials,
)
from zsl_jax.kernels.confusion import (
    diagonal_from_temperature,
    identity_logits,
    log_confusion_from_logits,
    logits_of_meaning,
    mix_log_confusion,
    temperature_from_diagonal,
    total_variation,
)
from zsl_jax.kernels.dawid_skene_model import (
    DawidSkene,
    bayesian_dawid_skene,
    dawid_skene,
    distinct_votes,
    label_model_posterior,
)
from zsl_jax.kernels.decoding import LOG_FORBIDDEN, best_sequences, viterbi
from zsl_jax.kernels.evidence import SourceReliability, log_evidence, mean_by_reliability
from zsl_jax.kernels.expected_counts import (
    closed_form_log_confusion,
    confusion_with_identity,
    expected_counts,
    likelihood_weighted_counts,
)
from zsl_jax.kernels.likelihood import (
    LOG_FLOOR,
    hard_log_likelihood,
    soft_log_likelihood,
    source_log_likelihoods,
)
from zsl_jax.kernels.near_copies import PairSums, near_copies, pair_sums, pairwise_agreement
from zsl_jax.kernels.objectives import (
    bound,
    kl_divergence,
    m_step_loss,
    negative_log_marginal,
    squared_error,
)
from zsl_jax.kernels.posterior import (
    PosteriorAndObjective,
    clamp_log_joint,
    hard_posterior,
    log_joint,
    posterior_and_objective,
)
from zsl_jax.kernels.reliability import (
    LabelSums,
    ReliabilitySums,
    SourceEstimates,
    VoteMeanings,
    class_f_scores,
    label_sums,
    reliability_sums,
    reliability_weights,
    source_estimates,
)
from zsl_jax.kernels.segments import segment_sum
from zsl_jax.kernels.weighted_mean import (
    labels_of_probs,
    leave_one_out_means,
    probs_of_votes,
    weighted_mean,
)
from zsl_jax.kernels.word_type_prior import back_off, word_type_counts

__all__ = [
    "LOG_FLOOR",
    "LOG_FORBIDDEN",
    "AgreementSums",
    "ChainMarginals",
    "ChainState",
    "DawidSkene",
    "LabelSums",
    "PairSums",
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
    "bayesian_dawid_skene",
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
    "dawid_skene",
    "diagonal_from_temperature",
    "distinct_votes",
    "expected_counts",
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
    "log_potentials",
    "logits_of_meaning",
    "m_step_loss",
    "majority_vote",
    "mean_by_reliability",
    "mean_probs",
    "mix_log_confusion",
    "near_copies",
    "negative_log_marginal",
    "neighbour_counts",
    "pair_sums",
    "pairwise_agreement",
    "posterior_and_objective",
    "probs_of_votes",
    "reliability_sums",
    "reliability_weights",
    "segment_sum",
    "soft_log_likelihood",
    "source_agreement",
    "source_estimates",
    "source_log_likelihoods",
    "squared_error",
    "summarise_votes",
    "temperature_from_diagonal",
    "total_variation",
    "transition_probs",
    "viterbi",
    "weighted_mean",
    "word_type_counts",
]
