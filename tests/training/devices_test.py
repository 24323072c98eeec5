"""One device, several by pmap, several by shard_map: the same losses, gradients and parameters."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

# Partition, devices, and parts that each device divides its rows into.
WAYS = [("pmap", 1, 1), ("pmap", 2, 3), ("pmap", 4, 1), ("shard_map", 2, 2), ("shard_map", 4, 1)]


@pytest.fixture(scope="module")
def runs():
    """Every way in a process of its own, since fake devices are made before JAX is loaded."""
    return {way: run(*way) for way in WAYS}


def run(partition, num_devices, accumulate, *more, layers="all"):
    arguments = [partition, num_devices, layers, accumulate, *more]
    command = [sys.executable, "-m", "tests.training.device_runs", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("way", WAYS[1:], ids=lambda way: "-".join(map(str, way)))
def test_devices_share_an_update_without_changing_it(runs, way):
    one, many = runs[WAYS[0]], runs[way]
    assert one["rows"] % way[1] != 0 or one["words"] % way[1] != 0  # nothing divides evenly
    assert many["rows"] % (way[1] * way[2]) == 0
    for what in ("losses", "gradient_norms", "objectives"):
        np.testing.assert_allclose(many[what], one[what], rtol=1e-5)
    for what in ("head", "confusion"):  # Adam divides by tiny moments: signs, not sizes
        np.testing.assert_allclose(many[what], one[what], atol=2e-4)


def test_the_runs_have_learned(runs):
    assert runs[WAYS[0]]["objectives"][-1] < runs[WAYS[0]]["objectives"][0]


def test_devices_share_an_update_above_frozen_layers():
    """With a layer, and with the head alone, whose encoder has no parameters."""
    for layers, partitions in ((1, ("pmap", "shard_map")), (0, ("pmap",))):
        one = run(*WAYS[0], layers=layers)
        for partition in partitions:
            many = run(partition, 2, 1, layers=layers)
            assert many["rows"] % 2 == 0 and len(many["losses"]) == len(one["losses"]) > 10
            for what in ("losses", "gradient_norms", "objectives"):
                np.testing.assert_allclose(many[what], one[what], rtol=1e-5)


def test_a_run_saved_on_four_devices_resumes_on_one_and_on_two(runs, tmp_path):
    one = runs[WAYS[0]]
    stop_at = len(one["losses"]) - 1
    with pytest.raises(AssertionError, match="Stopped"):
        run("pmap", 4, 1, tmp_path / "saved", stop_at)
    for way in (("pmap", 1, 1), ("shard_map", 2, 1)):
        folder = tmp_path / f"{way[0]}{way[1]}"
        shutil.copytree(tmp_path / "saved", folder)
        again = run(*way, folder)
        assert again["from_step"] == len(one["losses"]) // 2
        np.testing.assert_allclose(again["losses"], one["losses"][again["from_step"] :], rtol=1e-5)
        np.testing.assert_allclose(again["objectives"], one["objectives"][1:], rtol=1e-5)
