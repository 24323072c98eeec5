"""Corpora that are not part of the project, for the tests that read real text."""

from pathlib import Path

import pytest

from benchmarks.real_texts import DATA


def corpus(name: str) -> Path:
    """A file under DATA; the test is skipped where it is missing."""
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{path} is missing; set ZSL_DATA to the folder of corpora")
    return path
