import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from zsl_jax import __version__
from zsl_jax.errors import InputError
from zsl_jax.io import run_folder
from zsl_jax.io.folder_lock import LOCK
from zsl_jax.io.run_folder import RunFolder, RunSpec, create_run_folder, file_hashes


def names(folder):
    """The files of a folder, without the lock, which the process keeps."""
    return {file.name for file in folder.iterdir()} - {LOCK}


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_run_json_records_the_specification(tmp_path):
    data = tmp_path / "de.conll"
    data.write_bytes(b"Haus\tNOUN\n")
    flags = {"rate": np.float32(0.5), "train": data, "sources": ["en", "nl"], "limit": None}
    run = create_run_folder(tmp_path / "runs" / "a", RunSpec(flags, 7, file_hashes([data])))
    record = read(run.path / "run.json")
    assert record["flags"] == {
        "rate": 0.5,
        "train": str(data),
        "sources": ["en", "nl"],
        "limit": None,
    }
    assert record["seed"] == 7
    assert record["data"] == {str(data): hashlib.sha256(b"Haus\tNOUN\n").hexdigest()}
    assert record["versions"]["zsl_jax"] == __version__
    assert record["versions"]["numpy"] == np.__version__
    assert record["versions"]["python"] == ".".join(map(str, sys.version_info[:3]))
    assert {"jax", "flax", "optax"} <= set(record["versions"])


def test_each_metric_is_on_disk_at_once_and_valid_json(tmp_path):
    run = create_run_folder(tmp_path, RunSpec({}, 0))
    for step, loss in enumerate([np.float32(1.5), float("nan"), np.array([1.0, np.inf])]):
        run.append_metrics(step=step, loss=loss)
        lines = (tmp_path / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
        assert len(lines) == step + 1
    parsed = [json.loads(line, parse_constant=pytest.fail) for line in lines]
    assert [line["loss"] for line in parsed] == [1.5, None, [1.0, None]]
    assert [line["step"] for line in parsed] == [0, 1, 2]
    assert parsed[0]["time"] <= parsed[2]["time"]


def test_finished_run_is_kept_unless_told(tmp_path):
    run = create_run_folder(tmp_path, RunSpec({}, 0))
    run.append_metrics(step=1)
    run.write_result({"accuracy": 0.5, "method": "größe"})
    assert read(tmp_path / "result.json")["method"] == "größe"
    with pytest.raises(InputError, match=r"finished run.*`overwrite`"):
        create_run_folder(tmp_path, RunSpec({}, 1))
    assert read(tmp_path / "run.json")["seed"] == 0
    create_run_folder(tmp_path, RunSpec({}, 1), overwrite=True)
    assert names(tmp_path) == {"run.json"}
    assert read(tmp_path / "run.json")["seed"] == 1


def test_unfinished_run_keeps_its_metrics(tmp_path):
    create_run_folder(tmp_path, RunSpec({}, 0)).append_metrics(step=1)
    create_run_folder(tmp_path, RunSpec({}, 0)).append_metrics(step=2)
    lines = (tmp_path / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["step"] for line in lines] == [1, 2]


def test_unreadable_data_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.conll"):
        file_hashes([tmp_path / "none.conll"])


CONFIG = {"epochs": 3, "optimizer": {"warmup": 0.1}}
FIRST = RunSpec(
    {"rate": 0.1, "text": "a", "output": "x", "config": CONFIG}, 0, {"a": "00"}, {"encoder": "e"}, 2
)


def interrupted(folder):
    """An unfinished run with one checkpoint and three lines of metrics, the last cut off."""
    run = create_run_folder(folder, FIRST)
    (folder / "checkpoints" / "lvm" / "4").mkdir(parents=True)
    for step in (3, 4):
        run.append_metrics(kind="step", step=step)
    with open(folder / "metrics.jsonl", "a", encoding="utf-8") as file:
        file.write('{"kind": "st')
    return run


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"flags": FIRST.flags | {"rate": 0.2}}, "`rate` was 0.1, now 0.2"),
        (
            {"flags": FIRST.flags | {"config": CONFIG | {"optimizer": {"warmup": 0.2}}}},
            "another run: `config.optimizer.warmup` was 0.1, now 0.2; give the earlier",
        ),
        ({"data": {"a": "01"}}, "a has other contents"),
        ({"models": {"encoder": "f"}}, "encoder has other contents"),
        ({"shards": 3}, "shards of the text: was 2, now 3"),
        (
            {"flags": {"config": CONFIG | {"approach": "lvm"}, "decode": "auto"}},
            "another run: was a training from Python, now a transfer from Python; give the earlier",
        ),
        (
            {"flags": {"approach": "lvm", "rate": 0.1}},
            "another run: was a training from Python, now a transfer by the program; give the",
        ),
    ],
)
def test_checkpoints_of_another_run_are_refused_with_the_differences(tmp_path, changes, said):
    interrupted(tmp_path)
    before = (tmp_path / "run.json").read_bytes()
    other = FIRST._replace(**changes)
    with pytest.raises(InputError, match=said) as refused:
        create_run_folder(tmp_path, other)
    assert "`overwrite`" in str(refused.value)
    assert (tmp_path / "run.json").read_bytes() == before
    create_run_folder(tmp_path, other, overwrite=True)
    assert names(tmp_path) == {"run.json"}


