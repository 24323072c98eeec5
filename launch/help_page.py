"""The page that --help prints: the flags by topic.

If all of them need more than a page, common flags are explained and the others listed by name;
--helpfull explains all of them.
"""

import itertools
import shutil
import sys
import textwrap
from collections.abc import Iterable, Mapping

from absl import app, flags

from launch import shared_flags
from launch.terminal import say, with_flags
from zsl_jax import __version__

FLAGS = flags.FLAGS
PAGE = 66  # lines
COLUMN = 24  # where the explanations start
DEFAULT_SENTENCE = " Default: "  # opens the last sentence of a help, where it is not a value
# Sections folded on a long page.
NAMED = ("reading", "optimisation", "paper's model", "running")


class VersionFlag(flags.BooleanFlag):
    """A flag that prints the version and ends the program."""

    def __init__(self) -> None:
        super().__init__("version", False, "Print the version.")

    def parse(self, arg) -> None:
        """Prints the version."""
        super().parse(arg)
        if self.value:
            say(f"zsl_jax {__version__}")
            sys.exit(0)


class HelpFlag(flags.BooleanFlag):
    """A flag that prints the page and ends the program.

    Args:
      name: Name of the flag.
      short_name: One-letter name of the flag.
      lines: Length of the longest page that explains every flag.
    """

    def __init__(self, name: str, short_name: str | None, lines: float) -> None:
        self._lines = lines
        meaning = "Print the flags."
        super().__init__(name, False, meaning, short_name=short_name, allow_override=True)

    def parse(self, arg) -> None:
        """Prints the page and exits if the flag is given."""
        super().parse(arg)
        if self.value:
            about = (sys.modules["__main__"].__doc__ or "").strip()
            key_flags = {flag.name: flag for flag in FLAGS.get_key_flags_for_module(sys.argv[0])}
            width = min(shutil.get_terminal_size((80, 0)).columns, 100)
            lines = page(sections(key_flags), width, self._lines - len(about.splitlines()))
            say("\n".join([about, *lines]))
            sys.exit(0)


def define() -> None:
    """Makes --help, -h, --helpshort and --helpfull print this page; defines --version."""
    app.define_help_flags()
    flags.DEFINE_flag(VersionFlag())
    for name, short_name, lines in [
        ("help", "h", PAGE),
        ("helpshort", "?", PAGE),
        ("helpfull", None, float("inf")),
    ]:
        flags.DEFINE_flag(HelpFlag(name, short_name, lines))


def sections(key_flags: Mapping[str, flags.Flag]) -> dict[str, list[flags.Flag]]:
    """Groups a program's flags by section; those that no other program shares come first."""
    unshared = [name for name in key_flags if name not in shared_flags.DEFINITIONS]
    names: dict[str, Iterable[str]] = {"this program": unshared, **shared_flags.SECTIONS}
    members = {
        title: [key_flags[name] for name in section if name in key_flags]
        for title, section in names.items()
    }
    return {title: section for title, section in members.items() if section}


def page(by_section: Mapping[str, list[flags.Flag]], width: int, lines: float) -> list[str]:
    """Returns the lines of all sections; if too many, some sections list only names of flags.

    Args:
      by_section: Flags by section.
      width: Width of the page, in characters.
      lines: Length of the longest page that explains every flag.
    """
    rows = {title: _section(title, members, width) for title, members in by_section.items()}
    more = [
        "",
        "More: --version; --flagfile=FILE, or a NAME in launch/flags, reads flags from a file.",
    ]
    if sum(map(len, rows.values())) + len(more) > lines:
        folded = [title for title in rows if title in NAMED]
        more = ["", "Explained by --helpfull:"]
        for title in folded:
            del rows[title]
            more += _wrapped(f"  {title}: ", " ".join(map(_name, by_section[title])), width)
    return [*itertools.chain(*rows.values()), *more]


def _section(title: str, members: list[flags.Flag], width: int) -> list[str]:
    rows = [line for flag in members for line in _explained(flag, width)]
    return ["", f"{title[0].upper()}{title[1:]}:", *rows]


def _explained(flag: flags.Flag, width: int) -> list[str]:
    return _wrapped(f"  {_name(flag)}  ".ljust(COLUMN), _meaning(flag), width)


def _name(flag: flags.Flag) -> str:
    prefix = "--[no]" if flag.boolean else "--"
    return prefix + flag.name


def _meaning(flag: flags.Flag) -> str:
    """The meaning, the choices and the default of a flag, without what absl added to its help."""
    meaning, notes = with_flags(flag.help.partition(";\n")[0]), []
    if isinstance(flag, flags.EnumFlag):
        choices = flag.parser.enum_values
        meaning = meaning.removeprefix(f"<{'|'.join(choices)}>: ")
        notes.append(", ".join(choices))
    if flag.default_as_str and not flag.boolean and flag.default != []:
        meaning = meaning.partition(DEFAULT_SENTENCE)[0]  # the program has a default of its own
        notes.append(f"default {flag.default_as_str.strip(chr(39))}")
    return f"{meaning} ({'; '.join(notes)})" if notes else meaning


def _wrapped(head: str, text: str, width: int) -> list[str]:
    indent = " " * min(len(head), COLUMN)
    return textwrap.wrap(
        text, width, initial_indent=head, subsequent_indent=indent, break_on_hyphens=False
    )
