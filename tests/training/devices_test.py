"""One device, several by pmap, several by shard_map: the same losses, gradients and parameters."""

import json
import shutil

import numpy as np
import pytest

from tests.programs import start

# Partition, devices, and parts that each device divides its rows into.
WAYS = [("pmap", 1, 1), ("pmap", 2, 3), ("pmap", 4, 1), ("shard_map", 2, 2), ("shard_map", 4, 1)]


def run(*runs):
    """Results of several runs in one process, since fake devices are made before JAX starts."""
    done = start("tests.training.device_runs", json.dumps(runs)).finish()
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def runs():
    return dict(zip(WAYS, run(*WAYS), strict=True))


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
    ways = [
        (*WAYS[0], 1),
        ("pmap", 2, 1, 1),
        ("shard_map", 2, 1, 1),
        (*WAYS[0], 0),
        ("pmap", 2, 1, 0),
    ]
    results = run(*ways)
    for one, *several in (results[:3], results[3:]):
        for many in several:
            assert many["rows"] % 2 == 0 and len(many["losses"]) == len(one["losses"]) > 10
            for what in ("losses", "gradient_norms", "objectives"):
                np.testing.assert_allclose(many[what], one[what], rtol=1e-5)


def test_a_run_saved_on_four_devices_resumes_on_one_and_on_two(runs, tmp_path):
    one = runs[WAYS[0]]
    stop_at = len(one["losses"]) - 1
    with pytest.raises(AssertionError, match="Stopped"):
        run(("pmap", 4, 1, None, str(tmp_path / "saved"), stop_at))
    folders = [tmp_path / "on one", tmp_path / "on two"]
    for folder in folders:
        shutil.copytree(tmp_path / "saved", folder)
    ways = (("pmap", 1, 1), ("shard_map", 2, 1))
    for again in run(*((*way, None, str(f)) for way, f in zip(ways, folders, strict=True))):
        assert again["from_step"] == len(one["losses"]) // 2
        np.testing.assert_allclose(again["losses"], one["losses"][again["from_step"] :], rtol=1e-5)
        np.testing.assert_allclose(again["objectives"], one["objectives"][1:], rtol=1e-5)