def test_an_interrupted_run_resumes_with_the_same_specification_and_free_flags(tmp_path):
    interrupted(tmp_path)
    same = FIRST._replace(flags=FIRST.flags | {"output": "y"}, free_flags={"output"})
    run = create_run_folder(tmp_path, same)
    kept = run.keep_metrics(lambda line: line["step"] <= 3)
    assert [line["step"] for line in kept] == [3]
    assert len((tmp_path / "metrics.jsonl").read_text(encoding="utf-8").splitlines()) == 1
    with pytest.raises(InputError, match="`output`"):
        create_run_folder(tmp_path, FIRST)


def test_test_files_are_recorded_but_may_differ_when_the_run_resumes(tmp_path):
    record = FIRST._replace(test_data={"t": "00", "a": "00"})
    interrupted(tmp_path)
    create_run_folder(tmp_path, record)
    create_run_folder(tmp_path, record._replace(test_data={"t": "01", "u": "02"}))
    assert read(tmp_path / "run.json")["resumed"][-1]["test_data"] == {"t": "01", "u": "02"}
    with pytest.raises(InputError, match="a has other contents"):  # a is read for training, too
        create_run_folder(tmp_path, record._replace(data={"a": "01"}))


def test_a_result_has_the_processor_time_since_the_folder_was_opened(tmp_path, monkeypatch):
    clock = iter([7.0, 9.5])
    monkeypatch.setattr(run_folder.time, "process_time", lambda: next(clock))
    create_run_folder(tmp_path, FIRST).write_result({})
    assert read(tmp_path / "result.json")["cpu_seconds"] == 2.5


def test_only_the_first_process_writes(tmp_path):
    run = RunFolder(tmp_path / "run", writes=False)
    run.append_metrics(step=1)
    run.write_result({"rows": []})
    assert not (tmp_path / "run").exists()


def test_the_record_of_the_start_stays_when_a_run_resumes(tmp_path, monkeypatch, caplog):
    interrupted(tmp_path)
    first = read(tmp_path / "run.json")
    monkeypatch.setattr(run_folder, "package_versions", lambda: {"jax": "99.0", "new": "1"})
    create_run_folder(tmp_path, FIRST)
    assert "this run resumes with other package versions: " in caplog.text
    assert f"jax was {first['versions']['jax']}, now 99.0" in caplog.text
    assert "new was None, now 1" in caplog.text
    caplog.clear()
    create_run_folder(tmp_path, FIRST)
    assert not caplog.text
    record = read(tmp_path / "run.json")
    starts = record.pop("resumed")
    assert record == first
    assert [start["versions"] for start in starts] == [{"jax": "99.0", "new": "1"}] * 2
    assert all(start["started"] >= first["started"] for start in starts)


@pytest.mark.parametrize("line", ['{"kind": "st\x00p"}', "7", "", '{"step": 3}', "\ud800"])
def test_a_damaged_line_of_the_metrics_is_named(tmp_path, line):
    run = interrupted(tmp_path)
    lines = (tmp_path / "metrics.jsonl").read_bytes().split(b"\n")
    lines.insert(1, line.encode(errors="surrogatepass"))
    (tmp_path / "metrics.jsonl").write_bytes(b"\n".join(lines))
    with pytest.raises(InputError, match=r"metrics\.jsonl, line 2 is damaged; delete this line"):
        run.keep_metrics(lambda line: True)
    assert (tmp_path / "metrics.jsonl").read_bytes() == b"\n".join(lines)


def test_a_full_disk_under_the_metrics_is_one_sentence(tmp_path):
    run = create_run_folder(tmp_path, RunSpec({}, 0))
    (tmp_path / "metrics.jsonl").symlink_to("/dev/full")
    with pytest.raises(InputError, match=r"metrics\.jsonl cannot be written: No space left"):
        run.append_metrics(kind="step")


def test_failed_result_leaves_no_file(tmp_path, monkeypatch):
    run = create_run_folder(tmp_path, RunSpec({}, 0))

    def full(self, *args, **kwargs):
        raise OSError("disk full")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(InputError, match=r"result\.json cannot be written: disk full"):
        run.write_result({"accuracy": 0.5})
    assert not (tmp_path / "result.json").exists()


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "a").write_text("", encoding="utf-8")
    (tmp_path / "b").symlink_to(tmp_path / "gone")
    (tmp_path / "c").symlink_to("c")
    for path in ("a", "a/run", "b", "c"):
        with pytest.raises(InputError, match="file or a link to a missing folder is in its place"):
            create_run_folder(tmp_path / path, RunSpec({}, 0))
    (tmp_path / "gone").mkdir()
    assert create_run_folder(tmp_path / "b", RunSpec({}, 0)).path == tmp_path / "b"
    assert (tmp_path / "gone" / "run.json").exists() and (tmp_path / "b").is_symlink()
