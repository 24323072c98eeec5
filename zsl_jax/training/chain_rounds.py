"""EM with the reliability-weighted chain: the posterior of the text, then a tagger trained on it.

The sources' part of the label model is fitted once, without the tagger, whose posterior is Q of the
first round. Every M step trains the tagger anew from where it started; from then on, every E step
adds its log-probabilities, and estimates word types and chain again, beginning with the posterior
without the tagger.
"""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from zsl_jax.runtime import processes
from zsl_jax.runtime.blocks import blocks
from zsl_jax.training import chain_fit
from zsl_jax.training.chain_fit import ChainPosterior
from zsl_jax.training.chain_inference import FittedChain, evidence
from zsl_jax.training.chain_text import ChainLabels, ChainText
from zsl_jax.training.config import ChainConfig
from zsl_jax.training.config_choices import Strategy
from zsl_jax.training.devices import Devices
from zsl_jax.training.e_step import log_prior_of_text
from zsl_jax.training.records import Expectation
from zsl_jax.training.setup import Training
from zsl_jax.training.state import AnyArray, TrainState


class FittedLabelModel(NamedTuple):
    """The label model fitted to a text without a tagger, and its posterior.

    Attributes:
      text: This process's part of the text.
      labels: What is given about the labels.
      config: The settings that it was fitted with.
      fitted: The label model.
      result: Its posterior of the text.
      predictions: "soft" or "hard", which of the sources' predictions are evidence, also in other
        texts: here there may be labels only, and probabilities there.
    """

    text: ChainText
    labels: ChainLabels
    config: ChainConfig
    fitted: FittedChain
    result: ChainPosterior
    predictions: str


def fit_label_model(
    text: ChainText, labels: ChainLabels, config: ChainConfig, predictions: str
) -> FittedLabelModel:
    """Fits the label model to a text; all processes call it."""
    fitted, result = chain_fit.fit_chain(text, labels, config)
    return FittedLabelModel(text, labels, config, fitted, result, predictions)


class ChainEM(NamedTuple):
    """The `loop.LabelModel` of the reliability-weighted chain.

    Attributes:
      model: The label model, fitted to this text.
      first: The state before the first update, on the host, where every M step starts.
    """

    model: FittedLabelModel
    first: TrainState

    @property
    def evidence(self) -> None:
        """Q is all that an update learns."""
        return None

    def e_step(
        self,
        training: Training,
        params: dict[str, Any],
        confusion_logits: AnyArray,
        number: int,
        previous: Expectation | None,
    ) -> Expectation:
        """Q of the label model alone in the first round, with the tagger in the others."""
        model, config = self.model, self.model.config
        if number == 0:
            return _expectation(model.result, model.fitted, training)
        scores = log_prior_of_text(training, params)
        scores *= np.float32(config.tagger_weight)
        scores += evidence(model.text, model.labels, model.fitted.sources, config)
        result = chain_fit.chain_posterior(
            model.text,
            model.labels,
            config,
            scores,
            model.result.posterior.copy(),
            1 + config.tagger_weight,
        )
        return _expectation(result, model.fitted, training)

    def confusion_after(
        self, training: Training, confusion_logits: AnyArray, expectation: Expectation, number: int
    ) -> tuple[AnyArray, Float[np.ndarray, " U"]]:
        """The logits as they are: the confusion matrices were fitted before."""
        return confusion_logits, np.zeros(len(self.model.fitted.kappa))

    def m_step_start(self, devices: Devices, state: TrainState, step: int) -> TrainState:
        """The first state, with the number of updates that were made."""
        return devices.replicate(self.first._replace(step=np.asarray(step, np.int32)))

    def target(self, training: Training, expectation: Expectation) -> np.ndarray:
        """Q, or its most probable labels in hard EM."""
        posterior = expectation.posterior
        if training.transfer.strategy is not Strategy.HARD_EM:
            return posterior
        return np.eye(posterior.shape[1], dtype=bool)[posterior.argmax(axis=1)]


def _expectation(result: ChainPosterior, fitted: FittedChain, training: Training) -> Expectation:
    entropy = sum(_entropy(block.arrays[0][block.mask]) for block in blocks(result.posterior))
    entropy, words = processes.total([entropy, training.corpus.num_words])
    objective = -result.log_marginal / max(words, 1)
    log_confusion = np.asarray(fitted.sources.log_confusion)
    entropy = float(entropy / max(words, 1))
    return Expectation(
        result.posterior, log_confusion, objective, objective, entropy, model_state=result.state
    )


def _entropy(posterior: Float[np.ndarray, "C K"]) -> float:
    """In nats, summed over words."""
    return float(-(posterior * np.log(np.maximum(posterior, 1e-30))).sum(dtype=np.float64))
