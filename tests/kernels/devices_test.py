"""Kernels give the same on four virtual devices as on one, in one process for all of them."""

import json
import os

import pytest

from tests.kernels import four_devices
from tests.programs import start

NAMES = [*four_devices.CASES, "dawid_skene by pmap", "dawid_skene of own words"]


@pytest.fixture(scope="module")
def differences():
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=4"
    done = start("tests.kernels.four_devices", XLA_FLAGS=flags).finish()
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", NAMES)
def test_four_devices_give_what_one_gives(differences, name):
    assert differences[name] < 2e-5
