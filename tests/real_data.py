"""Corpora and tools that are not part of the project, for the tests that read real text."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from benchmarks.real_texts import DATA


def corpus(name: str) -> Path:
    """A file under DATA; the test is skipped where it is missing."""
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{path} is missing; set ZSL_DATA to the folder of corpora")
    return path


def tool(name: str) -> ModuleType:
    """A module of the folder `tools` beside DATA, loaded anew; skips where it is missing."""
    spec = importlib.util.spec_from_file_location(name, corpus(f"../tools/{name}.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
