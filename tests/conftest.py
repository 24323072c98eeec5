"""Whole programs first; small worlds for programs."""

import os
import pathlib

import pytest

from tests import killing, tiny_world


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole programs come first: their files take longest, and none is to be the last one."""
    top = pathlib.Path(__file__).parent
    items.sort(key=lambda item: item.path.parent != top)


@pytest.fixture(scope="session")
def world(tmp_path_factory) -> tiny_world.World:
    """A tiny encoder and labelled texts of an invented language."""
    return tiny_world.build(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="session")
def run_left_alone(tmp_path_factory) -> tuple[list[str], pathlib.Path]:
    """A transfer's arguments and the folder of its finished run, which all workers share."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    return killing.prepare_once(folder / "killing"), folder / "killing" / killing.ALONE
