"""Tests of zsl_jax.finished_file."""

import errno
import os
import stat
import threading

import pytest

from zsl_jax.errors import InputError
from zsl_jax.finished_file import finished_file


def write(path, text="new"):
    with finished_file(path) as part:
        part.write_text(text)


def test_a_file_is_replaced_when_all_is_written(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(KeyError), finished_file(path) as part:
        part.write_text("half")
        assert path.read_text() == "old"
        raise KeyError
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["a.txt"]
    write(path)
    assert path.read_text() == "new" and os.listdir(tmp_path) == ["a.txt"]


def test_links_stay_links(tmp_path):
    link, path = tmp_path / "link", tmp_path / "folder" / "a.txt"
    path.parent.mkdir()
    path.write_text("old")
    link.symlink_to(path)
    write(link)
    assert link.is_symlink() and path.read_text() == "new"


def test_what_is_no_file_is_written_into(tmp_path):
    path, found = tmp_path / "pipe", []
    os.mkfifo(path)
    reader = threading.Thread(target=lambda: found.append(path.read_text()))
    reader.start()
    write(path)
    reader.join(timeout=10)
    assert found == ["new"] and stat.S_ISFIFO(path.stat().st_mode)
    write("/dev/null")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_what_cannot_be_written_is_said_in_one_sentence(tmp_path):
    with pytest.raises(InputError, match="is a folder; name a file"):
        write(tmp_path)
    with pytest.raises(InputError, match=r"a\.txt cannot be written: No such file or directory;"):
        write(tmp_path / "none" / "a.txt")
    with (
        pytest.raises(InputError, match="No space left on device; make room"),
        finished_file(tmp_path / "a.txt") as part,
    ):
        part.write_text("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert not os.listdir(tmp_path)
