"""EM with the paper's label model: a confusion matrix per source, learned with the tagger."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from zsl_jax.runtime import processes
from zsl_jax.training import steps
from zsl_jax.training.config import TransferConfig
from zsl_jax.training.config_choices import ConfusionUpdate, Objective, Strategy
from zsl_jax.training.confusion_matrices import Sources, closed_form_logits
from zsl_jax.training.devices import Devices
from zsl_jax.training.e_step import label_posterior, log_prior_of_text
from zsl_jax.training.records import Expectation
from zsl_jax.training.setup import Training
from zsl_jax.training.state import AnyArray, TrainState


class PaperModel(NamedTuple):
    """The `loop.LabelModel` of MRT and LVM, by soft EM, hard EM or descent on J itself.

    Attributes:
      evidence: The sources' predictions and the first confusion matrices.
    """

    evidence: Sources

    def e_step(
        self,
        training: Training,
        params: dict[str, Any],
        confusion_logits: AnyArray,
        number: int,
        previous: Expectation | None,
    ) -> Expectation:
        """Q at the parameters of one state (Eq. 3); the bound is taken at the Q before."""
        config = training.transfer
        log_confusion, _ = _confusion(config, confusion_logits, number, self.evidence)
        priors = log_prior_of_text(training, params)
        found = label_posterior(
            training.settings.weights,
            priors,
            self.evidence.votes,
            log_confusion,
            config.strategy is Strategy.HARD_EM,
            None if previous is None else previous.posterior,
            gold=self.evidence.gold,
            out=priors,
        )
        num_words = training.corpus.num_words
        sums = processes.total([found.objective, found.bound, found.entropy, num_words])
        objective, bound, entropy = (sums[:3] / max(sums[3], 1)).tolist()
        return Expectation(
            found.posterior, np.asarray(log_confusion), objective, bound=bound, entropy=entropy
        )

    def confusion_after(
        self, training: Training, confusion_logits: AnyArray, expectation: Expectation, number: int
    ) -> tuple[AnyArray, Float[np.ndarray, " U"]]:
        """σ in closed form where the config asks for it, and how far σ has moved."""
        config, logits = training.transfer, confusion_logits
        if config.label_model.confusion_update is ConfusionUpdate.CLOSED_FORM:
            logits = closed_form_logits(
                expectation.posterior, expectation.log_confusion, self.evidence, config.label_model
            )
        return logits, np.asarray(_confusion(config, logits, number, self.evidence)[1])

    def m_step_start(self, devices: Devices, state: TrainState, step: int) -> TrainState:
        """The state as it is: training continues through all rounds."""
        return state

    def target(
        self, training: Training, expectation: Expectation
    ) -> Float[np.ndarray, "N K"] | None:
        """Q, or None for the direct strategy."""
        direct = training.settings.objective is Objective.MARGINAL
        return None if direct else expectation.posterior


def _confusion(config: TransferConfig, logits: AnyArray, number: int, sources: Sources):
    """log φ of a round, and how far σ has moved."""
    mix = np.float32(config.mix(number / config.num_rounds))
    return steps.present_confusion(sources.log_fixed, sources.first_logits, logits, mix)
