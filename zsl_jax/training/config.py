"""Everything a run can be told, as frozen dataclasses.

Built by the programs from flags, hashable, and never changed afterwards.
"""

import dataclasses
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
        """Whether a confusion matrix of each source takes part."""
        return self in (Approach.MRT, Approach.LVM)

    def check_sources(self, num_sources: int) -> None:
        """Checks that the approach can learn from so many sources.

        Raises:
          InputError: It takes one only.
        """
        if self is Approach.HARD and num_sources != 1:
            raise InputError(
                f"--approach=hard takes one source, {num_sources} were given; use hard_vote or "
                "hard_cat"
            )


class Strategy(enum.StrEnum):
    """How the objective of MRT and LVM is minimised (paper, Tables 5 and 6)."""

    SOFT_EM = "soft_em"
    HARD_EM = "hard_em"
    DIRECT = "direct"


class LabelModelKind(enum.StrEnum):
    """What the sources' predictions are taken for.

    PAPER: confusion matrices λψ + (1 − λ)σ (Hu et al., 2021). CHAIN: confusion matrices weighted by
    the reliability of each source and label, word types, and a Markov chain over each sentence.
    """

    CHAIN = "chain"
    PAPER = "paper"


class Partition(enum.StrEnum):
    """How several devices share an update."""

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


@dataclasses.dataclass(frozen=True)
class JointWeights:
    """Weights in the log joint α·log P_θ + Σ β_u·log ℓ_u.

    Attributes:
      prior: α, of the tagger; 0 stands for the number of sources.
      source: β, of the sources; one number for all, or one each.
    """

    prior: float = 1.0
    source: tuple[float, ...] = (1.0,)


@dataclasses.dataclass(frozen=True)
class ChainConfig:
    """The reliability-weighted chain; see `zsl_jax.kernels.chain_label_model`.

    One set of defaults serves tags and entities.

    Attributes:
      source_weight: β, of the sources' likelihoods.
      scale: γ, the power of a source's label frequencies that its probabilities are divided by.
      power: Of κ, in the weights of the sources; below 4, random and switched sources get through.
      identity_share: s, the share of the identity in the confusion matrices.
      back_off: κ₀, the weight of the coarser level in the prior of a word type, in words.
      iterations: How often word types and chain are estimated from the posterior in one E step.
      tagger_weight: α, of the tagger in the posterior of other texts than the one trained on.
      own_tagger_weight: The same in the text trained on, whose labels the tagger has seen.
    """

    source_weight: float = 0.35
    scale: float = 0.25
    power: float = 4.0
    identity_share: float = 0.1
    back_off: float = 10.0
    iterations: int = 3
    tagger_weight: float = 0.25
    own_tagger_weight: float = 0.5


@dataclasses.dataclass(frozen=True)
class LabelModelConfig:
    """The label model: how the sources' predictions join the tagger's distribution.

    Attributes:
      kind: Which one; None takes the approach's own: CHAIN for LVM, PAPER for MRT, none for the
        others (KD with CHAIN imitates its posterior instead of the mean of the sources).
      chain: Settings of CHAIN; all that follow are those of PAPER.
      fixed_temperature: Multiplies the identity in the logits of the fixed matrix ψ.
      trainable_temperature: The same for the first logits of the trainable matrix σ.
      confusion_init: "tau" (scaled identity) or "dawid_skene" (estimated from the hard votes).
      confusion_update: "gradient" or "closed_form".
      confusion_evidence: What the closed form counts: "hard" or "soft" source predictions.
      pseudo_count: Weight of the first σ in the closed form, in words a label.
      weights: Of the tagger and the sources in the log joint.
      mix_start: λ at the start of the training; 1 is minimum risk training. Each update takes the
        value in the middle of its own share of the training.
      mix_end: λ at its end.
      mix_schedule: "linear", "cosine" or "constant" (= mix_end throughout).
    """

    kind: LabelModelKind | None = None
    chain: ChainConfig = ChainConfig()
    fixed_temperature: float = 10.0
    trainable_temperature: float = 2.0
    confusion_init: str = "tau"
    confusion_update: str = "gradient"
    confusion_evidence: str = "hard"
    pseudo_count: float = 1.0
    weights: JointWeights = JointWeights()
    mix_start: float = 1.0
    mix_end: float = 0.0
    mix_schedule: str = "linear"


