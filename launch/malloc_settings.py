"""Settings of glibc's malloc that make an update faster on a CPU.

XLA allocates the temporary arrays of a program anew each time it runs. By default, malloc maps such
large blocks and unmaps them again, so that the system fills every page with zeros in every update.
A single arena that maps nothing and keeps what is freed uses the same pages again. Where Linux
gives huge pages only to programs that ask ("madvise", the usual setting), malloc also asks for
them. All this has to be set before the program starts.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

VARIABLE = "GLIBC_TUNABLES"
HUGE_PAGES = "glibc.malloc.hugetlb"
KEEPS_MEMORY = {
    "glibc.malloc.arena_max": 1,
    "glibc.malloc.mmap_max": 0,
    "glibc.malloc.trim_threshold": 1 << 33,
}
SETTING = Path("/sys/kernel/mm/transparent_hugepage/enabled")
# Device files of GPUs and TPUs. With these, the arrays are not on the host, whose threads, such as
# those of the tokenizer, are better served by several arenas.
ACCELERATORS = ("nvidia[0-9]*", "kfd", "accel[0-9]*", "vfio")


def use_malloc_settings() -> None:
    """Restarts this program once with the variable set; does nothing if that would not help.

    Settings that the user gives, such as glibc.malloc.hugetlb=0, are kept.
    """
    tunables = tunables_of_this_machine(os.environ)
    if tunables is not None:
        os.environ[VARIABLE] = tunables
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def tunables_of_this_machine(environ: Mapping[str, str]) -> str | None:
    """Returns `wanted_tunables` of this machine; None where there is another C library."""
    if "CS_GNU_LIBC_VERSION" not in os.confstr_names:
        return None
    try:
        setting = SETTING.read_text()
    except OSError:  # another system, or Linux without huge pages
        setting = ""
    has_accelerator = any(any(Path("/dev").glob(name)) for name in ACCELERATORS)
    return wanted_tunables(setting, has_accelerator, environ)


def wanted_tunables(setting: str, has_accelerator: bool, environ: Mapping[str, str]) -> str | None:
    """Returns the value for GLIBC_TUNABLES, or None to leave it unchanged.

    Args:
      setting: The system's setting of huge pages: all choices, with the current one in brackets.
      has_accelerator: Whether the machine has GPUs or TPUs.
      environ: The environment variables.
    """
    given = environ.get(VARIABLE, "")
    wanted = {HUGE_PAGES: 1} if "[madvise]" in setting else {}
    if not has_accelerator:
        wanted |= KEEPS_MEMORY
    missing = [f"{name}={value}" for name, value in wanted.items() if name not in given]
    return ":".join(filter(None, (given, *missing))) if missing else None
