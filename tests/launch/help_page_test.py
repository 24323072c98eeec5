"""The pages of --help."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from launch import help_page, shared_flags

ROOT = Path(__file__).parents[2]
PROGRAMS = "train annotate transfer predict aggregate evaluate demo".split()
EVERY_PROGRAM = [*PROGRAMS, "report", "reproduce", "review"]


def page_of(program: str, flag: str, width: int = 80) -> str:
    command = [sys.executable, "-m", f"launch.{program}", flag]
    environment = {**os.environ, "COLUMNS": str(width)}
    run = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert not run.stderr
    return run.stdout


def test_a_shared_flag_has_one_section():
    assert len(shared_flags.DEFINITIONS) == sum(map(len, shared_flags.SECTIONS.values()))


@pytest.mark.parametrize("program", PROGRAMS)
def test_help_fits_a_page_and_names_every_flag(program):
    page = page_of(program, "--help")
    lines = page.splitlines()
    assert len(lines) <= help_page.PAGE
    assert f"python -m launch.{program}" in page
    assert all(len(line) <= 80 for line in lines if line.startswith(" "))
    everything = page_of(program, "--helpfull")
    named = re.findall(r"^  (--\S+)", everything, re.M)
    assert len(named) >= 4 and len(set(named)) == len(named)
    assert all(re.search(rf"{re.escape(name)}\b", page) for name in named)


@pytest.mark.parametrize("program", EVERY_PROGRAM)
def test_help_names_no_flag_that_the_program_lacks(program):
    everything = page_of(program, "--helpfull")
    flags = re.findall(r"^  --(?:\[no\])?(\w+)", everything, re.M)
    others = {"version", "flagfile", "helpfull"}
    text = re.sub(r"launch\.(?!" + program + r")\w+ --\w+", "", everything)  # another's flag
    assert set(re.findall(r"--(?:\[no\])?(\w+)", text)) <= {*flags, *others}


def test_aggregate_takes_files_alone():
    page = page_of("aggregate", "--help")
    assert "model folder" not in page and "--source              NAME=FILE of a source's" in page


def test_a_long_page_explains_the_rest_on_demand():
    page, everything = page_of("transfer", "-h"), page_of("transfer", "--helpfull")
    assert "Explained by --helpfull:" in page and "--tau_fixed" in page
    assert "Temperature of the fixed" not in page and "Temperature of the fixed" in everything
    assert "Explained by" not in everything
    assert page_of("transfer", "--help", 100) != page


def test_choices_and_defaults_are_listed_once():
    page = page_of("transfer", "--help", 100)
    assert "Loss of kd. (kl, mse; default kl)" in page
    assert "--[no]stop_early" in page
    assert "repeat this option" not in page and "<kl|mse>" not in page
