"""Rejects settings of a transfer that its approach or its label model would not read."""

import contextlib
import contextvars
import dataclasses
from collections.abc import Collection, Iterator
from typing import TypeVar

from absl import logging

from zsl_jax.errors import InputError
from zsl_jax.training.config import (
    OPTIMISATION,
    PAPER,
    PASSES,
    TRAINING,
    ChainConfig,
    LabelModelConfig,
    OptimizerConfig,
    TransferConfig,
)
from zsl_jax.training.config_choices import (
    Approach,
    ConfusionInit,
    ConfusionUpdate,
    LabelModelKind,
    MixSchedule,
    Predictions,
    Strategy,
)

Config = TypeVar("Config")
# Approaches and the label models that they can learn from.
_LABEL_MODELS = {
    (Approach.LVM, LabelModelKind.CHAIN),
    (Approach.KD, LabelModelKind.CHAIN),
    (Approach.LVM, LabelModelKind.PAPER),
    (Approach.MRT, LabelModelKind.PAPER),
}
_READERS = {
    "strategy": (Approach.MRT, Approach.LVM),
    "stop_early": (Approach.MRT, Approach.LVM),
    "distillation": (Approach.KD,),
}
# Settings of the paper's label model that are about φ = ψ, too, which is all that MRT has.
_OF_FIXED = ("tau_fixed", "mu_fixed", "prior_weight", "source_weight")
_SHARED = contextvars.ContextVar("settings are shared by several approaches", default=False)


def checked_config(config: Config | None, kind: type[Config]) -> Config:
    """Returns the settings, by default those of the program.

    Raises:
      InputError: They are those of something else.
    """
    if config is None:
        return kind()
    if type(config) is not kind:
        raise InputError(
            f"config={config!r:.80} is not a {kind.__name__}; give "
            f"zsl_jax.{kind.__name__}(name=value, ...)"
        )
    return config


def check_combination(config: TransferConfig, given: Collection[str] = ()) -> None:
    """Rejects settings that a transfer would not read.

    Args:
      config: The settings.
      given: Names of settings that the user gave; those that differ from their defaults are
        known to be given.

    Raises:
      InputError: One setting excludes another.
    """
    check_label_model(config)
    approach, kind = config.approach, _kind(config)
    for name in _settings_of_paper(config.label_model, given):
        if kind is not LabelModelKind.PAPER:
            wanted = "`label_model`=paper" if approach is Approach.LVM else "`approach`=mrt"
            raise InputError(
                f"`{name}` is a setting of the paper's label model; give {wanted} with it, or omit "
                "it"
            )
    for name, approaches in _READERS.items():
        if name in _changed(config) and approach not in approaches:
            raise InputError(
                f"`{name}` is not used by `approach`={approach}, only by "
                f"{' and '.join(approaches)}; omit it"
            )
    if config.init not in ("auto", "encoder") and not config.init.startswith("source:"):
        raise InputError(
            f"`init`={config.init} is not one of auto, encoder, source:NAME; choose one"
        )


def check_gold_words(config: TransferConfig, given: bool) -> None:
    """Rejects known words where nothing is trained and the labels are the tagger's own.

    Raises:
      InputError: They are given for such an approach.
    """
    if given and config.approach is Approach.DIRECT:
        raise InputError(
            "`gold_words` is not used by `approach`=direct, which trains nothing; omit it"
        )


def check_label_model(config: TransferConfig) -> None:
    """Rejects a label model that the approach does not have, and settings that need another one.

    Raises:
      InputError: One excludes the other.
    """
    approach, kind = config.approach, _kind(config)
    if config.label_model.kind is not None and (approach, kind) not in _LABEL_MODELS:
        raise InputError(
            f"`label_model`={kind} cannot be combined with `approach`={approach}; combine chain "
            "with lvm or kd, and paper with lvm or mrt"
        )
    needs_objective = config.stop_early or config.strategy is Strategy.DIRECT
    if approach is Approach.LVM and kind is LabelModelKind.CHAIN and needs_objective:
        name = "`stop_early`" if config.stop_early else "`strategy`=direct"
        raise InputError(
            f"{name} is for the paper's label model, whose J it uses; give `label_model`=paper "
            "with it, or omit it"
        )


def check_read(config: TransferConfig, given: Collection[str]) -> None:
    """Rejects settings that were given for this transfer, though it does not read them.

    Raises:
      InputError: One of these names is that of such a setting.
    """
    for name, reason in _unread(config).items():
        if name in given:
            raise InputError(f"`{name}` is not used by {reason}; omit it")


