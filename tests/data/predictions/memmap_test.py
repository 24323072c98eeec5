import numpy as np
import pytest

from zsl_jax.data.predictions.memmap import cut_rows, to_memmap

TABLE = np.linspace(0, 1, 42, dtype=np.float32).reshape(7, 2, 3)


@pytest.mark.parametrize("size", [1, 3, 7, 50])
def test_rows_in_a_file_are_those_in_memory(tmp_path, size):
    folder = tmp_path / "made" / "here"
    mapped = to_memmap(cut_rows(TABLE, size), (2, 3), folder)
    assert isinstance(mapped, np.memmap) and not mapped.flags.writeable
    in_memory = to_memmap(cut_rows(TABLE, size), (2, 3), None)
    assert not isinstance(in_memory, np.memmap)
    for table in (mapped, in_memory):
        assert table.dtype == np.float16
        np.testing.assert_array_equal(table, TABLE.astype(np.float16))
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("shape", [(0, 2, 3), (4, 0)])
def test_tables_without_numbers(tmp_path, shape):
    table = np.zeros(shape)
    for folder in (None, tmp_path):
        assert to_memmap(cut_rows(table), shape[1:], folder).shape == shape


def test_nothing_is_left_if_a_block_cannot_be_made(tmp_path):
    def blocks():
        yield TABLE
        raise ValueError

    with pytest.raises(ValueError):
        to_memmap(blocks(), (2, 3), tmp_path)
    assert list(tmp_path.iterdir()) == []
