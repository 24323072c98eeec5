"""The examples in the documentation run, and print what the pages show."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
TESTS = re.compile(r"`([\w/]+\.py)?::(test_\w+)`")
BLOCKS = re.compile(r"```python\n(.*?)```(?:\n\n```\n(.*?)```)?", re.S)


def examples(page):
    """Program and expected output of a page's blocks; those of missing packages are left out."""
    code, output = [], []
    for block, printed in BLOCKS.findall((DOCS / page).read_text(encoding="utf-8")):
        packages = re.findall(r"^(?:import|from) (\w+)", block, re.M)
        if all(importlib.util.find_spec(package) for package in packages):
            code.append(block)
            output.append(printed)
    return "\n".join(code), "".join(output)


@pytest.fixture(scope="module")
def printed():
    """Output of the examples of docs/kernels.md on four virtual devices."""
    code, expected = examples("kernels.md")
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=4"
    environment = {**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines(), expected.splitlines()


def test_examples_of_the_kernels_print_what_the_page_shows(printed):
    got, expected = printed
    assert len(got) == len(expected) >= 8  # one more with Equinox
    for line, shown in zip(got, expected, strict=True):
        numbers = [re.findall(r"\d+(?:\.\d+)?", text) for text in (line, shown)]
        words = [re.sub(r"\d+(?:\.\d+)?", "#", text) for text in (line, shown)]
        assert words[0] == words[1]
        assert list(map(float, numbers[0])) == pytest.approx(list(map(float, numbers[1])), abs=0.02)


def test_the_tests_that_a_page_names_exist():
    file, count = "", 0
    for name, test in TESTS.findall((DOCS / "troubles.md").read_text(encoding="utf-8")):
        file = name or file  # that of the one before
        assert f"def {test}(" in (Path(__file__).parent / file).read_text(encoding="utf-8")
        count += 1
    assert count > 30
