"""The reliability-weighted chain on texts and sources' predictions as the workflows have them."""

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from zsl_jax import kernels
from zsl_jax.data.text.compact_text import CompactText, CompactWords
from zsl_jax.data.text.word_types import ENTITY_SUFFIXES, TAG_SUFFIXES, WordTypes, word_types
from zsl_jax.io.label_model_file import CHAIN_SETTINGS, StoredChain
from zsl_jax.kernels import ChainState, SourceReliability, VoteMeanings
from zsl_jax.labels import LabelSet, allowed_transitions, is_bio
from zsl_jax.runtime import processes
from zsl_jax.runtime.blocks import blocks
from zsl_jax.training import chain_fit
from zsl_jax.training.chain_inference import FittedChain, best_labels, posterior_of_text
from zsl_jax.training.chain_rounds import FittedLabelModel, fit_label_model
from zsl_jax.training.chain_text import ChainLabels, ChainText
from zsl_jax.training.config import ChainConfig
from zsl_jax.types import Sentence, SourceVotes
from zsl_jax.workflows.label_decoding import AUTO, VITERBI, decoding_of
from zsl_jax.workflows.vote_aggregation import Aggregated, as_aggregated

# What a silent source's O weighs beside the label of one that speaks, in means of the sources.
SILENCE = 0.05


class TextWords(NamedTuple):
    """The words of a text as the label model sees them.

    Attributes:
      lengths: Words of each sentence, N together.
      types: Their keys, N rows.
    """

    lengths: Int[np.ndarray, " M"]
    types: WordTypes


class ChainModel(NamedTuple):
    """A fitted label model, ready for other texts.

    Attributes:
      config: Its settings.
      fitted: What was learned of sources, word types and transitions.
      type_names: The keys of the word types, by level.
      predictions: "soft" or "hard", which of the sources' predictions are its evidence.
    """

    config: ChainConfig
    fitted: FittedChain
    type_names: tuple[tuple[str, ...], ...]
    predictions: str = "soft"


def text_words(shards: Sequence[Sequence[Sentence]], label_set: LabelSet) -> TextWords:
    """The words of this process's shards; keys have the same numbers in all processes.

    Args:
      shards: The sentences.
      label_set: The target's labels; words have other keys for tags than for entities.
    """
    words = CompactWords.joined(CompactText.of(shard).words for shard in shards)
    suffixes = ENTITY_SUFFIXES if is_bio(label_set.names) else TAG_SUFFIXES
    types = word_types(words, suffixes=suffixes)
    if processes.count() > 1:
        levels = zip(*processes.gather([list(level) for level in types.names]), strict=True)
        names = [tuple(dict.fromkeys(itertools.chain(*level))) for level in levels]
        types = word_types(words, names)
    return TextWords(words.lengths, types)


def evidence_of(votes: SourceVotes, predictions: str) -> np.ndarray:
    """The votes in the form that the kernels take: [N, U] labels or [N, U, V] probabilities.

    Labels are probabilities of one, so "soft" evidence of sources that all give labels only is the
    hard one.
    """
    return votes.labels if predictions == "hard" or votes.probs is None else votes.probs


def fit_chain_model(
    votes: SourceVotes, words: TextWords, label_set: LabelSet, config: ChainConfig, predictions: str
) -> FittedLabelModel:
    """Fits the label model to a text without a tagger; all processes call it.

    Args:
      votes: The sources' predictions for this process's words.
      words: These words.
      label_set: The target's labels.
      config: Weights and iterations.
      predictions: "soft" or "hard", which of the predictions are evidence.
    """
    text = _fitted_text(votes, words, predictions)
    return fit_label_model(text, chain_labels(votes, label_set), config, predictions)


def best_labels_of_fitted_text(
    model: ChainModel,
    votes: SourceVotes,
    words: TextWords,
    label_set: LabelSet,
    posterior: Float[np.ndarray, "N K"],
    log_prior: Float[np.ndarray, "N K"] | None = None,
) -> Int[np.ndarray, " N"]:
    """The most probable label sequence of each sentence of the text that a model was fitted to.

    Args:
      model: The label model.
      votes: The sources' predictions for this process's words.
      words: These words.
      label_set: The target's labels.
      posterior: [N, K], their Q.
      log_prior: [N, K], log P of the tagger in Q; None where there is none.
    """
    text = _fitted_text(votes, words, model.predictions)
    labels = chain_labels(votes, label_set)
    return chain_fit.best_labels_of_fitted_text(
        text, labels, model.config, model.fitted, posterior, log_prior
    )


def labels_by_chain(
    model: ChainModel,
    votes: SourceVotes,
    sentences: Sequence[Sentence],
    label_set: LabelSet,
    log_prior: Float[np.ndarray, "N K"] | None,
    decoding: str,
) -> tuple[Int[np.ndarray, " N"], Float[np.ndarray, "N K"]]:
    """Labels of another text than the one the label model was fitted to, and Q.

    Args:
      model: The label model.
      votes: The sources' predictions for the text.
      sentences: The text.
      label_set: The target's labels.
      log_prior: [N, K], the tagger's log-probabilities; None leaves it out.
      decoding: "argmax" takes the label of highest Q of each word; "viterbi" the most probable
        label sequence of each sentence under the chain, in which no I-X follows nothing.
    """
    text, labels = _new_text(model, votes, sentences, label_set)
    config, fitted = model.config, model.fitted
    posterior = posterior_of_text(text, labels, config, fitted, log_prior)
    if decoding == VITERBI:
        return best_labels(text, labels, config, fitted, log_prior), posterior
    return posterior.argmax(axis=1), posterior


