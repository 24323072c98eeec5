"""The loop resumes from any state as if it had never stopped."""

import dataclasses
import shutil

import jax
import numpy as np
import pytest

from tests.training.examples import ENCODER, K, packed_text, starting_params
from zsl_jax.errors import InputError
from zsl_jax.training import loop, setup
from zsl_jax.training.checkpoints import Checkpoints, Saver
from zsl_jax.training.config import LabelModelConfig, OptimizerConfig, TransferConfig
from zsl_jax.training.config_choices import Approach, LabelModelKind
from zsl_jax.training.confusion_matrices import Sources
from zsl_jax.training.devices import Devices, all_devices
from zsl_jax.training.hooks import Hooks
from zsl_jax.training.paper_rounds import PaperModel
from zsl_jax.workflows.corpus_batches import training_corpus

U = 2
TEXT = packed_text(12)
RNG = np.random.default_rng(0)
VOTES = RNG.dirichlet(np.ones(K), (TEXT.num_words, U)).astype(np.float32)
LOGITS = RNG.normal(size=(U, K, K)).astype(np.float32)
LOG_FIXED = np.log(np.tile(np.full((K, K), 0.1) + 0.7 * np.eye(K), (U, 1, 1))).astype(np.float32)
LABELS = ("A", "B", "C")


class Stopped(Exception):
    """The process is gone."""


class Run:
    """A training whose states are saved, and which can be made to stop after any update."""

    def __init__(self, folder, every_steps=None, stop_at=None, **changes):
        optimizer = OptimizerConfig(learning_rate=1e-2, head_learning_rate=1e-2)
        label_model = LabelModelConfig(
            LabelModelKind.PAPER, confusion_learning_rate=1e-1, **changes
        )
        self.config = TransferConfig(
            approach=Approach.LVM, rounds=2, epochs=2, batch_words=20, dropout=0.5,
            optimizer=optimizer, label_model=label_model,
        )  # fmt: skip
        self.lines, self.stop_at = [], stop_at
        first = setup.init_state(starting_params(), LOGITS, self.config)
        devices = all_devices()
        self.checkpoints = Checkpoints(folder, devices, first, LABELS)
        saver = Saver(self.checkpoints, every_steps)
        hooks = Hooks(
            on_step=self.on_step, on_round=self.on_round,
            wants_state=saver.wants_state, keep=saver.keep,
        )  # fmt: skip
        corpus = training_corpus([TEXT], self.config, 16, devices)
        settings = setup.step_settings(self.config, ENCODER, K)
        self.training = setup.Training(self.config, settings, devices, corpus, hooks)

    def on_step(self, record):
        if record.step == self.stop_at:
            raise Stopped
        self.lines.append(("step", record.step, record.loss))

    def on_round(self, record):
        if ("round", record.round) == self.stop_at:
            raise Stopped
        expectation = record.expectation
        self.lines.append(("round", record.round, expectation.objective, expectation.bound))

    def finish(self):
        start = self.checkpoints.start()
        state, _, result = loop.expectation_maximization(
            self.training, start, PaperModel(Sources(VOTES, LOG_FIXED, LOGITS))
        )
        self.checkpoints.close()
        return state, result, start.progress


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    run = Run(tmp_path_factory.mktemp("whole"))
    return *run.finish()[:2], run.lines


@pytest.mark.parametrize(
    ("every_steps", "stop_at", "resumes_from"),
    [
        *((None, stop, step) for stop, step in [(5, 0), (("round", 1), 6), (10, 6)]),
        *((3, stop, step) for stop, step in [(2, 0), (5, 3), (10, 9), (("round", 2), 12)]),
    ],
)
def test_a_stopped_run_ends_like_one_that_was_not(
    tmp_path, whole, every_steps, stop_at, resumes_from
):
    first = Run(tmp_path, every_steps, stop_at)
    with pytest.raises(Stopped):
        first.finish()
    first.checkpoints.close()
    second = Run(tmp_path, every_steps)
    state, result, progress = second.finish()
    assert progress.step == resumes_from
    assert second.lines == whole[2][-len(second.lines) :]
    np.testing.assert_array_equal(result.posterior, whole[1].posterior)
    np.testing.assert_array_equal(state.confusion_logits, whole[0].confusion_logits)
    for name in ("kernel", "bias"):
        old, new = (s.params["classifier"][name] for s in (whole[0], state))
        np.testing.assert_array_equal(new, old)


def test_closed_form_resumes_with_the_same_numbers(tmp_path):
    changes = {"confusion_update": "closed_form"}
    expected = Run(tmp_path / "whole", **changes).finish()[0]
    with pytest.raises(Stopped):
        first = Run(tmp_path / "run", 3, 11, **changes)
        first.finish()
    first.checkpoints.close()
    state = Run(tmp_path / "run", 3, **changes).finish()[0]
    np.testing.assert_array_equal(state.confusion_logits, expected.confusion_logits)


def kept_in(folder):
    return sorted(int(path.name) for path in folder.glob("[0-9]*"))


