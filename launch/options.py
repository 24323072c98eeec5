"""From flags to settings, and how every program starts and ends."""

import os
import signal
import sys
from collections.abc import Callable

from absl import app, flags

from launch import help_page, shared_flags
from launch.huge_pages import use_huge_pages
from launch.paths import prepare_paths
from launch.terminal import say_error, set_up_log
from zsl_jax.errors import InputError, Preempted
from zsl_jax.interruption import watch_signals

FLAGS = flags.FLAGS

TRAINING = (*shared_flags.TRAINING, *shared_flags.OPTIMISATION)


def define(*names: str) -> None:
    """Define shared flags, and list them in this program's --help."""
    for name in names:
        kind, *arguments = shared_flags.DEFINITIONS[name]
        kind(name, *arguments)
        FLAGS.register_key_flag_for_module(sys.argv[0], FLAGS[name])


def define_epochs(default: int, meaning: str) -> None:
    """--epochs, whose default and meaning depend on the program."""
    define("epochs")
    FLAGS.set_default("epochs", default)
    FLAGS["epochs"].help = meaning


def require(*names: str) -> None:
    """Make flags obligatory."""
    flags.mark_flags_as_required(names)


def run(main: Callable[[], None]) -> None:
    """Parse the flags and run a program; bad input ends it with one sentence and status 2."""

    def checked(arguments: list[str]) -> None:
        if len(arguments) > 1:
            say_error(f"error: unexpected argument {arguments[1]}; see --help")
            sys.exit(2)
        use_huge_pages()
        watch_signals()
        try:
            _check_numbers()
            prepare_paths()
            main()
        except InputError as error:
            say_error(f"error: {error}")
            sys.stdout.flush()
            os._exit(2)  # now: the threads of a failed save would still complain of it
        except Preempted as stop:
            say_error(str(stop))
            sys.exit(stop.status)
        except BrokenPipeError:  # the reader has closed the pipe
            os._exit(128 + signal.SIGPIPE)

    help_page.define()
    set_up_log()
    app.run(checked, flags_parser=_parsed)


def _parsed(arguments: list[str]) -> list[str]:
    """The arguments that are not flags; absl explains those that it does not understand."""
    try:
        return app.parse_flags_with_usage(arguments)
    except UnicodeDecodeError:
        say_error("error: --flagfile is not a text file in UTF-8; name a file of flags")
        sys.exit(2)


def _check_numbers() -> None:
    for flag in FLAGS.get_key_flags_for_module(sys.argv[0]):
        if flag.value != flag.value:
            raise InputError(f"--{flag.name}=nan is no number")


def train_config():
    """The configuration that the flags stand for."""
    from zsl_jax.training.config import (
        Approach,
        OptimizerConfig,
        Partition,
        Strategy,
        TrainConfig,
    )

    optimizer = OptimizerConfig(
        learning_rate=FLAGS.learning_rate,
        head_learning_rate=FLAGS.head_learning_rate,
        warmup_fraction=FLAGS.warmup,
        decay=FLAGS.decay,
        clip_norm=FLAGS.clip_norm,
        weight_decay=FLAGS.weight_decay,
    )
    config = TrainConfig(
        rounds=1,
        epochs=FLAGS.epochs,
        batch_words=FLAGS.batch_words,
        row_length=FLAGS.row_length,
        dropout=FLAGS.dropout,
        seed=FLAGS.seed,
        dtype=FLAGS.dtype,
        partition=Partition(FLAGS.partition),
        trainable_layers=FLAGS.trainable_layers,
        optimizer=optimizer,
        approach=Approach.HARD,
    )
    if "approach" not in FLAGS:
        return config
    return _replace(
        config,
        approach=Approach(FLAGS.approach),
        strategy=Strategy(FLAGS.strategy),
        init=FLAGS.init,
        predictions=FLAGS.predictions,
        distillation=FLAGS.distillation,
        rounds=FLAGS.rounds,
        stop_early=FLAGS.stop_early,
        optimizer=_replace(optimizer, confusion_learning_rate=FLAGS.confusion_learning_rate),
    )


def label_model_config(num_labels: int):
    """The label model that the flags stand for; μ becomes τ here, since that needs K."""
    from zsl_jax.training.config import LabelModelConfig, LabelModelKind

    default = LabelModelConfig()
    kind = FLAGS.label_model
    return LabelModelConfig(
        kind=None if kind is None else LabelModelKind(kind),
        fixed_temperature=_temperature("fixed", default.fixed_temperature, num_labels),
        trainable_temperature=_temperature("trainable", default.trainable_temperature, num_labels),
        confusion_init=FLAGS.confusion_init,
        confusion_update=FLAGS.confusion_update,
        confusion_evidence=FLAGS.confusion_evidence,
        pseudo_count=FLAGS.pseudo_count,
        weights=_joint_weights(),
        mix_start=FLAGS.mix_start,
        mix_end=FLAGS.mix_end,
        mix_schedule=FLAGS.mix_schedule,
    )


def _replace(config, **changes):
    import dataclasses

    return dataclasses.replace(config, **changes)


def _temperature(which: str, default: float, num_labels: int) -> float:
    from zsl_jax.kernels import temperature_from_diagonal

    tau, mu = FLAGS[f"tau_{which}"].value, FLAGS[f"mu_{which}"].value
    if tau is not None and mu is not None:
        raise InputError(f"--tau_{which} and --mu_{which} say the same thing; give one of them")
    if mu is None:
        return default if tau is None else tau
    if not 1 / num_labels < mu < 1:
        raise InputError(
            f"--mu_{which}={mu} must lie between 1/K = {1 / num_labels:.3f} (K = {num_labels} "
            "labels) and 1: a source is taken to be better than chance"
        )
    return float(temperature_from_diagonal(mu, num_labels))


def _joint_weights():
    from zsl_jax.training.config import JointWeights

    prior = FLAGS.prior_weight
    return JointWeights(
        prior=0.0 if prior == "num_sources" else _number("prior_weight", prior),
        source=tuple(_number("source_weight", value) for value in FLAGS.source_weight),
    )


def _number(flag: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 < number < float("inf"):
        raise InputError(f"--{flag}={value} is no positive number")
    return number
