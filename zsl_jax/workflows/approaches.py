"""Training a target tagger from its sources' predictions, by every approach."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from jaxtyping import Float, Int

from zsl_jax.data.batches.subwords import Windows
from zsl_jax.data.predictions.unspecified import specified
from zsl_jax.errors import InputError
from zsl_jax.labels import LabelSet
from zsl_jax.training import loop
from zsl_jax.training.chain_rounds import ChainEM, FittedLabelModel
from zsl_jax.training.config import ChainConfig, TransferConfig
from zsl_jax.training.config_checks import check_label_model
from zsl_jax.training.config_choices import Approach
from zsl_jax.training.confusion_matrices import Sources, starting_confusion
from zsl_jax.training.e_step import label_posterior
from zsl_jax.training.hooks import Hooks
from zsl_jax.training.paper_rounds import PaperModel
from zsl_jax.training.setup import ResumePoint, Training
from zsl_jax.training.state import TrainState
from zsl_jax.types import Sentence, SourceVotes
from zsl_jax.workflows.chain_model import (
    ChainModel,
    TextWords,
    evidence_of,
    fit_chain_model,
    labels_by_chain,
)
from zsl_jax.workflows.fixed_targets import fixed_target, repeated, shard_by_shard
from zsl_jax.workflows.label_decoding import decode, decoding_of
from zsl_jax.workflows.loaded_tagger import LoadedTagger
from zsl_jax.workflows.resumable_training import Saving, resumable
from zsl_jax.workflows.starting_point import with_labels
from zsl_jax.workflows.trainable_part import assemble_tagger, set_up_training

Result = TypeVar("Result")
Learn = Callable[[Training, ResumePoint, TrainState], tuple[TrainState, Result]]


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
    chain: FittedLabelModel | None = None


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

    def decoding(self, setting: str, kind: str) -> str:
        """The decoding that a setting stands for, of labels by "P" or "Q"."""
        assert self.tagger.label_set is not None
        by_chain = kind == "Q" and self.chain is not None
        return decoding_of(setting, self.tagger.label_set, by_chain)


def train_target(
    start: LoadedTagger,
    label_set: LabelSet,
    text: TransferCorpus,
    config: TransferConfig,
    hooks: Hooks,
    saving: Saving | None = None,
) -> TrainedTarget:
    """Trains the target tagger on unlabelled text and its sources' predictions.

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
        assert start.label_set is not None
        if set(specified(start.label_set.names)) != set(label_set.names):
            raise InputError(
                f"`approach`=direct: the labels of {start.path} are not BIO, so that it cannot be "
                "the target tagger as it is; use hard or kd (its own scores are in the table)"
            )
        return TrainedTarget(with_labels(start, label_set, config.seed), None, None)
    if config.chain is not None and text.chain is None:
        text = with_chain(text, label_set, config)
    training = _TargetTraining(start, label_set, config, hooks, saving)
    if not config.approach.has_label_model:
        return _distilled(training, text)
    return _by_paper_model(training, text) if config.chain is None else _by_chain(training, text)


def with_chain(text: TransferCorpus, label_set: LabelSet, config: TransferConfig) -> TransferCorpus:
    """The text with the chain fitted to it, if it is the label model; all processes call it."""
    if config.chain is None:
        return text
    check_label_model(config)
    found = fit_chain_model(text.votes, text.words, label_set, config.chain, config.predictions)
    return text._replace(chain=found)


def fitted_chain(text: TransferCorpus, label_set: LabelSet) -> ChainModel:
    """The chain as it was fitted to the text without a tagger; now, if it was not yet."""
    default = ChainConfig()
    found = text.chain or fit_chain_model(text.votes, text.words, label_set, default, "soft")
    return ChainModel(found.config, found.fitted, text.words.types.names, found.predictions)


