"""Programs keep what they compile; JAX's own settings come first."""

import os
import subprocess
import sys

import pytest

from launch import compilation_cache

COMPILES = """
from launch.compilation_cache import keep_compilations
{first}
keep_compilations()
{then}
hits = []
jax.monitoring.register_event_listener(lambda event, **more: hits.append(event))
jax.jit(lambda x: x @ x + 1)(jax.numpy.ones((8, 8)))
print(sum("cache_hits" in event for event in hits))
"""
OWN = ("JAX_COMPILATION_CACHE_DIR", "JAX_COMPILATION_CACHE_MAX_SIZE")


def hits(cache, jax_is_loaded_first=False, **environment):
    """How many programs a process finds compiled."""
    lines = ["import jax", ""] if jax_is_loaded_first else ["", "import jax"]
    kept = {name: value for name, value in os.environ.items() if name not in OWN}
    kept |= {"ZSL_CACHE": str(cache), "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
    done = subprocess.run(
        [sys.executable, "-c", COMPILES.format(first=lines[0], then=lines[1])],
        env=kept | environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return int(done.stdout)


def test_the_next_process_finds_what_one_has_compiled(tmp_path):
    assert hits(tmp_path) == 0
    (folder,) = (tmp_path / "compiled").iterdir()
    assert folder.name == compilation_cache._kind_of_cpu()
    assert hits(tmp_path, jax_is_loaded_first=True) > 0


def test_what_a_killed_process_leaves_does_not_keep_others_from_adding_programs(tmp_path):
    hits(tmp_path)
    (folder,) = (tmp_path / "compiled").iterdir()
    for path in folder.glob("*-atime"):
        path.unlink()  # as if killed between the two files
    left = list(folder.glob("*-cache"))
    compilation_cache.drop_incomplete(folder)
    assert left and all(path.exists() for path in left)  # another process may be writing now
    for path in left:
        os.utime(path, (0, 0))
    assert hits(tmp_path) == 0 and hits(tmp_path) > 0
    compilation_cache.drop_incomplete(tmp_path / "none")


def test_the_users_folder_is_used(tmp_path):
    hits(tmp_path / "cache", JAX_COMPILATION_CACHE_DIR=str(tmp_path / "own"))
    assert list((tmp_path / "own").iterdir()) and not (tmp_path / "cache").exists()


def test_damaged_and_unwritable_folders_change_nothing(tmp_path):
    hits(tmp_path)
    for path in tmp_path.rglob("*-cache"):
        path.write_bytes(b"damaged")
    assert hits(tmp_path) == 0
    (tmp_path / "file").write_text("not a folder")
    assert hits(tmp_path / "file") == 0


@pytest.mark.parametrize("text", ["flags\t: sse avx\n", "processor : 0\nFeatures : fp asimd\n"])
def test_cpus_of_other_instructions_have_other_folders(tmp_path, monkeypatch, text):
    monkeypatch.setattr(compilation_cache, "_CPU", tmp_path / "cpuinfo")
    (tmp_path / "cpuinfo").write_text(text)
    first = compilation_cache._kind_of_cpu()
    (tmp_path / "cpuinfo").write_text(text.replace("\n", " more\n"))
    assert compilation_cache._kind_of_cpu() != first
