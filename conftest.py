"""No network, compiled programs that are kept; doctests print arrays with two digits."""

import atexit
import gc
import importlib.metadata
import os
import shutil
import signal
import tempfile

import numpy as np
import pytest

from launch.compilation_cache import keep_compilations
from tests.shared_context import share_context

# Jobs in the background ignore these signals, and so would the programs that the tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
os.environ.setdefault("HF_HUB_OFFLINE", "1")
# What one worker or one program has compiled, all others read, in this session and the next ones.
os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
keep_compilations("compiled-by-tests")
if "JAX_COMPILATION_CACHE_DIR" not in os.environ:  # this machine's cache cannot be written
    os.environ["JAX_COMPILATION_CACHE_DIR"] = tempfile.mkdtemp(prefix="zsl_jax-compiled-")
    atexit.register(shutil.rmtree, os.environ["JAX_COMPILATION_CACHE_DIR"], ignore_errors=True)
# Arrays are tiny here: optimising a program takes longer than running it unoptimised.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
# XLA's older way to make one kernel of several operations compiles in half the time.
OLDER, FLAGS = "--xla_cpu_use_fusion_emitters=false", os.environ.get("XLA_FLAGS", "")
if importlib.metadata.version("jaxlib").startswith("0.10.") and OLDER not in FLAGS:
    os.environ["XLA_FLAGS"] = f"{FLAGS} {OLDER}"  # later versions do not know the flag
share_context()


def pytest_collection_finish() -> None:
    """What is loaded by now stays until the end: it need not be looked through for garbage."""
    gc.freeze()


@pytest.fixture(autouse=True)
def two_digits(request):
    """Examples in docstrings show numbers as a reader wants to see them."""
    if not isinstance(request.node, pytest.DoctestItem):
        yield
        return
    with np.printoptions(precision=2, suppress=True):
        yield