def warn_of_unread(config: TransferConfig) -> None:
    """Names the settings that a transfer does not read, though they differ from their defaults."""
    changed = [*_changed(config), *_changed(config.label_model), *_changed(config.optimizer)]
    changed += [f"chain.{name}" for name in _changed(config.label_model.chain)]
    settings = {**_unread_of_chain(config), **_unread(config)}
    unread = [f"`{n}` (by {reason})" for n, reason in settings.items() if n in changed]
    if unread and not _SHARED.get():
        logging.warning("settings that are not used: %s; omit them", ", ".join(unread))


@contextlib.contextmanager
def shared_settings() -> Iterator[None]:
    """Transfers within it have settings that several approaches share: `warn_of_unread` is silent.

    So it is with the rows of an experiment, whose flag file is one for all of them.
    """
    token = _SHARED.set(True)
    try:
        yield
    finally:
        _SHARED.reset(token)


def _unread(config: TransferConfig) -> dict[str, str]:
    """The settings that a transfer does not read, and the choice by which it does not.

    >>> _unread(TransferConfig(approach=Approach.MRT))["tau_trainable"]
    '`approach`=mrt'
    """
    model, approach = config.label_model, f"`approach`={config.approach}"
    if config.approach is Approach.DIRECT:  # it trains nothing
        trained = [*_in_section(config, PASSES, TRAINING, OPTIMISATION), "init", "predictions"]
        return dict.fromkeys([name for name in trained if name != "row_length"], approach)
    if config.approach is Approach.MRT:
        of_sigma = [name for name in _in_section(model, PAPER) if name not in _OF_FIXED]
        return dict.fromkeys(of_sigma, approach)
    if config.approach.has_hard_targets and config.predictions is Predictions.SOFT:
        return {"predictions": approach}
    if not config.has_paper_model:  # others are refused by `check_combination`
        return {}
    unread = {}
    if model.confusion_update is ConfusionUpdate.CLOSED_FORM:
        unread["confusion_learning_rate"] = "`confusion_update`=closed_form"
        if config.predictions is Predictions.HARD:
            unread["confusion_evidence"] = "`predictions`=hard"
    else:
        update = f"`confusion_update`={model.confusion_update}"
        unread |= dict.fromkeys(("confusion_evidence", "pseudo_count"), update)
    if model.mix_schedule is MixSchedule.CONSTANT:
        unread["mix_start"] = "`mix_schedule`=constant"
    if model.confusion_init is ConfusionInit.DAWID_SKENE:
        start = ("tau_trainable", "mu_trainable")
        unread |= dict.fromkeys(start, "`confusion_init`=dawid_skene")
    return unread


def _unread_of_chain(config: TransferConfig) -> dict[str, str]:
    """The settings of the chain that a transfer does not read, and the choice by which it does not.

    All of them where the chain is not the label model.

    >>> _unread_of_chain(TransferConfig(approach=Approach.KD))["chain.power"]
    '`approach`=kd'
    """
    kind = config.label_model.kind
    reason = f"`approach`={config.approach}" if kind is None else f"`label_model`={kind}"
    unread = [f"chain.{field.name}" for field in dataclasses.fields(config.label_model.chain)]
    if config.chain is None:
        return dict.fromkeys(unread, reason)
    is_kd = config.approach is Approach.KD
    return {"chain.tagger_weight": f"`approach`={config.approach}"} if is_kd else {}


def _in_section(config: TransferConfig | LabelModelConfig, *sections: str) -> list[str]:
    """Names of the settings of these sections of the help, in the order of the fields."""
    fields = [*dataclasses.fields(config)]
    if isinstance(config, TransferConfig):
        fields += dataclasses.fields(config.optimizer)
    return [field.name for field in fields if field.metadata.get("section") in sections]


def _kind(config: TransferConfig) -> LabelModelKind | None:
    """The label model that is used."""
    if config.label_model.kind is not None:
        return config.label_model.kind
    if config.approach is Approach.MRT:
        return LabelModelKind.PAPER
    return None if config.chain is None else LabelModelKind.CHAIN


def _settings_of_paper(config: LabelModelConfig, given: Collection[str]) -> list[str]:
    """Settings of the paper's label model that were given, in the order of the fields."""
    changed = {*given, *_changed(config)}
    return [name for name in _in_section(config, PAPER) if name in changed]


def _changed(
    config: TransferConfig | LabelModelConfig | ChainConfig | OptimizerConfig,
) -> list[str]:
    """Fields that do not have their defaults."""
    fields = dataclasses.fields(config)
    return [field.name for field in fields if getattr(config, field.name) != field.default]
