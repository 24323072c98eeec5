"""Test of benchmarks.staged_transfer, whose stages are named by strings."""

import subprocess
import sys

CODE = """
import pkgutil
from benchmarks.staged_transfer import STAGES
assert all(callable(getattr(pkgutil.resolve_name(owner), name)) for _, owner, name in STAGES)
"""


def test_every_stage_is_a_function_of_the_transfer():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