class _TargetTraining(NamedTuple):
    """The start and the settings of a training, which all approaches share.

    Attributes:
      start: The encoder (or source model) that training starts from.
      label_set: The target's labels.
      config: Approach, strategy and the rest.
      hooks: Called during training.
      saving: Where states are saved; None saves nothing.
    """

    start: LoadedTagger
    label_set: LabelSet
    config: TransferConfig
    hooks: Hooks
    saving: Saving | None

    def run(
        self, text: TransferCorpus, learn: Learn[Result], logits: np.ndarray | None = None
    ) -> tuple[LoadedTagger, Result]:
        """Starts or resumes a training, and assembles the tagger.

        Args:
          text: The text to learn from.
          learn: A loop, given the training, the point to resume from and the state before the first
            update. Returns the trained state and a result.
          logits: [U, V, K], first logits of σ; None without the paper's label model.

        Returns:
          The trained tagger and the loop's result.
        """
        fit = set_up_training(
            self.start, self.label_set, text.shards, self.config, logits, text.states
        )
        with resumable(fit, self.label_set, self.hooks, self.saving) as (training, begin):
            state, result = learn(training, begin, fit.state)
        return assemble_tagger(self.start, fit, state.params, self.label_set), result


def _by_paper_model(to_train: _TargetTraining, text: TransferCorpus) -> TrainedTarget:
    """EM with the paper's label model."""
    config, votes = to_train.config, text.votes
    _check_source_weights(config, votes)
    log_fixed, logits = starting_confusion(config.label_model, votes, to_train.label_set.size)
    evidence = evidence_of(votes, config.predictions)
    model = PaperModel(Sources(evidence, log_fixed, logits, votes.gold))

    def learn(training: Training, begin: ResumePoint, _: TrainState):
        state, *result = loop.expectation_maximization(training, begin, model)
        return state, result

    tagger, (progress, expectation) = to_train.run(text, learn, logits)
    objectives = tuple(objective for _, objective in progress.rounds)
    return TrainedTarget(tagger, expectation.log_confusion, expectation.posterior, objectives)


def _by_chain(to_train: _TargetTraining, text: TransferCorpus) -> TrainedTarget:
    """EM with the reliability-weighted chain."""
    fitted_chain = text.chain
    assert fitted_chain is not None

    def learn(training: Training, begin: ResumePoint, first: TrainState):
        model = ChainEM(fitted_chain, first)
        state, _, expectation = loop.expectation_maximization(training, begin, model)
        return state, expectation

    tagger, expectation = to_train.run(text, learn)
    fitted = fitted_chain.fitted._replace(state=expectation.model_state)
    names, predictions = text.words.types.names, fitted_chain.predictions
    chain = ChainModel(fitted_chain.config, fitted, names, predictions)
    return TrainedTarget(tagger, expectation.log_confusion, expectation.posterior, (), chain)


def _distilled(to_train: _TargetTraining, text: TransferCorpus) -> TrainedTarget:
    """Training on one fixed distribution per word."""
    config, votes = to_train.config, text.votes
    if config.chain is not None:
        assert text.chain is not None  # fitted before
        target = text.chain.result.posterior
    else:
        target = fixed_target(votes, to_train.label_set.size, config)
    if config.approach is Approach.HARD_CAT:
        copies = votes.labels.shape[1]
        target = shard_by_shard(target, [shard.num_words for shard in text.shards], copies)
        text = text._replace(shards=[repeated(shard, copies) for shard in text.shards])

    def learn(training: Training, begin: ResumePoint, _: TrainState):
        return loop.distil(training, begin, target), None

    tagger, _ = to_train.run(text, learn)
    return TrainedTarget(tagger, None, None)


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
    label_set, decoding = transferred.tagger.label_set, transferred.decoding(decoding, "Q")
    if transferred.chain is not None:
        return labels_by_chain(transferred.chain, votes, sentences, label_set, log_priors, decoding)
    evidence = evidence_of(votes, config.predictions)
    weights, log_confusion = config.label_model.weights, transferred.log_confusion
    posterior = label_posterior(weights, log_priors, evidence, log_confusion).posterior
    words = [sentence.words for sentence in sentences]
    return decode(posterior, label_set, words, decoding), posterior


def _check_source_weights(config: TransferConfig, votes: SourceVotes) -> None:
    given, num_sources = len(config.label_model.weights.source), votes.labels.shape[1]
    if given not in (1, num_sources):
        raise InputError(
            f"`source_weight` has {given} numbers for {num_sources} sources; give one number, or "
            "one per source"
        )
