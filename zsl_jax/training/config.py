"""All settings of a run, as frozen dataclasses.

Each setting is defined here once: type, default, meaning, choices and bounds. The programs' flags
and their help are generated from these fields. Configurations are hashable and do not change once
a run has begun.
"""

import dataclasses
import enum
import functools
import math
import numbers
import typing
from typing import Any

from zsl_jax.errors import InputError
from zsl_jax.training.config_choices import (
    Approach,
    ConfusionInit,
    ConfusionUpdate,
    Decay,
    Distillation,
    Dtype,
    LabelModelKind,
    MixSchedule,
    Objective,
    Partition,
    Predictions,
    Remat,
    Strategy,
)
from zsl_jax.training.setting_types import check_types, hints_of, may_be_none

# Headings of the help.
APPROACH, PASSES, TRAINING = "approach", "passes", "training"
OPTIMISATION, PAPER, RUNNING = "optimisation", "paper's model", "running"
# Bounds of what follows from the sizes of text and encoder; see `workflows.size_defaults`.
FEWEST_WORDS, MOST_WORDS = 64, 512  # per update
HEAD_STEP = 2  # about the most by which one update of AdamW changes a logit
HIGHEST_HEAD_RATE = 0.01


def setting(
    default: Any,
    meaning: str,
    section: str,
    least: float | None = None,
    most: float | None = None,
    flag: str | None = None,
) -> Any:
    """A field of a configuration that is also a flag.

    Args:
      default: Default value; None if not set.
      meaning: Description, also shown by the programs' help.
      section: Heading under which the help lists it.
      least: Smallest value allowed.
      most: Largest value allowed.
      flag: Name of the flag, if it differs from the field's.
    """
    about = {"meaning": meaning, "section": section, "least": least, "most": most, "flag": flag}
    return dataclasses.field(default=default, metadata=about)


def bounded(default: Any, least: float = 0.0, most: float | None = None) -> Any:
    """A field of a configuration that is not a flag, with its smallest and largest value."""
    return dataclasses.field(default=default, metadata={"least": least, "most": most})


class Settings:
    """Base class of the configurations; checks values against the fields' choices and bounds.

    Raises:
      InputError: A value is not one of the choices, or is out of bounds.
    """

    def __post_init__(self) -> None:
        cls: Any = type(self)
        check_types(self)
        for field in dataclasses.fields(cls):
            value, choices = getattr(self, field.name), choices_of(cls).get(field.name)
            if choices is not None and not (value is None and may_be_none(cls, field.name)):
                if value not in list(choices):
                    raise InputError(
                        f"`{field.name}`={value} is not one of {', '.join(choices)}; choose one"
                    )
                object.__setattr__(self, field.name, choices(value))
            least, most = field.metadata.get("least"), field.metadata.get("most")
            if isinstance(value, numbers.Real) and not _between(float(value), least, most):
                raise InputError(
                    f"`{field.name}`={value} must be {_bounds(least, most)}; correct it"
                )


@functools.cache
def choices_of(config: type) -> dict[str, type[enum.StrEnum]]:
    """The enumeration of each field of a configuration that is a choice."""
    choices = {}
    for name, hint in hints_of(config).items():
        for kind in typing.get_args(hint) or (hint,):
            if isinstance(kind, type) and issubclass(kind, enum.StrEnum):
                choices[name] = kind
    return choices


def _between(value: float, least: float | None, most: float | None) -> bool:
    return (least is None or value >= least) and (most is None or value <= most)


def _bounds(least: float | None, most: float | None) -> str:
    parts = [f"at least {least}"] if least is not None else []
    return " and ".join([*parts, *([f"at most {most}"] if most is not None else [])])


@dataclasses.dataclass(frozen=True)
class JointWeights:
    """Weights in the log joint α·log P_θ + Σ β_u·log ℓ_u.

    Attributes:
      prior: α, weight of the tagger; None stands for the number of sources.
      source: β, weight of the sources; one number for all, or one per source.
    """

    prior: float | None = 1.0
    source: tuple[float, ...] = (1.0,)


