import json

import pytest

from zsl_jax.errors import InputError
from zsl_jax.io.json_file import read_json_object, write_json


def test_what_is_written_is_read_back(tmp_path):
    write_json(tmp_path / "a.json", {"name": "π", "loss": float("nan"), "rows": [(1, 2.5)]})
    expected = {"name": "π", "loss": None, "rows": [[1, 2.5]]}
    assert read_json_object(tmp_path / "a.json") == expected
    assert json.loads((tmp_path / "a.json").read_bytes()) == expected


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path):
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(InputError, match=r"folder\.json is a folder"):
        write_json(tmp_path / "folder.json", {})
    assert [path.name for path in tmp_path.iterdir()] == ["folder.json"]