@dataclasses.dataclass(frozen=True)
class OptimizerConfig:
    """AdamW with a linear warm-up, and a decay after it.

    Attributes:
      learning_rate: Highest rate for the encoder.
      head_learning_rate: Highest rate for the head; 0 stands for that of the encoder. A new head on
        a small encoder wants ten times as much, or more.
      confusion_learning_rate: Highest rate for the logits of σ.
      warmup_fraction: Part of the training in which the rate rises from 0.
      decay: "linear" (down to 0 at the end) or "constant" (no decay).
      clip_norm: Largest global norm of the gradient of the mean loss a word; 0 clips nothing.
      weight_decay: On the kernels of dense layers only.
    """

    learning_rate: float = 1e-4
    head_learning_rate: float = 0.0
    confusion_learning_rate: float = 2e-4
    warmup_fraction: float = 0.1
    decay: str = "linear"
    clip_norm: float = 5.0
    weight_decay: float = 0.01


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """One training run, supervised or from sources.

    Attributes:
      approach: See `Approach`; not used by supervised training.
      init: Where training starts: "encoder", "source:NAME", or "auto": with the chain, the source
        that agrees most with its posterior if it fits, and the encoder otherwise.
      strategy: See `Strategy`; used by MRT and LVM.
      predictions: "soft" or "hard": which of the sources' predictions are evidence.
      distillation: "kl" or "mse", the loss of knowledge distillation.
      rounds: EM rounds, each with one E step; other approaches pass over the text as often. None:
        3, or 2 with the chain, whose rounds have more epochs.
      epochs: Passes over the text in one round. None: 1, or with the chain as many as the size of
        the text asks for.
      stop_early: End when J has not improved at an E step (Algorithm 1).
      batch_words: Words in a full batch, about.
      row_length: Subwords in a packed row; longer sentences go through overlapping windows.
      dropout: Rate of every dropout layer of the encoder and the head.
      seed: Of head, dropout, order and sampling.
      dtype: Of the encoder's activations: "float32" or "bfloat16".
      partition: How several devices share an update; the numbers do not depend on it.
      trainable_layers: k: the last k layers of the encoder and the head are trained, on the output
        that the layers below have without dropout. None trains everything.
    """

    approach: Approach = Approach.LVM
    init: str = "auto"
    strategy: Strategy = Strategy.SOFT_EM
    predictions: str = "soft"
    distillation: str = "kl"
    rounds: int | None = None
    epochs: int | None = None
    stop_early: bool = False
    batch_words: int = 512
    row_length: int = 128
    dropout: float = 0.1
    seed: int = 0
    dtype: str = "float32"
    partition: Partition = Partition.PMAP
    trainable_layers: int | None = None
    label_model: LabelModelConfig = LabelModelConfig()
    optimizer: OptimizerConfig = OptimizerConfig()

    @property
    def chain(self) -> ChainConfig | None:
        """Settings of the chain where it is the label model; None with another or without any."""
        kind = self.label_model.kind
        if kind is None and self.approach is Approach.LVM:
            kind = LabelModelKind.CHAIN
        return self.label_model.chain if kind is LabelModelKind.CHAIN else None

    @property
    def objective(self) -> Objective:
        """The loss that the approach and strategy stand for."""
        if self.approach.has_label_model and self.chain is None:
            return Objective.MARGINAL if self.strategy is Strategy.DIRECT else Objective.M_STEP
        if self.approach is Approach.KD and self.distillation == "mse":
            return Objective.SQUARED_ERROR
        return Objective.KL

    @property
    def num_rounds(self) -> int:
        """EM rounds, or passes of other approaches."""
        if self.rounds is not None:
            return self.rounds
        return 3 if self.chain is None or self.approach is not Approach.LVM else 2

    @property
    def epochs_per_round(self) -> int:
        """Passes over the text in one round."""
        return 1 if self.epochs is None else self.epochs

    @property
    def passes(self) -> int:
        """Passes over the text in the whole training."""
        return self.num_rounds * self.epochs_per_round

    def done(self, passes: float) -> float:
        """How much of the schedule is done after some passes, from 0 to 1.

        With the chain, every M step starts anew and so does its schedule.
        """
        if self.approach is Approach.LVM and self.chain is not None:
            return passes % self.epochs_per_round / self.epochs_per_round
        return passes / self.passes
