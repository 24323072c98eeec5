"""Tests of zsl_jax.io.tensorboard: a run's numbers are in TensorBoard's event files."""

import struct
import time

import numpy as np
import pytest
from tensorboardX.proto.event_pb2 import Event

from zsl_jax.errors import InputError
from zsl_jax.io import tensorboard
from zsl_jax.io.run_folder import RunSpec, create_run_folder


def values(folder):
    """(tag, step) → value of all event files of a folder, as TensorBoard reads records."""
    found = {}
    for path in sorted(folder.glob("events.*")):
        data = path.read_bytes()
        while data:
            (length,) = struct.unpack("<Q", data[:8])
            event = Event.FromString(data[12 : 12 + length])
            data = data[16 + length :]
            if event.session_log.status == event.session_log.START:
                found = {key: value for key, value in found.items() if key[1] < event.step}
            for value in event.summary.value:
                found[value.tag, event.step] = value.simple_value
    return found


def write(folder, output, steps, rounds=(), **how):
    run = create_run_folder(output, RunSpec({}, 0), tensorboard=folder, **how)
    with run.held():
        for step in steps:
            run.append_metrics(kind="step", run="lvm soft", step=step, loss=1 / step, words=60)
        for number in rounds:
            run.append_metrics(
                kind="round", run="lvm soft", round=number, objective=2.5, bound=float("nan"),
                agreement={"en": 0.75}, confusion_diagonal={"en": np.array([0.25, 0.75])},
            )  # fmt: skip
        run.append_metrics(kind="dev", run="lvm soft", epoch=1, scores={"score": 0.5, "f1": {}})
        run.append_metrics(kind="resumed", run="lvm soft", step=2)


def test_steps_rounds_and_epochs_have_folders_of_their_own(tmp_path):
    write(tmp_path / "tb", tmp_path / "run", [1, 2], [0, 1])
    assert values(tmp_path / "tb/lvm_soft") == {("loss", 1): 1, ("loss", 2): 0.5}
    tags = {"objective": 2.5, "agreement/en": 0.75, "confusion_diagonal/en": 0.5}
    expected = {(tag, step): value for tag, value in tags.items() for step in (0, 1)}
    assert values(tmp_path / "tb/lvm_soft/rounds") == expected
    assert values(tmp_path / "tb/lvm_soft/epochs") == {("score", 1): 0.5}


def test_a_resumed_run_replaces_what_followed_its_checkpoint(tmp_path):
    write(tmp_path / "tb", tmp_path / "run", [1, 2, 4, 8])
    time.sleep(1)  # event files are named by the second
    write(tmp_path / "tb", tmp_path / "run", [4, 5])
    steps = {step for _, step in values(tmp_path / "tb/lvm_soft")}
    assert steps == {1, 2, 4, 5}


def test_a_folder_or_package_that_is_missing_is_refused_before_anything_is_written(
    tmp_path, monkeypatch
):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"file cannot be written .*; give another fold"):
        write(tmp_path / "file", tmp_path / "run", [])
    monkeypatch.setattr(tensorboard.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'zsl_jax\[tensorboard\]'"):
        write(tmp_path / "tb", tmp_path / "run", [])
    assert not (tmp_path / "run").exists()


def test_tags_have_no_characters_that_tensorboard_would_replace_with_a_message():
    line = {"kind": "round", "run": "lvm", "round": 1, "agreement": {"my model (v2)": 0.75}}
    assert tensorboard.scalars(line).values == {"agreement/my_model_v2_": 0.75}