@dataclasses.dataclass(frozen=True)
class ChainConfig(Settings):
    """The reliability-weighted chain; see `zsl_jax.kernels.chain_label_model`.

    The same defaults serve tags and entities.

    Attributes:
      source_weight: β, weight of the sources' likelihoods.
      scale: γ, the power of a source's label frequencies that its probabilities are divided by.
      power: Exponent of κ in the weights of the sources; below 4, random sources and sources with
        switched labels keep too much weight.
      identity_share: η, share of the identity in the confusion matrices.
      back_off: κ₀, weight of the coarser level in the prior of a word type, in words.
      iterations: Estimations of word types and chain from the posterior in one E step.
      tagger_weight: α, weight of the tagger in the posterior. It is small, since the tagger has
        learned the sources' errors; with more, Q is worse on tags and on entities.
    """

    source_weight: float = bounded(0.35)
    scale: float = bounded(0.25)
    power: float = bounded(4.0)
    identity_share: float = bounded(0.1, most=1.0)
    back_off: float = bounded(10.0, least=1e-6)
    iterations: int = bounded(3, least=1)
    tagger_weight: float = bounded(0.1)


@dataclasses.dataclass(frozen=True)
class LabelModelConfig(Settings):
    """The label model: how the sources' predictions are combined with the tagger's distribution.

    `kind` is the flag `--label_model`; `chain` has the settings of CHAIN; the fields after it are
    those of PAPER, and flags of the same names. The temperature of a confusion matrix can also be
    given as its diagonal probability μ, which is converted once the number of labels is known; see
    `training.confusion_matrices.temperatures`.
    """

    kind: LabelModelKind | None = setting(
        None,
        "Label model. Default: chain (by reliability) for lvm, none for kd.",
        APPROACH,
        flag="label_model",
    )
    chain: ChainConfig = ChainConfig()
    confusion_learning_rate: float = setting(
        2e-4, "Highest learning rate of the trainable confusion matrices.", PAPER, least=0.0
    )
    tau_fixed: float | None = setting(
        None,
        "Temperature of the fixed confusion matrices, τ: how close they are to the identity "
        "(default 10).",
        PAPER,
        least=0.0,
    )
    tau_trainable: float | None = setting(
        None, "Initial temperature of the trainable matrices (default 2).", PAPER, least=0.0
    )
    mu_fixed: float | None = setting(
        None, "The same as `tau_fixed`, as the diagonal probability.", PAPER
    )
    mu_trainable: float | None = setting(
        None, "The same as `tau_trainable`, as the diagonal probability.", PAPER
    )
    confusion_init: ConfusionInit = setting(
        ConfusionInit.TAU, "Initialisation of the trainable confusion matrices.", PAPER
    )
    confusion_update: ConfusionUpdate = setting(
        ConfusionUpdate.GRADIENT, "How the trainable matrices are learned.", PAPER
    )
    confusion_evidence: Predictions = setting(
        Predictions.HARD, "What the closed form counts; soft can collapse.", PAPER
    )
    pseudo_count: float = setting(
        1.0,
        "Weight of the initial matrices in the closed form, in words per label.",
        PAPER,
        least=0.0,
    )
    prior_weight: float | None = setting(
        1.0, "Weight of the tagger in the posterior: a number or num_sources.", PAPER
    )
    source_weight: tuple[float, ...] = setting(
        (1.0,),
        "Weight of the sources in the posterior: one number, or one per source with commas.",
        PAPER,
    )
    mix_start: float = setting(
        1.0, "Share of the fixed matrices at the start of training.", PAPER, 0.0, 1.0
    )
    mix_end: float = setting(0.0, "Share of the fixed matrices at the end.", PAPER, 0.0, 1.0)
    mix_schedule: MixSchedule = setting(
        MixSchedule.LINEAR, "How this share changes; constant: `mix_end` throughout.", PAPER
    )

    def __post_init__(self) -> None:
        """Checks the weight, too: 0 is how model folders write that of num_sources."""
        super().__post_init__()
        weight = self.prior_weight
        if weight is not None and not 0 < weight < math.inf:
            raise InputError(f"`prior_weight`={weight} must be positive and finite; correct it")

    @property
    def weights(self) -> JointWeights:
        """Weights of the tagger and of the sources."""
        return JointWeights(self.prior_weight, self.source_weight)


