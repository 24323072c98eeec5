"""Rejects combinations of flags of launch.transfer that cannot be run."""

from collections.abc import Sequence

from launch import shared_flags
from launch.options import FLAGS
from zsl_jax.errors import InputError

# Approaches and the label models that they can learn from.
_LABEL_MODELS = {("lvm", "chain"), ("kd", "chain"), ("lvm", "paper"), ("mrt", "paper")}


def check_transfer(sources, test_sources) -> None:
    """Rejects combinations of flags of launch.transfer that cannot be run."""
    from zsl_jax.training.config_choices import Approach

    if not sources:
        raise InputError("--source is missing: give at least one, as --source=NAME=PATH")
    files = {source.name for source in sources if source.is_file}
    for source in test_sources:
        if source.name not in files:
            raise InputError(
                f"--test_source={source.name}=...: there is no --source={source.name}=FILE; "
                "a model or pipeline annotates --test itself"
            )
    Approach(FLAGS.approach).check_sources(len(sources))
    _check_label_model()
    if FLAGS.approach == "direct":
        if len(sources) != 1 or not sources[0].is_model or sources[0].label_map:
            raise InputError(
                "--approach=direct takes exactly one --source, and that must be a model folder "
                "without a label map"
            )
    elif FLAGS.encoder is None:
        raise InputError("--encoder is missing: give the model folder or hub name to start from")
    if FLAGS.init not in ("auto", "encoder") and not FLAGS.init.startswith("source:"):
        raise InputError(f"--init={FLAGS.init} is not one of auto, encoder, source:NAME")


def check_output_format(label_names: Sequence[str]) -> None:
    """Rejects --output_format=spans for labels that do not encode entities."""
    from zsl_jax.labels import is_bio

    if FLAGS.output_format == "spans" and not is_bio(label_names):
        raise InputError(
            f"--output_format=spans needs BIO labels; the target's are {', '.join(label_names)}: "
            "take conll or jsonl"
        )


def _check_label_model() -> None:
    """Rejects flags that the approach or the label model of this run does not use."""
    approach = FLAGS.approach
    kind = FLAGS.label_model or {"lvm": "chain", "mrt": "paper"}.get(approach)
    if FLAGS.label_model and (approach, kind) not in _LABEL_MODELS:
        raise InputError(
            f"--label_model={kind} cannot be combined with --approach={approach}; combine chain "
            "with lvm or kd, and paper with lvm or mrt"
        )
    given = [name for name in shared_flags.SECTIONS["paper's model"] if FLAGS[name].present]
    if given and kind != "paper":
        wanted = "--label_model=paper" if approach == "lvm" else "--approach=mrt"
        raise InputError(
            f"--{given[0]} is a setting of the paper's label model; give {wanted} with it, or "
            "omit it"
        )
    if kind == "chain" and (FLAGS.stop_early or FLAGS.strategy == "direct"):
        flag = "stop_early" if FLAGS.stop_early else "strategy=direct"
        raise InputError(
            f"--{flag} is for the paper's label model, whose J it uses; give --label_model=paper "
            "with it, or omit it"
        )
    readers = {"strategy": ("mrt", "lvm"), "stop_early": ("mrt", "lvm"), "distillation": ("kd",)}
    for name, approaches in readers.items():
        if FLAGS[name].value != FLAGS[name].default and approach not in approaches:
            raise InputError(
                f"--{name} is not used by --approach={approach}, only by {' and '.join(approaches)}"
                "; omit it"
            )
