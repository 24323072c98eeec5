"""Tests of zsl_jax.buckets and zsl_jax.io.bucket_copies."""

import os
from pathlib import Path

import pytest

from tests.bucket_server import BUCKET, serving
from zsl_jax import buckets
from zsl_jax.atomic_file import atomic_file
from zsl_jax.errors import InputError
from zsl_jax.io.bucket_copies import fetched, refresh_copy
from zsl_jax.io.checked_cache import find_or_make
from zsl_jax.io.folder_lock import FolderLock
from zsl_jax.io.json_file import plain


@pytest.fixture(scope="module")
def server():
    with serving() as environment:
        yield environment


@pytest.fixture
def machine(server, monkeypatch, tmp_path):
    """Yields a function that makes this process one that runs on another machine."""
    for name, value in server.items():
        monkeypatch.setenv(name, value)

    def become(name):
        monkeypatch.setenv("ZSL_CACHE", str(tmp_path / name))

    become("first")
    return become


def write(address, text):
    path = Path(buckets.local_copy(address))
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as part:
        part.write_text(text)
    return path


def test_a_file_written_on_one_machine_is_read_on_another(machine):
    first = write(f"{BUCKET}/written/a.txt", "one")
    machine("second")
    copy = Path(fetched(f"{BUCKET}/written/a.txt"))
    assert copy != first and copy.read_text() == "one" and copy.stat().st_mtime % 1 == 0
    machine("first")
    write(f"{BUCKET}/written/a.txt", "three")
    machine("second")
    assert Path(fetched(f"{BUCKET}/written/a.txt")).read_text() == "three"


def test_files_are_uploaded_and_fetched_through_a_link_to_the_cache(machine, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    machine("link")
    path = write(f"{BUCKET}/linked/a.txt", "one")
    assert buckets.names_in(path.parent) == ["a.txt"]
    path.write_text("two")
    assert Path(fetched(f"{BUCKET}/linked/a.txt")).read_text() == "one"
    assert buckets.with_addresses(f"x={path}") == f"x={BUCKET}/linked/a.txt"


def test_a_copy_that_is_equal_is_not_downloaded_again(machine):
    write(f"{BUCKET}/equal/a.txt", "one")
    copy = Path(fetched(f"{BUCKET}/equal/a.txt"))
    before = copy.stat().st_ino
    refresh_copy(copy)
    assert copy.stat().st_ino == before
    copy.write_text("two")
    refresh_copy(copy)
    assert copy.read_text() == "one"


def test_a_folder_and_a_pattern_are_fetched_without_what_was_removed(machine):
    for name in ("a.txt", "b.txt", "c.json"):
        write(f"{BUCKET}/folder/{name}", name)
    write(f"{BUCKET}/folder/inside/d.txt", "")
    machine("second")
    pattern = fetched(f"{BUCKET}/folder/*.txt")
    folder = Path(pattern).parent
    assert sorted(os.listdir(folder)) == ["a.txt", "b.txt"] and pattern.endswith("*.txt")
    assert fetched(f"{BUCKET}/folder/") == str(folder)
    assert sorted(os.listdir(folder)) == ["a.txt", "b.txt", "c.json"]
    machine("first")
    buckets.remove(Path(buckets.local_copy(f"{BUCKET}/folder/a.txt")))
    machine("second")
    fetched(f"{BUCKET}/folder/*.txt")
    assert sorted(os.listdir(folder)) == ["b.txt", "c.json"]
    assert buckets.names_in(folder) == ["b.txt", "c.json", "inside"]


def test_the_copy_of_a_folder_that_a_run_of_this_machine_writes_stays_as_it_is(machine):
    copy = write(f"{BUCKET}/locked/metrics.jsonl", "one")
    lock = FolderLock(copy.parent)
    copy.write_text("not uploaded yet")
    assert fetched(f"{BUCKET}/locked") == str(copy.parent)
    assert copy.read_text() == "not uploaded yet"
    lock.release()
    fetched(f"{BUCKET}/locked")
    assert copy.read_text() == "one" and os.listdir(copy.parent) == [copy.name]


def test_a_file_is_not_uploaded_if_its_writing_fails_or_while_it_is_held_back(machine):
    path = write(f"{BUCKET}/held/a.txt", "one")
    with pytest.raises(ZeroDivisionError), atomic_file(path) as part:
        part.write_text("half")
        raise ZeroDivisionError
    with buckets.held_back():
        write(f"{BUCKET}/held/b.txt", "two")
    assert buckets.names_in(path.parent) == ["a.txt"]
    refresh_copy(path)
    assert path.read_text() == "one"


def test_a_file_of_a_cache_is_made_once_for_all_machines(machine):
    folder = Path(buckets.local_copy(f"{BUCKET}/run/sources"))
    made = find_or_make(folder, "key", ".txt", lambda path: write_in_place(path, "made"))
    assert buckets.names_in(folder) == [made.name]
    machine("second")
    other = Path(buckets.local_copy(f"{BUCKET}/run/sources"))
    again = find_or_make(other, "key", ".txt", lambda path: pytest.fail("made twice"))
    assert again.name == made.name and again.read_text() == "made"


def write_in_place(path, text):
    with atomic_file(path) as part:
        part.write_text(text)


def test_unpublished_files_lie_beside_the_copies(machine, tmp_path):
    folder = Path(buckets.local_copy(f"{BUCKET}/run"))
    beside = buckets.unpublished(folder)
    assert beside == tmp_path / "first" / "buckets-unpublished" / "gs" / "bucket" / "run"
    assert not buckets.is_copy(beside)
    assert buckets.unpublished(tmp_path) == tmp_path and buckets.original(tmp_path) is tmp_path


def test_records_name_addresses(machine):
    copy = buckets.local_copy(f"{BUCKET}/a.txt")
    values = {"text": f"x={copy}", copy: [Path(copy), "/elsewhere"]}
    address = f"{BUCKET}/a.txt"
    assert plain(values) == {"text": f"x={address}", address: [address, "/elsewhere"]}


def test_what_is_not_there_or_cannot_be_reached_is_named(machine):
    with pytest.raises(InputError, match=rf"^there is nothing at {BUCKET}/none; correct the path"):
        fetched(f"{BUCKET}/none")
    with pytest.raises(InputError, match=rf"nothing at {BUCKET}/\*\.none; correct"):
        fetched(f"{BUCKET}/*.none")
    with pytest.raises(InputError, match=r"^gs://other/a cannot be written \(.*\); check the path"):
        write("gs://other/a", "")
    with pytest.raises(InputError, match=r"^s3://b/a cannot be read .*; .* pip install s3fs$"):
        fetched("s3://b/a")
