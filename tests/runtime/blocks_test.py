import numpy as np

from zsl_jax.runtime.blocks import blocks


def test_blocks_have_one_shape_and_hold_every_row_once(tmp_path):
    table = np.arange(21, dtype=np.float16).reshape(7, 3)
    np.save(tmp_path / "table.npy", table)
    mapped = np.load(tmp_path / "table.npy", mmap_mode="r")
    made = list(blocks(np.arange(7), mapped, size=3))
    assert [block.rows for block in made] == [slice(0, 3), slice(3, 6), slice(6, 7)]
    assert {array.shape for block in made for array in block.arrays} == {(3,), (3, 3)}
    assert all(type(array) is np.ndarray for block in made for array in block.arrays)
    ids, rows = (np.concatenate([b.arrays[i][b.mask] for b in made]) for i in (0, 1))
    np.testing.assert_array_equal(ids, np.arange(7))
    np.testing.assert_array_equal(rows, table)
    assert not made[-1].arrays[1][1:].any()
    assert list(blocks(np.empty(0))) == []
