"""Tests of zsl_jax.io.checked_cache."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from zsl_jax.errors import InputError
from zsl_jax.io.checked_cache import find_or_make


def writes(data):
    return lambda path: path.write_bytes(data)


def never(path):
    raise AssertionError("made again")


def test_a_file_is_made_once_for_each_key(tmp_path):
    folder = tmp_path / "a" / "b"
    path = find_or_make(folder, "x[1]", ".npy", writes(b"one"))
    assert path.read_bytes() == b"one" and [path] == list(folder.iterdir())
    assert find_or_make(folder, "x[1]", ".npy", never) == path
    other = find_or_make(folder, "x[1]-0123456789ab", ".npy", writes(b"two"))
    assert other.read_bytes() == b"two" and len(list(folder.iterdir())) == 2
    assert find_or_make(folder, "x[1]", ".npy", never) == path


def test_of_several_that_miss_a_file_one_makes_it_and_the_others_wait(tmp_path):
    begun, finish = threading.Event(), threading.Event()

    def slow(path):
        begun.set()
        assert finish.wait(timeout=60)
        path.write_bytes(b"one")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(find_or_make, tmp_path, "x", ".npy", slow)
        assert begun.wait(timeout=60)
        second = pool.submit(find_or_make, tmp_path, "x", ".npy", never)
        assert not second.done()
        finish.set()
        assert first.result(timeout=60) == second.result(timeout=60)
    assert list(tmp_path.iterdir()) == [first.result()]


@pytest.mark.parametrize("place", range(5))
def test_a_flipped_bit_is_found(tmp_path, place):
    path = find_or_make(tmp_path, "x", ".parquet", writes(b"\0\1\2\3\4"))
    data = bytearray(path.read_bytes())
    data[place] ^= 1 << place
    path.write_bytes(data)
    with pytest.raises(InputError, match=rf"{path.name} is damaged: .*delete it"):
        find_or_make(tmp_path, "x", ".parquet", never)
    path.unlink()
    assert find_or_make(tmp_path, "x", ".parquet", writes(b"\0\1\2\3\4")) == path


def test_what_cannot_be_made_leaves_nothing_that_is_found(tmp_path):
    def fails(path):
        raise InputError("no")

    with pytest.raises(InputError, match=r"^no$"):
        find_or_make(tmp_path, "x", ".npy", fails)
    (tmp_path / "x.npy").write_bytes(b"of a process that was killed before it gave the name")
    path = find_or_make(tmp_path, "x", ".npy", writes(b"one"))
    assert path.read_bytes() == b"one" and [path] == list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file/cache cannot be used"):
        find_or_make(tmp_path / "file" / "cache", "x", ".npy", never)
