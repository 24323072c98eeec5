"""Rejects settings of a transfer that its approach or its label model would not read."""

import dataclasses
from collections.abc import Collection
from typing import TypeVar

from zsl_jax.errors import InputError
from zsl_jax.training.config import PAPER, LabelModelConfig, TransferConfig
from zsl_jax.training.config_choices import Approach, LabelModelKind, Strategy

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
    approach, kind = config.approach, _kind(config)
    if config.label_model.kind is not None and (approach, kind) not in _LABEL_MODELS:
        raise InputError(
            f"`label_model`={kind} cannot be combined with `approach`={approach}; combine chain "
            "with lvm or kd, and paper with lvm or mrt"
        )
    for name in _settings_of_paper(config.label_model, given):
        if kind is not LabelModelKind.PAPER:
            wanted = "`label_model`=paper" if approach is Approach.LVM else "`approach`=mrt"
            raise InputError(
                f"`{name}` is a setting of the paper's label model; give {wanted} with it, or omit "
                "it"
            )
    if kind is LabelModelKind.CHAIN and (config.stop_early or config.strategy is Strategy.DIRECT):
        name = "`stop_early`" if config.stop_early else "`strategy`=direct"
        raise InputError(
            f"{name} is for the paper's label model, whose J it uses; give `label_model`=paper "
            "with it, or omit it"
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
    fields = dataclasses.fields(config)
    names = [field.name for field in fields if field.metadata.get("section") == PAPER]
    return [name for name in names if name in changed]


def _changed(config: TransferConfig | LabelModelConfig) -> list[str]:
    """Fields that do not have their defaults."""
    fields = dataclasses.fields(config)
    return [field.name for field in fields if getattr(config, field.name) != field.default]
