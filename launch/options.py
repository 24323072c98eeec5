"""Defines flags, and starts and ends every program."""

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Any

from absl import app, flags

from launch import config_flags, flag_files, help_page, shared_flags
from launch.compilation_cache import keep_compilations
from launch.malloc_settings import use_malloc_settings
from launch.memory_advice import memory_advice
from launch.paths import prepare_paths, refuse_repeated_texts
from launch.terminal import log_as_json, say_error, set_up_log
from zsl_jax.errors import InputError, Preempted
from zsl_jax.interruption import watch_signals
from zsl_jax.training.config import TransferConfig

FLAGS = flags.FLAGS


def define(*names: str) -> None:
    """Defines shared flags, and lists them in this program's --help."""
    for name in names:
        _define(name, shared_flags.DEFINITIONS[name])


def define_config(config: type) -> None:
    """Defines a flag for every field of a configuration."""
    for name, definition in config_flags.definitions(config).items():
        _define(name, definition)


def define_overrides(but: Collection[str]) -> None:
    """Defines the training flags except some, without defaults."""
    for name, definition in config_flags.definitions(TransferConfig).items():
        if name not in (*but, "seed"):
            _define(name, definition)
            FLAGS.set_default(name, None)
            FLAGS[name].help = FLAGS[name].help.partition(help_page.DEFAULT_SENTENCE)[0]


def given_overrides(but: Collection[str]) -> list[str]:
    """The training flags of `define_overrides` that the user has given, as arguments."""
    names = config_flags.definitions(TransferConfig).keys() - {*but, "seed"}
    return [FLAGS[name].serialize() for name in sorted(names) if FLAGS[name].present]


def _define(name: str, definition: tuple[Any, ...]) -> None:
    kind, *arguments = definition
    kind(name, *arguments)
    FLAGS.register_key_flag_for_module(sys.argv[0], FLAGS[name])


def require(*names: str) -> None:
    """Marks flags as required."""
    flags.mark_flags_as_required(names)


def refuse_unread(names: Collection[str], where: str) -> None:
    """Refuses flags that this call would not read, unless only a file of the package sets them.

    Args:
      names: The flags.
      where: What they are not for, such as "with --estimate".

    Raises:
      InputError: The user has given one.
    """
    for name in flag_files.own(names):
        if name in FLAGS and FLAGS[name].present:
            raise InputError(f"--{name} is not used {where}; omit it")


def run(
    main: Callable[[], None], schemes: Mapping[str, Collection[str]] = MappingProxyType({})
) -> None:
    """Parses the flags and runs a program; bad input ends it with one sentence and status 2.

    Args:
      main: The program.
      schemes: As for `prepare_paths`.
    """

    def checked(arguments: list[str]) -> None:
        if len(arguments) > 1:
            say_error(f"error: unexpected argument {arguments[1]}; see --help")
            sys.exit(2)
        if "log_format" in FLAGS and FLAGS.log_format == "json":
            log_as_json()
        use_malloc_settings()
        keep_compilations()
        watch_signals()
        try:
            _check_numbers()
            prepare_paths(schemes)
            main()
        except InputError as error:
            say_error(f"error: {error}")
            with contextlib.suppress(OSError):  # that may be the very error
                sys.stdout.flush()
            os._exit(2)  # at once: the threads of a failed save would print its error again
        except Preempted as stop:
            say_error(str(stop))
            sys.exit(stop.status)
        except BrokenPipeError:  # the reader has closed the pipe
            os._exit(128 + signal.SIGPIPE)
        except (MemoryError, RuntimeError) as error:
            advice = memory_advice(error, set(FLAGS))
            if advice is None:
                raise
            say_error(f"error: {advice}")
            os._exit(1)

    help_page.define()
    set_up_log()
    app.run(checked, flags_parser=_parsed)


def _parsed(arguments: list[str]) -> list[str]:
    """Returns the arguments that are not flags; absl reports unknown flags."""
    try:
        refuse_repeated_texts(arguments)
        return app.parse_flags_with_usage(flag_files.with_contents(arguments))
    except InputError as error:
        say_error(f"error: {error}")
        sys.exit(2)


def _check_numbers() -> None:
    for flag in FLAGS.get_key_flags_for_module(sys.argv[0]):
        if flag.value != flag.value:
            raise InputError(f"--{flag.name}=nan is not a number")
