"""Huge memory pages for arrays on a CPU, which make an update somewhat faster.

If Linux gives them only to programs that ask ("madvise", the usual setting), glibc's malloc asks
for all memory if an environment variable was set when the program started.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

SETTING = Path("/sys/kernel/mm/transparent_hugepage/enabled")
VARIABLE = "GLIBC_TUNABLES"
TUNABLE = "glibc.malloc.hugetlb"


def use_huge_pages() -> None:
    """Restarts this program once with the variable set; does nothing if that would not help.

    If the user sets glibc.malloc.hugetlb, to 0 for instance, that setting is kept.
    """
    try:
        setting = SETTING.read_text()
    except OSError:  # another system, or Linux without huge pages
        return
    tunables = wanted_tunables(setting, os.environ)
    if tunables is not None:
        os.environ[VARIABLE] = tunables
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def wanted_tunables(setting: str, environ: Mapping[str, str]) -> str | None:
    """Returns the value for GLIBC_TUNABLES, or None to leave it unchanged.

    Args:
      setting: The system's setting: all choices, with the current one in brackets.
      environ: The environment variables.
    """
    given = environ.get(VARIABLE, "")
    if "[madvise]" not in setting or TUNABLE in given:
        return None
    return ":".join(filter(None, (given, f"{TUNABLE}=1")))
