"""No network, one cache of compilations per session, small worlds for programs."""

import atexit
import importlib.metadata
import os
import pathlib
import shutil
import signal
import tempfile

# Jobs in the background ignore these signals, and so would the programs that the tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
os.environ.setdefault("HF_HUB_OFFLINE", "1")
# What one worker or one program has compiled, all the others of this session read.
if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    os.environ["JAX_COMPILATION_CACHE_DIR"] = tempfile.mkdtemp(prefix="zsl_jax-compiled-")
    atexit.register(shutil.rmtree, os.environ["JAX_COMPILATION_CACHE_DIR"], ignore_errors=True)
os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
# Arrays are tiny here: optimising a program takes longer than running it unoptimised.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
if importlib.metadata.version("jaxlib").startswith("0.10."):
    # An older way to make a kernel of several operations: it compiles in half the time.
    FLAGS = os.environ.get("XLA_FLAGS", "")
    os.environ["XLA_FLAGS"] = f"{FLAGS} --xla_cpu_use_fusion_emitters=false".strip()

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
