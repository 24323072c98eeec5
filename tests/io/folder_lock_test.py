"""Tests of zsl_jax.io.folder_lock: one run in a folder, whatever becomes of the others."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from zsl_jax.errors import InputError
from zsl_jax.io import folder_lock
from zsl_jax.io.run_folder import RunSpec, create_run_folder

HOLDER = """
import sys, time
from zsl_jax.io.run_folder import RunSpec, create_run_folder
run = create_run_folder(sys.argv[1], RunSpec({}, 0), overwrite=True)
print("ready", flush=True)
sys.stdin.read()
run.write_result({})
"""


@pytest.fixture
def start():
    """Starts a process that has a run in a folder until its standard input ends."""
    processes = []

    def started(folder):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(folder)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        processes.append(process)
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        return process

    yield started
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_second_run_is_refused_while_the_first_lives(tmp_path, start, overwrite):
    first = start(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(InputError, match=f"in use by another run .process {first.pid} on "):
        create_run_folder(tmp_path, RunSpec({}, 1), overwrite)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    first.communicate("")
    with pytest.raises(InputError, match="already holds a finished run"):
        create_run_folder(tmp_path, RunSpec({}, 1))
    assert {path.name for path in tmp_path.iterdir()} == {"run.json", "result.json"}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_owner_keeps_nobody_out(tmp_path, start, number):
    first = start(tmp_path)
    os.kill(first.pid, number)
    first.wait()
    assert (tmp_path / folder_lock.LOCK).exists()
    create_run_folder(tmp_path, RunSpec({}, 1)).write_result({})


def test_a_stale_lock_file_keeps_nobody_out(tmp_path):
    (tmp_path / folder_lock.LOCK).write_text("left by a machine that was switched off\n")
    run = create_run_folder(tmp_path, RunSpec({}, 0))
    with pytest.raises(InputError, match="in use by another run"):
        create_run_folder(tmp_path, RunSpec({}, 0))
    del run
    create_run_folder(tmp_path, RunSpec({}, 0))


def test_a_file_system_without_locks_is_warned_of(tmp_path, monkeypatch, caplog):
    def fails(*_, **__):
        raise OSError(folder_lock.errno.ENOLCK, "No locks available")

    monkeypatch.setattr(folder_lock.FileLock, "acquire", fails)
    create_run_folder(tmp_path, RunSpec({}, 0)).write_result({})
    assert "without locks (No locks available); make sure that no second run" in caplog.text


def test_a_planted_link_is_not_followed(tmp_path):
    target = tmp_path / "of somebody else"
    target.write_text("x")
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / folder_lock.LOCK).symlink_to(target)
    with pytest.raises(InputError, match="cannot be written"):
        create_run_folder(folder, RunSpec({}, 0))
    assert target.read_text() == "x"


def test_other_names_are_other_locks_and_a_wait_ends_with_the_holder(tmp_path):
    held, end = threading.Event(), threading.Event()

    def hold():
        lock = folder_lock.FolderLock(tmp_path, ".a.lock")
        held.set()
        end.wait(60)
        lock.release()

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(60)
    folder_lock.FolderLock(tmp_path, ".b.lock").release()
    with pytest.raises(folder_lock.Timeout):
        folder_lock.FolderLock(tmp_path, ".a.lock")
    threading.Timer(0.2, end.set).start()
    folder_lock.FolderLock(tmp_path, ".a.lock", timeout=-1).release()
    holder.join()
    assert list(tmp_path.iterdir()) == []
