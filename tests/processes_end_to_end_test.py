"""Two processes on this machine are one run: the same result, and nothing lost if one is killed."""

import json
import shutil
import signal
import socket
import subprocess
import time

import numpy as np
import pytest
from safetensors.numpy import load_file

from tests import killing
from zsl_jax.data.predictions.label_table import read_label_tables
from zsl_jax.data.predictions.store import read_predictions

TIMEOUT = 300


def start(command, output, *more):
    return subprocess.Popen(
        [*command, f"--output={output}", *more],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def start_two(command, output):
    """Both processes of a run."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    flags = [f"--coordinator=127.0.0.1:{port}", "--num_processes=2"]
    return [start(command, output, *flags, f"--process_id={index}") for index in range(2)]


def ended_well(processes):
    for process in processes:
        _, errors = process.communicate(timeout=TIMEOUT)
        assert process.returncode == 0, errors


def metrics(output, kind):
    lines = [json.loads(line) for line in (output / "metrics.jsonl").read_text().splitlines()]
    return [line for line in lines if line["kind"] == kind]


def saved_steps(output):
    """Unfinished saves have longer names."""
    return [path for path in output.glob("checkpoints/*/*") if path.name.isdigit()]


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """A command without dropout, whose text is in two shards, and its run by one process."""
    folder = tmp_path_factory.mktemp("hosts")
    command = [*killing.prepare(folder), "--dropout=0"]
    ended_well([start(command, folder / "one", "--shards=2")])
    return command, folder


def assert_same(output, expected):
    """Equal but for the order in which float32 is added up."""
    for kind, value in (("step", "loss"), ("round", "objective")):
        found, wanted = (
            [line[value] for line in metrics(path, kind)] for path in (output, expected)
        )
        np.testing.assert_allclose(found, wanted, rtol=1e-4)
    rounds = [metrics(path, "round")[-1]["agreement"] for path in (output, expected)]
    assert rounds[0] == rounds[1]
    first, second = (load_file(path / "label_model.safetensors") for path in (output, expected))
    np.testing.assert_allclose(first["log_confusion"], second["log_confusion"], atol=1e-4)
    first, second = (read_predictions(path / "labels.parquet") for path in (output, expected))
    assert first.words == second.words
    np.testing.assert_allclose(first.probs, second.probs, atol=2e-3)
    first, second = (next(read_label_tables(path / "votes.parquet")) for path in (output, expected))
    np.testing.assert_array_equal(first.ids[:, :2], second.ids[:, :2])  # the sources'


def test_two_processes_give_the_result_of_one(one):
    command, folder = one
    ended_well(start_two(command, folder / "two"))
    assert_same(folder / "two", folder / "one")


def when(is_so):
    """Wait until something is so."""
    deadline = time.monotonic() + TIMEOUT
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.02)


def test_if_one_is_told_to_end_both_stop_after_the_same_update_and_save(one):
    command, folder = one
    output = folder / "told"
    both = start_two([*command, "--save_every_steps=1000000", "--epochs=500"], output)
    when(lambda: (output / "metrics.jsonl").exists() and len(metrics(output, "step")) > 1)
    both[1].send_signal(signal.SIGTERM)
    said = [process.communicate(timeout=60)[1].splitlines()[-1] for process in both]
    assert [process.returncode for process in both] == [143, 143], said
    assert said[0] == said[1] and "Stopped by SIGTERM after step" in said[0]
    assert len(saved_steps(output)) == 1 and f"step {saved_steps(output)[0].name}," in said[0]
    assert not list(output.rglob(".zsl_jax*"))


@pytest.mark.parametrize(("told", "number"), [(0, signal.SIGINT), (1, signal.SIGTERM)])
def test_before_the_training_a_signal_to_one_ends_both_at_once(one, told, number):
    command, folder = one
    output = folder / f"early{told}"
    both = start_two(command, output)
    when((output / "run.json").exists)
    both[told].send_signal(number)
    start = time.monotonic()
    said = [process.communicate(timeout=60)[1] for process in both]
    assert time.monotonic() - start < 10, said
    for process, errors in zip(both, said, strict=True):
        assert process.returncode == 128 + number
        assert errors.endswith("stopped; no file is left half-written\n")
    assert not list(output.rglob(".zsl_jax*")) and not saved_steps(output)


def test_if_the_first_is_killed_before_the_training_there_is_no_traceback(one):
    command, folder = one
    first, second = start_two(command, folder / "lost")
    when((folder / "lost" / "run.json").exists)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    errors = second.communicate(timeout=60)[1]
    assert second.returncode != 0 and "another task died" in errors
    assert "Traceback" not in errors and "launch/transfer.py" not in errors


def test_if_one_is_killed_the_other_says_so_and_either_number_goes_on(one):
    command, folder = one
    output = folder / "killed"
    first, second = start_two(command, output)
    when(lambda: saved_steps(output))
    second.send_signal(signal.SIGKILL)
    killed_at = time.monotonic()
    _, errors = first.communicate(timeout=60)
    second.communicate()
    assert time.monotonic() - killed_at < 60
    assert first.returncode == 1, errors
    assert "another process of this run ended or cannot be reached" in errors
    again = folder / "again"
    shutil.copytree(output, again)
    ended_well([start(command, output)])
    ended_well(start_two(command, again))
    for gone_on in (output, again):
        assert metrics(gone_on, "resumed")[-1]["step"] > 0
        assert_same(gone_on, folder / "one")
