"""Tests of zsl_jax.atomic_file."""

import errno
import os
import signal
import stat
import subprocess
import sys
import threading

import pytest

from zsl_jax import atomic_file as module
from zsl_jax.atomic_file import atomic_file, atomic_folder, drop_abandoned
from zsl_jax.errors import InputError

KILLED = """
import os, signal, sys
from pathlib import Path
from zsl_jax.atomic_file import atomic_file, atomic_folder
with atomic_file(sys.argv[1]) as part, atomic_folder(Path(sys.argv[1]).parent) as folder:
    part.write_text("half")
    (folder / "weights").write_text("half")
    if sys.argv[2] == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    print("ready", flush=True)
    sys.stdin.read()
"""


def write(path, text="new"):
    with atomic_file(path) as part:
        part.write_text(text)


def test_a_file_is_replaced_when_all_is_written(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(KeyError), atomic_file(path) as part:
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


def test_pipes_and_devices_are_written_directly(tmp_path):
    path, found = tmp_path / "pipe", []
    os.mkfifo(path)
    reader = threading.Thread(target=lambda: found.append(path.read_text()))
    reader.start()
    write(path)
    reader.join(timeout=10)
    assert found == ["new"] and stat.S_ISFIFO(path.stat().st_mode)
    reading, writing = os.pipe()
    write(f"/dev/fd/{writing}")
    assert os.read(reading, 9) == b"new"
    write("/dev/null")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_an_unwritable_path_is_reported_in_one_sentence(tmp_path):
    with pytest.raises(InputError, match="is a folder; give a file"):
        write(tmp_path)
    with pytest.raises(
        InputError, match=r"a\.txt cannot be written, since there is no folder .*none"
    ):
        write(tmp_path / "none" / "a.txt")
    with pytest.raises(InputError, match="is a folder; give a file"):
        write(f"{tmp_path}/a.txt/")
    with (
        pytest.raises(InputError, match="No space left on device; make room"),
        atomic_file(tmp_path / "a.txt") as part,
    ):
        part.write_text("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert not os.listdir(tmp_path)


def test_the_hidden_name_is_new_and_its_file_has_the_permissions_of_new_files(tmp_path):
    (tmp_path / "plain").touch()
    with atomic_file(tmp_path / "a.txt") as part, atomic_file(tmp_path / "a.txt") as other:
        assert part != other and part.parent == tmp_path and part.name.startswith(".")
        assert part.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_planted_link_is_never_written_through(tmp_path, monkeypatch):
    monkeypatch.setattr(module.secrets, "token_hex", lambda size: "0" * 2 * size)
    with atomic_file(tmp_path / "a.txt") as part:
        pass
    victim = tmp_path / "victim"
    victim.write_text("x")
    part.symlink_to(victim)
    with pytest.raises(InputError, match="cannot be written: File exists"):
        write(tmp_path / "a.txt")
    assert victim.read_text() == "x"


def test_a_name_as_long_as_the_file_system_takes(tmp_path):
    path = tmp_path / ("é" * 127)
    write(path)
    assert path.read_text() == "new"
    with pytest.raises(InputError, match="cannot be written: File name too long"):
        write(tmp_path / ("a" * 300))


def start(path, how):
    command = [sys.executable, "-c", KILLED, str(path), how]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_what_a_killed_process_left_is_removed_at_the_next_start(tmp_path):
    (tmp_path / ".zsl_jax-notes.part").touch()
    assert start(tmp_path / "a.txt", "killed").wait() == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) == 3
    living = start(tmp_path / "b.txt", "lives")
    assert living.stdout is not None and living.stdout.readline() == "ready\n"
    left = {path for path in tmp_path.iterdir() if f"-{living.pid}-" in path.name}
    assert len(left) == 2 and {*tmp_path.iterdir()} == {*left, tmp_path / ".zsl_jax-notes.part"}
    write(tmp_path / "c.txt")
    assert left < {*tmp_path.iterdir()}
    living.communicate("")
    assert {path.name for path in tmp_path.iterdir()} == {".zsl_jax-notes.part", "b.txt", "c.txt"}


def test_what_other_hosts_left_is_removed_only_where_nobody_else_may_write(tmp_path):
    path = tmp_path / f".zsl_jax-elsewhere-7-{'a' * 16}.part"
    path.mkdir()
    (path / "weights").touch()
    drop_abandoned(tmp_path)
    assert path.exists()
    drop_abandoned(tmp_path, of_other_hosts=True)
    assert not path.exists()


def test_an_unfinished_folder_is_gone_unless_it_gets_a_name(tmp_path):
    with pytest.raises(KeyError), atomic_folder(tmp_path) as folder:
        (folder / "a").touch()
        raise KeyError
    with atomic_folder(tmp_path) as folder:
        (folder / "a").touch()
        folder.rename(tmp_path / "done")
    assert [path.name for path in tmp_path.rglob("*")] == ["done", "a"]
