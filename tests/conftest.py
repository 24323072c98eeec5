"""No network, small worlds for whole programs."""

import os
import signal

# Jobs in the background ignore SIGINT, and so would the programs that the tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import pytest

from tests import tiny_world


@pytest.fixture(scope="session")
def world(tmp_path_factory) -> tiny_world.World:
    """A tiny encoder and labelled texts of an invented language."""
    return tiny_world.build(tmp_path_factory.mktemp("world"))
