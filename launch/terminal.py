"""Output of the programs: without control characters, and without errors if the reader is gone."""

import datetime
import json
import logging as python_logging
import os
import re
import sys
from typing import TextIO

from absl import flags, logging

from zsl_jax.buckets import with_addresses
from zsl_jax.errors import InputError

FLAGS = flags.FLAGS
_SETTING = re.compile(r"`([a-z_]+)`")
_FLAG_OF = {"sources": "source", "test_sources": "test_source"}  # one flag per source
_json_log = False  # whether each line on the standard error is a JSON object
# All but tabs and line feeds; also what ends lines or turns their direction round in Unicode.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def say(text: str, stream: TextIO | None = None) -> None:
    """Prints text; a reader that is gone, such as `head`, does not end the program.

    Args:
      text: Text to print; control characters are printed as escapes.
      stream: Stream to print to; the standard output by default.

    Raises:
      InputError: The stream cannot be written.
    """
    stream = stream or sys.stdout
    encoding = stream.encoding or "utf-8"
    try:
        shown = escaped(with_flags(text)).encode(encoding, "backslashreplace").decode(encoding)
        print(shown, file=stream, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except OSError as error:
        raise InputError(f"the standard output cannot be written: {error.strerror}") from error


def say_error(text: str) -> None:
    """Prints one line to the standard error; a JSON object under --log_format=json."""
    if _json_log:
        text = _json_line(python_logging.ERROR, with_flags(text))
    say(escaped(text).replace("\n", r"\n"), sys.stderr)


def with_flags(text: str) -> str:
    """A message of the library, with this program's flags for the settings in backticks.

    Files in buckets are named by their addresses, not by their local copies.
    """

    def flag(match: re.Match[str]) -> str:
        name = _FLAG_OF.get(match[1], match[1])
        return f"--{name}" if name in FLAGS else match[0]

    return _SETTING.sub(flag, with_addresses(text))


def escaped(text: str) -> str:
    r"""Escapes the control characters of a text except tabs and line feeds.

    >>> print(escaped("a\x1b[31m"))
    a\x1b[31m
    """
    return _CONTROLS.sub(lambda match: repr(match[0])[1:-1], text)


def set_up_log() -> None:
    """Logs to the standard error at INFO, without control characters and Orbax's own messages."""
    logging.set_verbosity(logging.INFO)
    # transformers is used for tokenizers only, so that PyTorch is not missed.
    os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")
    python_logging.getLogger("jax").setLevel(python_logging.WARNING)
    # What fails in a bucket is reported in one sentence.
    python_logging.getLogger("gcsfs").setLevel(python_logging.CRITICAL)
    logging.get_absl_handler().addFilter(_is_ours)


class _JsonLines(python_logging.Formatter):
    """A log in which each line is a JSON object with "time", "level", "place" and "message"."""

    def format(self, record: python_logging.LogRecord) -> str:
        place = f"{record.filename}:{record.lineno}"
        return _json_line(record.levelno, record.getMessage(), place=place)


def _json_line(level: int, message: str, **more: str) -> str:
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
    name = python_logging.getLevelName(level).lower()
    values = {"time": now, "level": name, **more, "message": message}
    return json.dumps(values, ensure_ascii=False)


def log_as_json() -> None:
    """Logs JSON objects from now on, and no progress bars."""
    global _json_log
    from zsl_jax.runtime import progress

    _json_log = True
    logging.get_absl_handler().setFormatter(_JsonLines())
    progress.show_bars(False)


def _is_ours(record: python_logging.LogRecord) -> bool:
    """Whether a record is shown: not Orbax's, as a failed save is reported in one sentence."""
    record.msg, record.args = escaped(with_flags(record.getMessage())), None
    return f"{os.sep}orbax{os.sep}" not in record.pathname
