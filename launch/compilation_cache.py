"""Keeps what XLA compiles, so that the next program starts sooner."""

import contextlib
import hashlib
import os
import platform
import sys
import time
from pathlib import Path

from zsl_jax.buckets import cache_folder

_CPU = Path("/proc/cpuinfo")
_BYTES = 1 << 30  # of compiled programs; the least recently used ones are deleted
_SECONDS = 0.1  # programs that compile faster are not kept
_PROGRAM, _LAST_USE = "-cache", "-atime"  # how the names of JAX's two files per program end
_MOMENT = 60.0  # seconds; a process writes both files in less


def keep_compilations(folder: str = "compiled") -> None:
    """Lets JAX keep compiled programs in a folder of this machine's cache.

    JAX's own settings, such as JAX_COMPILATION_CACHE_DIR or JAX_ENABLE_COMPILATION_CACHE=false,
    come first.

    Args:
      folder: The name of that folder, which has one for each kind of CPU.
    """
    if "JAX_COMPILATION_CACHE_DIR" in os.environ or not _is_writable(cache_folder()):
        return
    kept = cache_folder() / folder / _kind_of_cpu()
    drop_incomplete(kept)
    settings = {
        "jax_compilation_cache_dir": str(kept),
        "jax_compilation_cache_max_size": _BYTES,
        "jax_persistent_cache_min_compile_time_secs": _SECONDS,
    }
    for name, value in settings.items():
        if name.upper() not in os.environ:
            os.environ[name.upper()] = str(value)  # for JAX, when it is loaded
            if "jax" in sys.modules:
                sys.modules["jax"].config.update(name, value)


def drop_incomplete(folder: Path) -> None:
    """Removes programs that killed processes left without the time of their last use.

    JAX writes that time after the program. Where it is missing for one program, JAX adds no others
    and warns each time.
    """
    with contextlib.suppress(OSError):
        names = set(os.listdir(folder))
        for name in names:
            key = name.removesuffix(_PROGRAM)
            if key == name or f"{key}{_LAST_USE}" in names:
                continue
            if time.time() - (folder / name).stat().st_mtime > _MOMENT:
                (folder / name).unlink(missing_ok=True)


def _kind_of_cpu() -> str:
    """A name for the instructions of this CPU: programs for one may fail on another."""
    features = platform.processor()
    with contextlib.suppress(OSError), _CPU.open() as lines:  # Linux has it, with many lines
        features = next((x for x in lines if x.startswith(("flags", "Features"))), features)
    return f"{platform.machine()}-{hashlib.sha256(features.encode()).hexdigest()[:12]}"


def _is_writable(folder: Path) -> bool:
    """Whether a folder can be written, or made."""
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    return os.access(there, os.W_OK | os.X_OK) and there.is_dir()
