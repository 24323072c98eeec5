"""Training a target tagger from its sources' predictions, by every approach."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from zsl_jax.data.batches.subwords import Windows
from zsl_jax.errors import InputError
from zsl_jax.labels import LabelSet
from zsl_jax.training import loop
from zsl_jax.training.chain_em import ChainEM, ChainSources
from zsl_jax.training.choices import Approach, Strategy
from zsl_jax.training.config import ChainConfig, TransferConfig
from zsl_jax.training.e_step import label_posterior
from zsl_jax.training.hooks import Hooks
from zsl_jax.training.paper_em import PaperModel
from zsl_jax.training.sigma import Sources, starting_confusion
from zsl_jax.types import Sentence, SourceVotes
from zsl_jax.workflows.aggregate import aggregate, as_target_labels
from zsl_jax.workflows.best_labels import decode
from zsl_jax.workflows.chain_model import (
    ChainModel,
    TextWords,
    evidence_of,
    fit_chain_model,
    labels_by_chain,
)
from zsl_jax.workflows.fitting import finished, head_for, start_fit
from zsl_jax.workflows.loaded_tagger import LoadedTagger
from zsl_jax.workflows.resume import Saving, resumable


class TransferCorpus(NamedTuple):
    """The text to learn from, as far as this process has it.

    Attributes:
      shards: Its shards in subwords.
      votes: The sources' predictions for the words of the shards, one after the other.
      words: Their words, as the label model sees them.
      states: [T, H], what the frozen layers made of the subwords, whose token ids are then numbers
        of its rows; None where all layers are trained.
      chain: The reliability-weighted chain, fitted to this text; None where it was not fitted yet,
        or is not the label model.
    """

    shards: Sequence[Windows]
    votes: SourceVotes
    words: TextWords
    states: Float[np.ndarray, "T H"] | None = None
    chain: ChainSources | None = None


class TrainedTarget(NamedTuple):
    """A target tagger and what was learned of its sources.

    Attributes:
      tagger: P_θ.
      log_confusion: [U, V, K], log φ after training; None where there is no label model.
      posterior: [N, K], Q of the text trained on; None where there is no label model.
      objectives: J per word of every E step; empty where J of different rounds is not comparable.
      chain: The reliability-weighted chain; None with the paper's label model or without any.
    """

    tagger: LoadedTagger
    log_confusion: Float[np.ndarray, "U V K"] | None
    posterior: Float[np.ndarray, "N K"] | None
    objectives: tuple[float, ...] = ()
    chain: ChainModel | None = None


def train_target(
    start: LoadedTagger,
    label_set: LabelSet,
    text: TransferCorpus,
    config: TransferConfig,
    hooks: Hooks,
    saving: Saving | None = None,
) -> TrainedTarget:
    """Train the target tagger on unlabelled text and its sources' predictions.

    Args:
      start: The encoder (or source model) that training starts from.
      label_set: The target's labels.
      text: With the sources' predictions for its words.
      config: Approach, strategy and the rest.
      hooks: Called during training.
      saving: Where states are saved, from which the same call resumes after an interruption.

    Returns:
      The tagger; with MRT and LVM, φ and Q too.
    """
    if config.approach is Approach.DIRECT:
        if start.label_set is not None and set(start.label_set.names) != set(label_set.names):
            raise InputError(
                f"`approach`=direct: the labels of {start.path} are not BIO, so that it cannot be "
                "the target tagger as it is; take hard or kd (its own scores are in the table)"
            )
        head = head_for(start, label_set, config.seed)
        params = {**start.params, "classifier": head}
        return TrainedTarget(start._replace(params=params, label_set=label_set), None, None)
    if config.chain is not None and text.chain is None:
        text = with_chain(text, label_set, config)
    if not config.approach.has_label_model:
        return _distil(start, label_set, text, config, hooks, saving)
    if config.chain is not None:
        return _with_chain(start, label_set, text, config, hooks, saving)
    evidence = evidence_of(text.votes, config.predictions)
    _check_source_weights(config, text.votes)
    log_fixed, logits = starting_confusion(config.label_model, text.votes, label_set.size)
    fit = start_fit(start, label_set, text.shards, config, logits, text.states)
    with resumable(fit, label_set, hooks, saving) as (training, begin):
        model = PaperModel(Sources(evidence, log_fixed, logits, text.votes.gold))
        state, progress, result = loop.expectation_maximization(training, begin, model)
    tagger = finished(start, fit, state.params, label_set)
    objectives = tuple(objective for _, objective in progress.rounds)
    return TrainedTarget(tagger, result.log_confusion, result.posterior, objectives)


def with_chain(text: TransferCorpus, label_set: LabelSet, config: TransferConfig) -> TransferCorpus:
    """The text with the chain fitted to it, if it is the label model; all processes call it."""
    if config.chain is None:
        return text
    if config.approach is Approach.LVM and config.strategy is Strategy.DIRECT:
        raise InputError(
            "`strategy`=direct is for the paper's label model; give `label_model`=paper, or take "
            "soft_em or hard_em"
        )
    found = fit_chain_model(text.votes, text.words, label_set, config.chain, config.predictions)
    return text._replace(chain=found)


def fitted_chain(text: TransferCorpus, label_set: LabelSet) -> ChainModel:
    """The chain as it was fitted to the text without a tagger; now, if it was not yet."""
    config = ChainConfig()
    found = text.chain or fit_chain_model(text.votes, text.words, label_set, config, "soft")
    return ChainModel(config, found.fitted, text.words.types.names, found.predictions)


def _with_chain(
    start: LoadedTagger,
    label_set: LabelSet,
    text: TransferCorpus,
    config: TransferConfig,
    hooks: Hooks,
    saving: Saving | None,
) -> TrainedTarget:
    assert config.chain is not None and text.chain is not None
    fit = start_fit(start, label_set, text.shards, config, states=text.states)
    with resumable(fit, label_set, hooks, saving) as (training, begin):
        model = ChainEM(text.chain, fit.state)
        state, _, result = loop.expectation_maximization(training, begin, model)
    tagger = finished(start, fit, state.params, label_set)
    fitted = text.chain.fitted._replace(state=result.model_state)
    chain = ChainModel(config.chain, fitted, text.words.types.names, config.predictions)
    return TrainedTarget(tagger, result.log_confusion, result.posterior, (), chain)


def _distil(
    start: LoadedTagger,
    label_set: LabelSet,
    text: TransferCorpus,
    config: TransferConfig,
    hooks: Hooks,
    saving: Saving | None,
) -> TrainedTarget:
    shards, votes = text.shards, text.votes
    if text.chain is not None and config.approach is Approach.KD:
        target = text.chain.found.posterior
    else:
        target = fixed_target(votes, label_set.size, config)
    if config.approach is Approach.HARD_CAT:
        copies = votes.labels.shape[1]
        target = _shard_by_shard(target, [shard.num_words for shard in shards], copies)
        shards = [repeated(shard, copies) for shard in shards]
    fit = start_fit(start, label_set, shards, config, states=text.states)
    with resumable(fit, label_set, hooks, saving) as (training, begin):
        state = loop.distil(training, begin, target)
    return TrainedTarget(finished(start, fit, state.params, label_set), None, None)


def _shard_by_shard(target: np.ndarray, num_words: Sequence[int], copies: int) -> np.ndarray:
    """From [U·N, K], source by source over the whole, to source by source inside each shard."""
    ends = np.cumsum(num_words)[:-1]
    by_source = np.split(target, copies)
    cut = [np.split(table, ends) for table in by_source]
    return np.concatenate([table[shard] for shard in range(len(num_words)) for table in cut])


def fixed_target(votes: SourceVotes, num_labels: int, config: TransferConfig) -> loop.Target:
    """What the tagger is to learn without a label model.

    Args:
      votes: The sources' predictions.
      num_labels: K.
      config: Its approach decides.

    Returns:
      [N, K]: one-hot rows for `hard` and `hard_vote`, the mean of the sources for `kd`; [U·N, K]
      for `hard_cat`, source by source. A row of zeros leaves its word out. Rows of words with a
      gold label are one-hot under every approach.
    """
    one_hot = np.vstack([np.eye(num_labels, dtype=bool), np.zeros(num_labels, bool)])
    target = _target_from_sources(votes, one_hot, config)
    if votes.gold is not None:
        gold = np.tile(votes.gold, len(target) // len(votes.gold))
        target = np.where(gold[:, None] >= 0, one_hot[gold], target)
    return target


def _target_from_sources(
    votes: SourceVotes, one_hot: Bool[np.ndarray, "K+1 K"], config: TransferConfig
) -> loop.Target:
    """`fixed_target` without gold labels."""
    num_sources, num_labels = votes.labels.shape[1], one_hot.shape[1]
    labels = as_target_labels(votes._replace(probs=None), num_labels).labels
    config.approach.check_sources(num_sources)
    if config.approach is Approach.HARD:
        return one_hot[labels[:, 0]]
    if config.approach is Approach.HARD_CAT:
        return one_hot[labels.T.reshape(-1)]
    if config.approach is Approach.HARD_VOTE:
        return one_hot[aggregate(votes, num_labels, "majority").labels]
    if config.predictions == "hard":
        votes = votes._replace(probs=None)
    return aggregate(votes, num_labels, "mean").probs


def repeated(windows: Windows, times: int) -> Windows:
    """The text several times over; copy i of word n is word i·N + n."""
    words = windows.num_words
    copies = [
        np.where(windows.word_ids >= 0, windows.word_ids + i * words, -1) for i in range(times)
    ]
    steps = [windows.offsets[:-1] + i * windows.offsets[-1] for i in range(times)]
    return windows._replace(
        token_ids=np.tile(windows.token_ids, times),
        word_ids=np.concatenate(copies).astype(np.int32),
        offsets=np.concatenate([*steps, [times * windows.offsets[-1]]]),
        num_words=times * words,
        num_sentences=times * windows.num_sentences,
    )


def posterior_of(
    transferred: TrainedTarget,
    log_priors: Float[np.ndarray, "N K"],
    votes: SourceVotes,
    sentences: Sequence[Sentence],
    config: TransferConfig,
    decoding: str,
) -> tuple[Int[np.ndarray, " N"], Float[np.ndarray, "N K"]]:
    """Labels of another text by Q, and Q: P_θ, the label model and the sources' predictions."""
    assert transferred.log_confusion is not None and transferred.tagger.label_set is not None
    label_set = transferred.tagger.label_set
    if transferred.chain is not None:
        how = (label_set, log_priors, decoding)
        return labels_by_chain(transferred.chain, votes, sentences, *how)
    evidence = evidence_of(votes, config.predictions)
    weights, log_confusion = config.label_model.weights, transferred.log_confusion
    posterior = label_posterior(weights, log_priors, evidence, log_confusion).posterior
    words = [sentence.words for sentence in sentences]
    return decode(posterior, label_set, words, decoding), posterior


def _check_source_weights(config: TransferConfig, votes: SourceVotes) -> None:
    given, num_sources = len(config.label_model.weights.source), votes.labels.shape[1]
    if given not in (1, num_sources):
        raise InputError(
            f"`source_weight` has {given} numbers for {num_sources} sources; give one, or one each"
        )
