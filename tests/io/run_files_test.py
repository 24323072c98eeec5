"""Tests of zsl_jax.io.run_files: what is not a run's stays as it is."""

import json
import shutil

import pytest

from zsl_jax.errors import InputError
from zsl_jax.io.run_files import is_removed, remove_states
from zsl_jax.io.run_folder import RunSpec, create_run_folder

RECORD = RunSpec({}, 0)


def tree(folder):
    """Every path in a folder with its contents."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize(
    "files",
    [
        {"notes.txt": "x"},
        {"cache/letters.txt": "x"},
        {"checkpoints/7/model": "x"},
        {"config.json": "{}", "vocab.txt": "x"},
        {"run.json": '{"name": "a run of somebody else\'s program", "flags": {}}'},
        {"run.json": "[1]", "result.json": "{}"},
        {".hidden": "x"},
    ],
)
def test_a_folder_that_no_run_made_is_refused_and_untouched(tmp_path, files, overwrite):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    before = tree(tmp_path)
    with pytest.raises(InputError, match=r"is not empty .* give a new or an empty folder") as said:
        create_run_folder(tmp_path, RECORD, overwrite)
    assert min(files).partition("/")[0] in str(said.value)
    assert tree(tmp_path) == before


def test_an_empty_folder_and_what_a_killed_run_left_are_taken(tmp_path):
    (tmp_path / ".lock").touch()
    (tmp_path / f".zsl_jax-elsewhere-1-{'0' * 16}.part").touch()
    create_run_folder(tmp_path, RECORD)
    assert set(tree(tmp_path)) == {".lock", "run.json"}


def test_overwriting_a_run_removes_what_runs_write_and_nothing_else(tmp_path):
    create_run_folder(tmp_path, RECORD).write_result({})
    mine = [
        "notes.txt", "cache/letters.txt", "cache/0-mine.npy", "checkpoints/readme",
        "checkpoints/lvm/notes", "checkpoints/kept/x/1", "sources/en.conll",
        "labels.txt", "my.html",
    ]  # fmt: skip
    ours = [
        "metrics.jsonl", "cache/0-0123456789abcdef-0123456789ab.npy", "checkpoints/lvm/12/state",
        "checkpoints/kd/3/state", "checkpoints/lvm/13.orbax-checkpoint-tmp-1/state",
        "labels.parquet", "labels.conll", "test.jsonl", "votes.parquet", "report.html",
    ]  # fmt: skip
    for name in [*mine, *ours]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    create_run_folder(tmp_path, RECORD, overwrite=True)
    found = {name for name, data in tree(tmp_path).items() if data is not None}
    assert found == {*mine, "run.json", ".lock"}
    assert not (tmp_path / "checkpoints" / "kd").exists()


def test_the_end_of_a_run_removes_its_cache_and_nothing_else(tmp_path):
    run = create_run_folder(tmp_path, RECORD)
    run.cache.mkdir()
    (run.cache / "1-0123456789abcdef-0123456789ab.npy").touch()
    (run.cache / "letters.npy").touch()
    run.write_result({})
    assert set(tree(tmp_path)) == {"cache", "cache/letters.npy", "run.json", "result.json"}
    assert "flags" in json.loads((tmp_path / "run.json").read_text())


def test_the_end_of_a_run_leaves_a_shared_cache_and_no_lock_in_its_own(tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    run = create_run_folder(tmp_path / "run", RECORD)._replace(shared=shared)
    (run.cache / "0-0123456789abcdef-0123456789ab.npy").touch()
    (tmp_path / "run" / "cache").mkdir()
    (tmp_path / "run" / "cache" / ".0-0123456789abcdef.lock").touch()  # of a killed process
    run.write_result({})
    assert [path.name for path in shared.iterdir()] == ["0-0123456789abcdef-0123456789ab.npy"]
    assert set(tree(tmp_path / "run")) == {"run.json", "result.json"}


def test_without_its_states_a_run_keeps_records_labels_and_what_is_not_its_own(tmp_path):
    kept = ["run.json", "result.json", "test.parquet", "notes.txt", "checkpoints/lvm/notes.txt"]
    gone = ["model.safetensors", "label_model.safetensors", "tokenizer.json", "checkpoints/lvm/3/a"]
    for name in kept + gone:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    remove_states(tmp_path)
    assert {name for name, content in tree(tmp_path).items() if content} == set(kept)


def test_what_a_new_run_removes_is_known_by_its_place(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "run")
    run = tmp_path / "run"
    for name in ("labels.conll", "votes.parquet", "checkpoints/transfer/5", "cache/x"):
        assert is_removed(run / name, tmp_path / "link"), name
    for path in (
        run / "corrections.jsonl",
        run / "part/labels.conll",
        run,
        tmp_path / "labels.conll",
    ):
        assert not is_removed(path, run), path


def test_a_copy_of_links_does_not_change_the_run_that_they_point_to(tmp_path):
    create_run_folder(tmp_path / "a", RunSpec({}, 0)).append_metrics(kind="step")
    shutil.copytree(tmp_path / "a", tmp_path / "copied")
    (tmp_path / "b").mkdir()
    for name in ("metrics.jsonl", "run.json"):
        (tmp_path / "b" / name).symlink_to(tmp_path / "a" / name)
        before = (tmp_path / "a" / name).read_bytes()
        with pytest.raises(InputError, match=f"b/.*{name[-5:]} is a link .*cp -rL"):
            create_run_folder(tmp_path / "b", RunSpec({}, 1), overwrite=True)
        assert (tmp_path / "a" / name).read_bytes() == before
        (tmp_path / "b" / name).unlink()
    create_run_folder(tmp_path / "copied", RunSpec({}, 1), overwrite=True)
