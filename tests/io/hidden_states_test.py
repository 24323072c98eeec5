import errno
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zsl_jax.errors import InputError
from zsl_jax.io.hidden_states import map_hidden_states, write_hidden_states

HALF = np.dtype(np.float16)


def table(rows: int, width: int, dtype=HALF) -> np.ndarray:
    return np.random.default_rng(rows).normal(size=(rows, width)).astype(dtype)


@given(rows=st.integers(1, 40), width=st.integers(1, 5), cuts=st.integers(1, 5), seed=st.integers())
def test_rows_may_come_in_any_order(tmp_path_factory, rows, width, cuts, seed):
    path = tmp_path_factory.mktemp("states") / "states.npy"
    values = table(rows, width, np.float32)
    order = np.random.default_rng(abs(seed)).permutation(rows)
    blocks = [(part, values[part]) for part in np.array_split(order, cuts) if len(part)]
    write_hidden_states(path, values.shape, values.dtype, iter(blocks))
    found = map_hidden_states(path, values.shape, values.dtype)
    np.testing.assert_array_equal(found, values)
    np.testing.assert_array_equal(np.load(path), values)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_what_was_interrupted_leaves_nothing(tmp_path):
    path, values = tmp_path / "states.npy", table(6, 2)

    def killed():
        yield np.arange(4), values[:4]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_hidden_states(path, values.shape, HALF, killed())
    assert not list(tmp_path.iterdir())
    write_hidden_states(path, values.shape, HALF, [(np.arange(6), values)])
    np.testing.assert_array_equal(map_hidden_states(path, values.shape, HALF), values)
    assert list(tmp_path.iterdir()) == [path]


def test_the_table_is_mapped_not_read(tmp_path):
    path, values = tmp_path / "states.npy", table(6, 2)
    write_hidden_states(path, values.shape, HALF, [(np.arange(6), values)])
    found = map_hidden_states(path, values.shape, HALF)
    assert isinstance(found.base, np.memmap) and not found.flags.writeable


@pytest.mark.parametrize("damage", ["cut off", "other shape", "other type", "empty"])
def test_a_damaged_file_is_named(tmp_path, damage):
    path, values = tmp_path / "states.npy", table(6, 2)
    write_hidden_states(path, values.shape, HALF, [(np.arange(6), values)])
    shape, dtype = values.shape, HALF
    if damage in ("cut off", "empty"):
        path.write_bytes(path.read_bytes()[: 140 if damage == "cut off" else 0])
    elif damage == "other shape":
        shape = (12, 1)
    else:
        dtype = np.dtype(np.float32)
    with pytest.raises(InputError, match=rf"{path} is damaged; delete it"):
        map_hidden_states(path, shape, dtype)


def test_a_full_disk_leaves_nothing_and_the_error_gives_the_size(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match=r"No space left.*room for 0\.02 GB"):
        values = table(1000, 8000)
        write_hidden_states(tmp_path / "s.npy", values.shape, HALF, [(np.arange(1000), values)])
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_missing_is_named(tmp_path):
    path = tmp_path / "cache" / "states.npy"
    with pytest.raises(InputError, match=str(path)):
        write_hidden_states(path, (1, 1), HALF, [(np.arange(1), table(1, 1))])
