"""Programs whose texts, predictions, models and results are in a bucket."""

import json
import signal
import socket
import time
from pathlib import Path

import pytest

from tests.bucket_server import BUCKET, serving, upload
from tests.programs import TIMEOUT, program, start
from zsl_jax.data.predictions.prediction_files import read_predictions
from zsl_jax.io.bucket_copies import fetched

FILES = ("model.safetensors", "label_model.safetensors", "labels.parquet", "votes.parquet")
MEASURED = ("time", "seconds", "words_per_second")


@pytest.fixture(scope="module", autouse=True)
def bucket(tmp_path_factory):
    """A bucket, of which this process and the programs know."""
    with serving() as environment, pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.setenv("ZSL_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def runs(bucket, run_left_alone):
    """A command with all inputs in the bucket, and the run of the same with local files."""
    command, alone = run_left_alone
    return [in_bucket(argument) for argument in command], alone


def in_bucket(argument):
    """A flag of an input, with the address of a copy in the bucket in place of its path."""
    start, _, path = argument.rpartition("=")
    if not (start and Path(path).is_absolute()):
        return argument
    return f"{start}={upload(Path(path), f'inputs/{Path(path).name}')}"


def at(name):
    from etils import epath

    return epath.Path(f"{BUCKET}/{name}")


def transfer(command, run, machine, *more):
    return start("launch.transfer", *command, f"--output={run}", *more, ZSL_CACHE=str(machine))


def steps_saved(run):
    """The steps of the checkpoints that are complete, by Orbax's marker."""
    markers = run.glob("checkpoints/lvm/*/commit_success.txt")
    return sorted(int(marker.parent.name) for marker in markers)


def lines_of(run):
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def learned(run):
    """The lines of the metrics, without what depends on the machine."""
    lines = [line for line in lines_of(run) if line["kind"] != "resumed"]
    return [{**line, **dict.fromkeys(MEASURED)} for line in lines]


def test_a_run_in_a_bucket_that_is_killed_resumes_on_another_machine(runs, tmp_path):
    """And ends with the same bytes as a run on a disk that was not interrupted."""
    (command, alone), run = runs, at("killed")
    first, second = tmp_path / "first", tmp_path / "second"
    process, deadline = transfer(command, run, first), time.monotonic() + TIMEOUT
    seen = set()  # the first one may be deleted as the second is completed
    while len(seen) < 2 and process.poll() is None and time.monotonic() < deadline:
        seen.update(steps_saved(run))
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    _, errors = process.communicate()
    saved = steps_saved(run)
    assert len(seen) >= 2 and saved and not (run / "result.json").exists(), errors
    done = program("transfer", *command, f"--output={run}", "--report", ZSL_CACHE=str(second))
    for name in FILES:
        assert (run / name).read_bytes() == (alone / name).read_bytes(), name
    assert learned(run) == learned(alone)
    assert [line["step"] for line in lines_of(run) if line["kind"] == "resumed"] == [saved[-1]]
    assert f"model folder: {run}\n" in done.stdout and (run / "report.html").exists()
    assert not (run / ".lock").exists() and len(list((run / "sources").iterdir())) == 2
    record = json.loads((run / "run.json").read_text())
    assert record["flags"]["text"] == f"{BUCKET}/inputs/text.conll" in record["data"]
    printed = [done.stdout, done.stderr, (run / "run.json").read_text()]
    assert str(second) not in "".join([*printed, (run / "result.json").read_text()])
    again = program("transfer", *command, f"--output={run}", status=2, ZSL_CACHE=str(first))
    assert f"{run} already holds a finished run" in again.stderr


def test_two_machines_without_a_share_give_the_result_of_one(runs, tmp_path):
    (command, alone), run = runs, at("two")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        coordinator = f"--coordinator=127.0.0.1:{free.getsockname()[1]}"
    both = [
        transfer(
            command, run, tmp_path / str(number), coordinator, "--num_processes=2",
            f"--process_id={number}", "--rounds=1", "--epochs=1", "--save_every_steps=100",
        )
        for number in range(2)
    ]  # fmt: skip
    for process in both:
        _, errors = process.communicate(timeout=TIMEOUT)
        assert process.returncode == 0, errors
    digests = [json.loads((path / "run.json").read_text())["data"] for path in (run, alone)]
    assert list(digests[0].values()) == list(digests[1].values())
    assert len(list((run / "sources").iterdir())) == 4
    assert len(read_predictions(fetched(f"{run}/labels.parquet")).words) == 40
    assert json.loads((run / "result.json").read_text())["devices"].endswith("2 processes")


def test_files_in_a_bucket_are_read_and_written_like_local_ones(runs, tmp_path):
    _, alone = runs
    model, out = upload(alone, "inputs/target"), f"{BUCKET}/results"
    text = f"--text={BUCKET}/inputs/t*t.conll"
    done = program(
        "predict", f"--model={model}", text, f"--output={out}/p.parquet", "--row_length=32"
    )
    assert f"228 words labelled by P (the tagger alone), argmax: {out}/p.parquet" in done.stdout
    assert at("results/p.parquet").read_bytes() == (alone / "labelled.parquet").read_bytes()
    sources = [f"--source={name}={out}/p.parquet" for name in "ab"]
    program("aggregate", *sources, "--method=majority", f"--output={out}/new/votes.conll")
    votes = f"{out}/new/votes.conll"
    program("evaluate", f"--gold={votes}", f"--predicted={votes}", f"--output={out}/s.json")
    scores = json.loads(at("results/s.json").read_text())
    assert scores["gold"] == votes
    done = program("report", f"--run={model}", f"--output={out}/report.html")
    assert at("results/report.html").exists() and f"report: {out}/report.html" in done.stdout