def _fitted_text(votes: SourceVotes, words: TextWords, predictions: str) -> ChainText:
    """The text that a label model is fitted to, as it sees it."""
    evidence = evidence_of(votes, predictions)
    return ChainText(evidence, words.lengths, words.types.keys, votes.gold)


def _new_text(
    model: ChainModel,
    votes: SourceVotes,
    sentences: Sequence[Sentence],
    label_set: LabelSet,
) -> tuple[ChainText, ChainLabels]:
    """A text as the label model sees it, its words' keys numbered as they were learned."""
    types = word_types([sentence.words for sentence in sentences], model.type_names)
    lengths = np.array([len(sentence.words) for sentence in sentences], np.int64)
    text = ChainText(evidence_of(votes, model.predictions), lengths, types.keys, votes.gold)
    return text, chain_labels(votes, label_set)


def chain_labels(votes: SourceVotes, label_set: LabelSet) -> ChainLabels:
    """Meanings of the sources' labels, and which labels may follow each other.

    A set of the target's labels stands for each of them with an even share of its probability.
    """
    size = label_set.size
    compatible = votes.meanings(size)
    members = compatible[:, size:].any(axis=0).astype(np.float32)
    shares = members / np.maximum(members.sum(axis=1, keepdims=True), 1)
    if votes.silent is not None:
        shares[votes.silent - size] *= SILENCE
    stands_for = np.concatenate([np.eye(size, dtype=np.float32), shares])
    allowed = allowed_transitions(label_set.names)
    meanings: dict[str, Any] = {"stands_for": stands_for, "compatible": compatible}
    return ChainLabels(VoteMeanings(**meanings), allowed.start, allowed.follow)


def aggregate_with_text(
    votes: SourceVotes,
    sentences: Sequence[Sentence],
    label_set: LabelSet,
    method: str,
    fitted: ChainModel | None = None,
    decoding: str = AUTO,
) -> Aggregated:
    """Labels from the sources' predictions and the words of the text, without a tagger.

    Args:
      votes: The predictions to aggregate.
      sentences: The text.
      label_set: The target's labels.
      method: One of `TEXT_METHODS`: "weighted_mean", or "chain".
      fitted: The label model; by default it is fitted to this text.
      decoding: How labels follow from the chain, see `label_decoding.decoding_of`.

    Returns:
      Labels and distributions.
    """
    decoding = decoding_of(decoding, label_set, by_chain=True)
    if fitted is None:
        words = text_words([sentences], label_set)
        own = fit_chain_model(votes, words, label_set, ChainConfig(), "soft")
        fitted = ChainModel(ChainConfig(), own.fitted, words.types.names)
        posterior = own.result.posterior
        ids = posterior.argmax(axis=1)
        if method == "chain" and decoding == VITERBI:
            ids = best_labels_of_fitted_text(fitted, votes, words, label_set, posterior)
    elif method == "chain":
        ids, posterior = labels_by_chain(fitted, votes, sentences, label_set, None, decoding)
    if method == "chain":
        log_confusion = np.asarray(fitted.fitted.sources.log_confusion)
        made = as_aggregated(votes, posterior, log_confusion, ids)
    else:
        made = as_aggregated(votes, _weighted_mean(fitted, votes, label_set))
    return made._replace(copies=fitted.fitted.copies)


def _weighted_mean(
    model: ChainModel, votes: SourceVotes, label_set: LabelSet
) -> Float[np.ndarray, "N K"]:
    """The sources' mean, weighted by reliability."""
    stands_for = chain_labels(votes, label_set).meanings.stands_for
    table = np.empty((len(votes.labels), label_set.size), np.float32)
    for block in blocks(evidence_of(votes, model.predictions)):
        weights = model.fitted.sources.weights
        mean = kernels.mean_by_reliability(*block.arrays, weights, stands_for)
        table[block.rows] = np.asarray(mean)[block.mask]
    return table


def stored_chain(model: ChainModel) -> StoredChain:
    """The label model as `io.label_model_file` writes it, without the padding of its tables."""
    fitted = model.fitted
    sources, state = fitted.sources, fitted.state
    counts = zip(state.type_counts, model.type_names, strict=True)
    arrays = {
        "trust": sources.trust,
        "frequency": sources.frequency,
        "weights": sources.weights,
        "mean": sources.mean,
        "kappa": fitted.kappa,
        "prior": state.prior,
        "start": state.start,
        "transitions": state.transitions,
    }
    return StoredChain(
        **{name: np.asarray(array, np.float32) for name, array in arrays.items()},
        type_counts=tuple(np.asarray(table[: len(names)], np.float32) for table, names in counts),
        type_names=model.type_names,
        settings={name: getattr(model.config, name) for name in CHAIN_SETTINGS},
    )


def chain_from_storage(
    stored: StoredChain, log_confusion: Float[np.ndarray, "U V K"], predictions: str
) -> ChainModel:
    """The label model from what `stored_chain` returned, its log σ, and its kind of evidence."""
    names = ("trust", "frequency", "weights", "mean")
    of_sources: dict[str, Any] = {name: getattr(stored, name) for name in names}
    of_sources["log_confusion"] = log_confusion
    sources = SourceReliability(**of_sources)
    names = ("type_counts", "prior", "start", "transitions")
    of_text: dict[str, Any] = {name: getattr(stored, name) for name in names}
    state = ChainState(**of_text)
    config = dataclasses.replace(ChainConfig(), **stored.settings)
    fitted = FittedChain(sources, stored.kappa, state)
    return ChainModel(config, fitted, stored.type_names, predictions)