@dataclasses.dataclass(frozen=True)
class OptimizerConfig(Settings):
    """AdamW with a linear warm-up, and a decay after it; see `TrainConfig`."""

    learning_rate: float = setting(
        1e-4, "Highest learning rate of the encoder.", TRAINING, least=0.0
    )
    head_learning_rate: float | None = setting(
        None,
        f"The same for the head. Default: {HEAD_STEP} / hidden size, from `learning_rate` to "
        f"{HIGHEST_HEAD_RATE}.",
        TRAINING,
        least=0.0,
    )
    warmup: float = setting(
        0.1, "Share of the updates during which the rate rises.", OPTIMISATION, 0.0, 0.99
    )
    decay: Decay = setting(
        Decay.LINEAR, "The rate after the warm-up: falls to 0, or stays constant.", OPTIMISATION
    )
    weight_decay: float = setting(
        0.01, "AdamW's weight decay of dense kernels.", OPTIMISATION, least=0.0
    )
    clip_norm: float | None = setting(
        5.0,
        "Largest norm of the gradient of the mean loss per word (0: no clipping).",
        OPTIMISATION,
        least=0.0,
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainConfig(Settings):
    """Training on labelled text; also the settings that every training shares.

    The fields, and those of `optimizer`, are flags of the same names, which `--helpfull` of
    `launch.train` explains.
    """

    epochs: int | None = setting(3, "Passes over the text.", PASSES, least=1)
    batch_words: int | None = setting(
        None,
        f"Approximate number of words per update. Default: {MOST_WORDS}; as few as {FEWEST_WORDS} "
        "for a small text.",
        TRAINING,
        least=1,
    )
    optimizer: OptimizerConfig = OptimizerConfig()
    dropout: float = setting(0.1, "Dropout rate.", TRAINING, 0.0, 0.99)
    attention_dropout: float | None = setting(
        None,
        "Dropout rate of the attention probabilities; 0 lets GPUs use their fused kernel. Default: "
        "the same as `dropout`.",
        OPTIMISATION,
        0.0,
        0.99,
    )
    head_dropout: float | None = setting(
        None,
        "Dropout rate before the head. Default: the same as `dropout`.",
        OPTIMISATION,
        0.0,
        0.99,
    )
    trainable_layers: int | None = setting(
        None,
        "Train the head and this many last layers; those below are frozen and run once over a "
        "text. Default: all.",
        TRAINING,
        least=0,
    )
    seed: int = setting(0, "Random seed.", RUNNING, 0, 2**64 - 1)
    row_length: int = setting(
        128,
        "Subwords per packed row; longer sentences go through overlapping windows.",
        OPTIMISATION,
        least=8,
    )
    dtype: Dtype = setting(
        Dtype.AUTO,
        "Data type of the encoder's activations in training; parameters, softmax and loss stay "
        "float32. auto: bfloat16 on GPU and TPU, float32 on CPU.",
        OPTIMISATION,
    )
    accumulate: int = setting(
        1,
        "Parts of a batch whose gradients are summed one after the other, to save memory.",
        OPTIMISATION,
        least=1,
    )
    remat: Remat = setting(
        Remat.CHEAP,
        "What is recomputed for the gradient instead of stored: none (fastest with enough memory), "
        "cheap (all but matrix products), or all (least memory).",
        OPTIMISATION,
    )
    partition: Partition = setting(Partition.PMAP, "How several devices share an update.", RUNNING)

    @property
    def objective(self) -> Objective:
        """The loss of one update."""
        return Objective.KL

    @property
    def epochs_per_round(self) -> int:
        """Epochs between two E steps; without E steps every epoch is a round."""
        return 1

    @property
    def passes(self) -> int:
        """Epochs of the whole training."""
        return self.epochs or 1

    @property
    def schedule_epochs(self) -> int:
        """Epochs in which the rates rise and fall once."""
        return self.passes

    @property
    def weights(self) -> JointWeights:
        """Weights in the log joint, which only transfer reads."""
        return JointWeights()

    @property
    def trains_confusion(self) -> bool:
        """Whether σ is trained by gradient."""
        return False

    @property
    def confusion_learning_rate(self) -> float:
        """Highest learning rate of the logits of σ."""
        return 0.0

    def done(self, passes: float) -> float:
        """Share of the schedule that is done after some epochs, from 0 to 1."""
        return passes / self.schedule_epochs

    def mix(self, progress: float) -> float:
        """λ, the share of the fixed matrix ψ, after `progress` (0 to 1) of training."""
        return 1.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class TransferConfig(TrainConfig):
    """Training of a target tagger from its sources' predictions.

    The fields, and those of `optimizer` and `label_model`, are flags of the same names, which
    `--helpfull` of `launch.transfer` explains.
    """

    epochs: int | None = setting(
        None, "Passes per round. Default: more for small texts.", PASSES, least=1
    )
    approach: Approach = setting(Approach.LVM, "How the tagger learns from the sources.", APPROACH)
    predictions: Predictions = setting(
        Predictions.SOFT, "Learn from the sources' probabilities or labels.", APPROACH
    )
    label_model: LabelModelConfig = LabelModelConfig()
    init: str = setting(
        "auto",
        "Start from encoder, source:NAME, or auto: with the chain the best source, else the "
        "encoder.",
        APPROACH,
    )
    strategy: Strategy = setting(Strategy.SOFT_EM, "How mrt and lvm are optimised.", APPROACH)
    distillation: Distillation = setting(Distillation.KL, "Loss of kd.", APPROACH)
    rounds: int | None = setting(
        None,
        "Rounds (of EM). Default: 3; lvm with the chain 2.",
        PASSES,
        least=1,
    )
    stop_early: bool = setting(False, "Stop when a round does not improve J.", PASSES)

    @property
    def chain(self) -> ChainConfig | None:
        """Settings of the chain if it is the label model; None otherwise."""
        kind = self.label_model.kind
        if kind is None and self.approach is Approach.LVM:
            kind = LabelModelKind.CHAIN
        return self.label_model.chain if kind is LabelModelKind.CHAIN else None

    @property
    def has_paper_model(self) -> bool:
        """Whether the label model is the paper's, confusion matrices alone."""
        return self.approach.has_label_model and self.chain is None

    @property
    def objective(self) -> Objective:
        """The loss that the approach and strategy stand for."""
        if self.has_paper_model:
            return Objective.MARGINAL if self.strategy is Strategy.DIRECT else Objective.M_STEP
        if self.approach is Approach.KD and self.distillation is Distillation.MSE:
            return Objective.SQUARED_ERROR
        return Objective.KL

    @property
    def num_rounds(self) -> int:
        """EM rounds; for the other approaches, how often `epochs_per_round` passes are made."""
        if self.rounds is not None:
            return self.rounds
        return 3 if self.chain is None or self.approach is not Approach.LVM else 2

    @property
    def epochs_per_round(self) -> int:
        """Epochs in one round."""
        return 1 if self.epochs is None else self.epochs

    @property
    def passes(self) -> int:
        """Epochs of the whole training."""
        return self.num_rounds * self.epochs_per_round

    @property
    def weights(self) -> JointWeights:
        """Weights in the log joint."""
        return self.label_model.weights

    @property
    def trains_confusion(self) -> bool:
        """Whether σ is trained by gradient."""
        return self.label_model.confusion_update is ConfusionUpdate.GRADIENT

    @property
    def confusion_learning_rate(self) -> float:
        """Highest learning rate of the logits of σ."""
        return self.label_model.confusion_learning_rate

    @property
    def restarts(self) -> bool:
        """Whether every M step starts from the first state, as with the chain."""
        return self.approach is Approach.LVM and self.chain is not None

    @property
    def schedule_epochs(self) -> int:
        """Epochs in which the rates rise and fall once; with the chain, those of one M step."""
        return self.epochs_per_round if self.restarts else self.passes

    def done(self, passes: float) -> float:
        """Share of the schedule that is done after some epochs, from 0 to 1."""
        if self.restarts:
            passes %= self.schedule_epochs
        return passes / self.schedule_epochs

    def mix(self, progress: float) -> float:
        """λ after `progress` (0 to 1) of training; 1 throughout for minimum risk training.

        >>> TransferConfig().mix(0.25), TransferConfig(approach=Approach.MRT).mix(0.25)
        (0.75, 1.0)
        """
        if self.approach is not Approach.LVM:
            return 1.0
        model = self.label_model
        shares = {
            MixSchedule.LINEAR: progress,
            MixSchedule.COSINE: 0.5 - 0.5 * math.cos(math.pi * progress),
            MixSchedule.CONSTANT: 1.0,
        }
        return model.mix_start + (model.mix_end - model.mix_start) * shares[model.mix_schedule]
