"""Whole programs first; small worlds for programs."""

import pathlib

import pytest

from tests import tiny_world


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole programs come first: their files take longest, and none is to be the last one."""
    top = pathlib.Path(__file__).parent
    items.sort(key=lambda item: item.path.parent != top)


@pytest.fixture(scope="session")
def world(tmp_path_factory) -> tiny_world.World:
    """A tiny encoder and labelled texts of an invented language."""
    return tiny_world.build(tmp_path_factory.mktemp("world"))
