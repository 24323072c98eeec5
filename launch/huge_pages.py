"""Large memory pages for the arrays on a CPU: an update is somewhat faster with them.

Where Linux gives them only to programs that ask ("madvise", the usual setting), glibc's malloc asks
for everything if an environment variable told it so when the program started.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

SETTING = Path("/sys/kernel/mm/transparent_hugepage/enabled")
VARIABLE = "GLIBC_TUNABLES"
TUNABLE = "glibc.malloc.hugetlb"


def use_huge_pages() -> None:
    """Start this program again, once, with the variable set; nothing happens where it is no use.

    A user who sets glibc.malloc.hugetlb, to 0 for instance, has the last word.
    """
    try:
        setting = SETTING.read_text()
    except OSError:  # another system, or Linux without large pages
        return
    tunables = wanted_tunables(setting, os.environ)
    if tunables is not None:
        os.environ[VARIABLE] = tunables
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def wanted_tunables(setting: str, environ: Mapping[str, str]) -> str | None:
    """What GLIBC_TUNABLES should be, or None if it should stay.

    Args:
      setting: Of the system, its choices with the present one in brackets.
      environ: The environment variables.
    """
    given = environ.get(VARIABLE, "")
    if "[madvise]" not in setting or TUNABLE in given:
        return None
    return ":".join(filter(None, (given, f"{TUNABLE}=1")))
