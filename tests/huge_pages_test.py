"""Programs start again with large memory pages, where that is of use."""

import os
import subprocess
import sys

import pytest

from launch import huge_pages

MADVISE = "always [madvise] never\n"
CODE = "import os, sys; from launch import options; options.run(lambda: print(VALUE))"
VALUE = "os.environ.get('GLIBC_TUNABLES'), os.getpid(), sys.orig_argv[-1]"


@pytest.mark.parametrize(
    ("setting", "given", "wanted"),
    [
        (MADVISE, None, "glibc.malloc.hugetlb=1"),
        (MADVISE, "", "glibc.malloc.hugetlb=1"),
        (MADVISE, "glibc.cpu.x=2", "glibc.cpu.x=2:glibc.malloc.hugetlb=1"),
        (MADVISE, "glibc.malloc.hugetlb=0", None),
        (MADVISE, "glibc.cpu.x=2:glibc.malloc.hugetlb=2", None),
        ("[always] madvise never\n", None, None),
        ("always madvise [never]\n", None, None),
    ],
)
def test_what_is_asked_for(setting, given, wanted):
    environ = {} if given is None else {"GLIBC_TUNABLES": given}
    assert huge_pages.wanted_tunables(setting, environ) == wanted


@pytest.mark.parametrize("given", [None, "glibc.malloc.hugetlb=0"])
def test_a_program_starts_again_as_it_was_called(given):
    environ = {name: value for name, value in os.environ.items() if name != "GLIBC_TUNABLES"}
    environ |= {} if given is None else {"GLIBC_TUNABLES": given}
    command = [sys.executable, "-c", CODE.replace("VALUE", VALUE), "--verbosity=1"]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as started:
        output = started.communicate(timeout=60)[0]
    setting = huge_pages.SETTING.read_text() if huge_pages.SETTING.exists() else ""
    wanted = huge_pages.wanted_tunables(setting, environ) or given
    assert output == f"{wanted} {started.pid} --verbosity=1\n"