def test_the_latest_state_and_the_one_that_the_last_e_step_saw_are_kept(tmp_path, monkeypatch):
    objectives, e_step = iter([3.0, 1.0, 2.0, 2.0]), PaperModel.e_step
    monkeypatch.setattr(
        PaperModel,
        "e_step",
        lambda *values: e_step(*values)._replace(objective=next(objectives)),
    )
    run = Run(tmp_path, every_steps=1)
    config = dataclasses.replace(run.config, rounds=3, epochs=1)
    run.training = run.training._replace(config=config)
    run.finish()
    updates = len([line for line in run.lines if line[0] == "step"])
    assert updates % 3 == 0 and kept_in(tmp_path) == [updates * 2 // 3, updates]


def test_a_run_resumes_from_a_folder_with_more_states(tmp_path, whole, monkeypatch):
    with monkeypatch.context() as patched, pytest.raises(Stopped):
        keep_all = lambda self, found, *, context: [True for _ in found]  # noqa: E731
        patched.setattr(Checkpoints, "should_preserve", keep_all)
        first = Run(tmp_path, 3, 10)
        first.finish()
    first.checkpoints.close()
    assert kept_in(tmp_path) == [3, 6, 9]
    second = Run(tmp_path, 3)
    state, _, progress = second.finish()
    assert progress.step == 9 and kept_in(tmp_path) == [6, 12]
    assert second.lines == whole[2][-len(second.lines) :]
    np.testing.assert_array_equal(state.confusion_logits, whole[0].confusion_logits)


def test_a_damaged_checkpoint_is_named_and_the_one_before_it_still_loads(tmp_path):
    run = Run(tmp_path)
    run.finish()
    *_, before, latest = sorted(tmp_path.glob("[0-9]*"), key=lambda folder: int(folder.name))
    for file in latest.rglob("d/*"):
        file.write_bytes(file.read_bytes()[:10])
    with pytest.raises(InputError, match=rf"{latest} cannot be read: delete this folder"):
        Run(tmp_path).finish()
    for file in sorted(latest.rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    latest.rmdir()
    assert Run(tmp_path).checkpoints.start().progress.step == int(before.name)


@pytest.mark.parametrize("every_steps", [None, 2])
def test_without_the_latest_checkpoint_a_later_round_resumes_too(tmp_path, every_steps):
    def run(folder, stop_at=None):
        made = Run(folder, every_steps, stop_at)
        config = dataclasses.replace(made.config, rounds=3, epochs=1)
        made.training = made.training._replace(config=config)
        return made

    expected, result, _ = run(tmp_path / "whole").finish()
    first = run(tmp_path / "run", ("round", 3))
    with pytest.raises(Stopped):
        first.finish()
    first.checkpoints.close()
    before, latest = kept_in(tmp_path / "run")
    assert before == latest * 2 // 3
    shutil.rmtree(tmp_path / "run" / str(latest))
    state, again, progress = run(tmp_path / "run").finish()
    assert progress.step == before
    np.testing.assert_array_equal(again.posterior, result.posterior)
    np.testing.assert_array_equal(state.confusion_logits, expected.confusion_logits)


def test_flipped_bits_are_found_wherever_they_matter(tmp_path):
    run = Run(tmp_path, every_steps=2, stop_at=5)
    with pytest.raises(Stopped):
        run.finish()
    run.checkpoints.close()

    def start():
        checkpoints = Run(tmp_path).checkpoints
        try:
            return checkpoints.start()
        finally:
            checkpoints.close()

    expected, found = start(), 0
    files = [*tmp_path.glob("*/state/**/*"), *tmp_path.glob("*/progress/meta*")]
    for file in sorted(path for path in files if path.is_file()):
        good = file.read_bytes()
        flipped = bytearray(good)
        for place in range(len(good) // 8, len(good), 61):  # some parts of a file are never read
            flipped[place] ^= 1
        file.write_bytes(flipped)
        try:
            started = start()
        except InputError as error:
            assert "delete this folder" in str(error)
            found += 1
        else:
            assert started.progress == expected.progress
            jax.tree.map(np.testing.assert_array_equal, started.state, expected.state)
        file.write_bytes(good)
    assert found >= 2  # the values, and how far the training is


def test_other_labels_are_refused(tmp_path):
    run = Run(tmp_path)
    run.finish()
    first = setup.init_state(starting_params(), LOGITS, run.config)
    other = Checkpoints(tmp_path, all_devices(), first, ("A", "B", "X"))
    with pytest.raises(InputError, match="other labels"):
        other.start()


def test_an_unfinished_save_is_swept(tmp_path):
    Run(tmp_path).finish()
    unfinished = tmp_path / "99.orbax-checkpoint-tmp"
    unfinished.mkdir()
    Run(tmp_path).finish()
    assert not unfinished.exists()


def test_a_state_that_is_saved_already_is_not_fetched_again(tmp_path, monkeypatch):
    run = Run(tmp_path, every_steps=3, stop_at=5)
    with pytest.raises(Stopped):
        run.finish()
    run.checkpoints.close()
    again = Run(tmp_path).checkpoints
    start = again.start()
    assert start.progress.step == 3
    monkeypatch.setattr(Devices, "fetch", lambda self, state: pytest.fail("fetched"))
    again.save(start.state, start.progress)
    again.close()


def test_it_stops_early_when_j_has_not_fallen(tmp_path, monkeypatch):
    objectives, e_step = iter([3.0, 2.0, 2.0, 1.0]), PaperModel.e_step
    monkeypatch.setattr(
        PaperModel,
        "e_step",
        lambda *values: e_step(*values)._replace(objective=next(objectives)),
    )
    run = Run(tmp_path)
    config = dataclasses.replace(run.config, rounds=3, epochs=1, stop_early=True)
    run.training = run.training._replace(config=config)
    run.finish()
    assert [line[1] for line in run.lines if line[0] == "round"] == [0, 1, 2]
