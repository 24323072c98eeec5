"""The choices in a configuration: one enumeration per choice."""

import enum

from zsl_jax.errors import InputError


class Approach(enum.StrEnum):
    """How the target tagger is trained from the sources' predictions (paper, Tables 2-4)."""

    DIRECT = "direct"
    HARD = "hard"
    HARD_CAT = "hard_cat"
    HARD_VOTE = "hard_vote"
    KD = "kd"
    MRT = "mrt"
    LVM = "lvm"

    @property
    def has_label_model(self) -> bool:
        """Whether each source has a confusion matrix."""
        return self in (Approach.MRT, Approach.LVM)

    @property
    def has_hard_targets(self) -> bool:
        """Whether the tagger learns from labels, also of sources that give probabilities."""
        return self in (Approach.HARD, Approach.HARD_CAT, Approach.HARD_VOTE)

    def check_sources(self, num_sources: int) -> None:
        """Checks that the approach can learn from that many sources.

        Raises:
          InputError: It takes exactly one source.
        """
        if self is Approach.HARD and num_sources != 1:
            raise InputError(
                f"`approach`=hard takes one source, but {num_sources} were given; use hard_vote "
                "or hard_cat"
            )


class Strategy(enum.StrEnum):
    """How the objective of MRT and LVM is minimised (paper, Tables 5 and 6)."""

    SOFT_EM = "soft_em"
    HARD_EM = "hard_em"
    DIRECT = "direct"


class LabelModelKind(enum.StrEnum):
    """How the sources' predictions are modelled.

    PAPER: confusion matrices λψ + (1 − λ)σ (Hu et al., 2021). CHAIN: confusion matrices weighted by
    the reliability of each source and label, word types, and a Markov chain over each sentence.
    """

    CHAIN = "chain"
    PAPER = "paper"


class Predictions(enum.StrEnum):
    """Which of the sources' predictions are evidence: their probabilities, or their labels."""

    SOFT = "soft"
    HARD = "hard"


class Distillation(enum.StrEnum):
    """The loss of knowledge distillation."""

    KL = "kl"
    MSE = "mse"


class ConfusionInit(enum.StrEnum):
    """How σ is initialised: from a scaled identity, or from an estimate on the hard votes."""

    TAU = "tau"
    DAWID_SKENE = "dawid_skene"


class ConfusionUpdate(enum.StrEnum):
    """How σ is learned."""

    GRADIENT = "gradient"
    CLOSED_FORM = "closed_form"


class MixSchedule(enum.StrEnum):
    """How λ moves from its first value to its last; constant uses the last throughout."""

    LINEAR = "linear"
    COSINE = "cosine"
    CONSTANT = "constant"


class Decay(enum.StrEnum):
    """The learning rate after the warm-up: it falls to 0 at the end, or stays constant."""

    LINEAR = "linear"
    CONSTANT = "constant"


class Dtype(enum.StrEnum):
    """Data type of the encoder's activations; AUTO depends on the device."""

    AUTO = "auto"
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"


class Remat(enum.StrEnum):
    """What of a layer is computed again for the gradient, instead of stored."""

    NONE = "none"
    CHEAP = "cheap"
    ALL = "all"


class Partition(enum.StrEnum):
    """How several devices share an update; the results do not depend on it."""

    PMAP = "pmap"
    SHARD_MAP = "shard_map"


class Objective(enum.StrEnum):
    """The loss of one update."""

    KL = "kl"
    SQUARED_ERROR = "mse"
    M_STEP = "m_step"
    MARGINAL = "marginal"

    @property
    def has_label_model(self) -> bool:
        """Whether the loss contains the sources' likelihoods."""
        return self in (Objective.M_STEP, Objective.MARGINAL)
