"""Two processes on this machine are one run: the same result, and nothing lost if one is killed."""

import json
import shutil
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from safetensors.numpy import load_file

from tests import tiny_world
from tests.programs import TIMEOUT, start
from zsl_jax.data.predictions.label_table import read_label_tables
from zsl_jax.data.predictions.prediction_files import read_predictions

# The other tests run while the process that is left finds out that the killed one has gone.
pytestmark = pytest.mark.usefixtures("survivor")


def start_one(arguments, output, *more):
    return start("launch.transfer", *arguments, f"--output={output}", *more)


def start_two(arguments, output):
    """Both processes of a run."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    flags = [f"--coordinator=127.0.0.1:{port}", "--num_processes=2"]
    return [start_one(arguments, output, *flags, f"--process_id={index}") for index in range(2)]


def ended_well(processes):
    for process in processes:
        done = process.finish()
        assert done.returncode == 0, done.stderr


def metrics(output, kind):
    lines = [json.loads(line) for line in (output / "metrics.jsonl").read_text().splitlines()]
    return [line for line in lines if line["kind"] == kind]


def saved_steps(output):
    """Unfinished saves have longer names."""
    return [path for path in output.glob("checkpoints/*/*") if path.name.isdigit()]


@pytest.fixture(scope="module")
def one(run_left_alone, tmp_path_factory):
    """Arguments without dropout, and a run by one process whose text is in two shards."""
    folder = tmp_path_factory.mktemp("hosts")
    arguments = [*run_left_alone[0], "--dropout=0"]
    ended_well([start_one(arguments, folder / "one", "--shards=2")])
    return arguments, folder


@pytest.fixture(scope="module")
def survivor(one):
    """A run whose second process was killed, and the end of its first with the seconds it took."""
    arguments, folder = one
    output = folder / "killed"
    first, second = start_two(arguments, output)
    when(lambda: saved_steps(output))
    second.send_signal(signal.SIGKILL)
    killed_at = time.monotonic()
    second.finish()
    with ThreadPoolExecutor(1) as pool:
        end = pool.submit(lambda: (first.finish(60), time.monotonic() - killed_at))
        yield output, end


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
    arguments, folder = one
    ended_well(start_two(arguments, folder / "two"))
    assert_same(folder / "two", folder / "one")


def noisy_predictions(path, text, seed):
    """A source of tags, 40 % of which are drawn by chance."""
    rng, noisy = np.random.default_rng(seed), []
    for sentence in text:
        drawn = rng.choice(tiny_world.LABELS, len(sentence.words))
        kept = rng.random(len(sentence.words)) < 0.6
        labels = tuple(np.where(kept, sentence.labels, drawn).tolist())
        noisy.append(sentence._replace(labels=labels))
    return tiny_world.write_text(path, noisy)


def test_the_table_of_two_processes_is_that_of_one_where_training_fits_no_label_model(one):
    arguments, folder = one
    world, sources = folder / "noisy", []
    world.mkdir()
    for flag, seed, count in (("source", 2, 40), ("test_source", 3, 20)):
        text = tiny_world.sentences(seed, count)
        for name in range(3):
            path = noisy_predictions(world / f"{flag}{name}.conll", text, 10 * seed + name)
            sources.append(f"--{flag}=n{name}={path}")
    kept = [value for value in arguments if not value.startswith(("--source=", "--epochs="))]
    test = tiny_world.write_text(world / "test.conll", tiny_world.sentences(3, 20))
    kept += [*sources, f"--test={test}", "--approach=kd", "--rounds=1"]
    ended_well([start_one(kept, world / "one", "--shards=2"), *start_two(kept, world / "two")])
    tables = []
    for output in (world / "one", world / "two"):
        rows = json.loads((output / "result.json").read_text())["rows"]
        tables.append({row["name"]: row["scores"]["score"] for row in rows})
    assert len(tables[0]) == 9 and tables[0] == pytest.approx(tables[1], abs=0.02)


def when(is_so):
    """Wait until something is so."""
    deadline = time.monotonic() + TIMEOUT
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.02)


def test_if_one_is_told_to_end_both_stop_after_the_same_update_and_save(one):
    arguments, folder = one
    output = folder / "told"
    both = start_two([*arguments, "--save_every_steps=1000000", "--epochs=500"], output)
    when(lambda: (output / "metrics.jsonl").exists() and len(metrics(output, "step")) > 1)
    both[1].send_signal(signal.SIGTERM)
    said = [process.finish(60).stderr.splitlines()[-1] for process in both]
    assert [process.returncode for process in both] == [143, 143], said
    assert said[0] == said[1] and "Stopped by SIGTERM after step" in said[0]
    assert len(saved_steps(output)) == 1 and f"step {saved_steps(output)[0].name}," in said[0]
    assert not list(output.rglob(".zsl_jax*"))


@pytest.mark.parametrize(("told", "number"), [(0, signal.SIGINT), (1, signal.SIGTERM)])
def test_before_the_training_a_signal_to_one_ends_both_at_once(one, told, number):
    arguments, folder = one
    output = folder / f"early{told}"
    both = start_two(arguments, output)
    when((output / "run.json").exists)
    both[told].send_signal(number)
    told_at = time.monotonic()
    said = [process.finish(60).stderr for process in both]
    assert time.monotonic() - told_at < 10, said
    for process, errors in zip(both, said, strict=True):
        assert process.returncode == 128 + number, said
        assert errors.endswith("stopped; no file is left half-written\n")
    assert not list(output.rglob(".zsl_jax*")) and not saved_steps(output)


def test_if_the_first_is_killed_before_the_training_there_is_no_traceback(one):
    arguments, folder = one
    first, second = start_two(arguments, folder / "lost")
    when((folder / "lost" / "run.json").exists)
    first.send_signal(signal.SIGKILL)
    first.finish()
    done = second.finish(60)
    assert done.returncode != 0 and "another task died" in done.stderr
    assert "Traceback" not in done.stderr and "launch/transfer.py" not in done.stderr


def test_if_one_is_killed_the_other_says_so_and_either_number_resumes(one, survivor):
    arguments, folder = one
    output, end = survivor
    done, seconds = end.result()
    assert seconds < 60 and done.returncode == 1, done.stderr
    assert "another process of this run ended or cannot be reached" in done.stderr
    again = folder / "again"
    shutil.copytree(output, again)
    ended_well([start_one(arguments, output), *start_two(arguments, again)])
    for resumed in (output, again):
        assert metrics(resumed, "resumed")[-1]["step"] > 0
        assert_same(resumed, folder / "one")
