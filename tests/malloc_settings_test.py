"""Programs start again with settings of malloc, where these are of use."""

import os
import subprocess
import sys

import pytest

from launch import malloc_settings

MADVISE = "always [madvise] never\n"
HUGE = "glibc.malloc.hugetlb=1"
KEEPS = "glibc.malloc.arena_max=1:glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=8589934592"
CODE = "import os, sys; from launch import options; options.run(lambda: print(VALUE))"
VALUE = "os.environ.get('GLIBC_TUNABLES'), os.getpid(), sys.orig_argv[-1]"
FILL = """
import resource, threading
def fill():
    for _ in range(20):
        b"x" * (1 << 26)
thread = threading.Thread(target=fill)
thread.start()
thread.join()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
"""


@pytest.mark.parametrize(
    ("setting", "accelerator", "given", "wanted"),
    [
        (MADVISE, False, None, f"{HUGE}:{KEEPS}"),
        (MADVISE, True, None, HUGE),
        (MADVISE, True, "", HUGE),
        (MADVISE, False, "glibc.cpu.x=2", f"glibc.cpu.x=2:{HUGE}:{KEEPS}"),
        (MADVISE, False, "glibc.malloc.hugetlb=0", f"glibc.malloc.hugetlb=0:{KEEPS}"),
        (MADVISE, True, "glibc.cpu.x=2:glibc.malloc.hugetlb=2", None),
        (MADVISE, False, f"{KEEPS}:{HUGE}", None),
        ("[always] madvise never\n", False, None, KEEPS),
        ("always madvise [never]\n", True, None, None),
        ("", False, None, KEEPS),
    ],
)
def test_what_is_asked_for(setting, accelerator, given, wanted):
    environ = {} if given is None else {"GLIBC_TUNABLES": given}
    assert malloc_settings.wanted_tunables(setting, accelerator, environ) == wanted


@pytest.mark.parametrize("given", [None, "glibc.malloc.hugetlb=0"])
def test_a_program_starts_again_as_it_was_called(given):
    environ = {name: value for name, value in os.environ.items() if name != "GLIBC_TUNABLES"}
    environ |= {} if given is None else {"GLIBC_TUNABLES": given}
    command = [sys.executable, "-c", CODE.replace("VALUE", VALUE), "--verbosity=1"]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as started:
        output = started.communicate(timeout=60)[0]
    wanted = malloc_settings.tunables_of_this_machine(environ) or given
    assert output == f"{wanted} {started.pid} --verbosity=1\n"


def test_the_memory_that_a_thread_has_freed_is_used_again_without_page_faults():
    def faults(tunables):
        environ = {**os.environ, "GLIBC_TUNABLES": tunables}
        filled = subprocess.run(
            [sys.executable, "-c", FILL], env=environ, stdout=subprocess.PIPE, check=True
        )
        return int(filled.stdout)

    assert faults(KEEPS) < 0.5 * faults("")
