"""Tests of benchmarks.accelerator with a tiny encoder on the CPU."""

import json
import subprocess
import sys

import numpy as np
import pytest

from benchmarks import accelerator_ours, random_text
from benchmarks.measuring import speed_of, useful_flops


def test_the_table_has_every_stage_and_what_did_not_fit_is_listed(tmp_path):
    command = [
        sys.executable, "-m", "benchmarks.accelerator", "--shapes=tiny,none", "--seconds=0.1",
        "--text_sentences=64", "--batch_words=128", "--matmul_size=64", "--accumulate=2",
        f"--output={tmp_path / 'figures.json'}",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "figures.json").read_text())
    ours = [row for row in figures["rows"] if row["program"] == "ours"]
    assert [row["stage"] for row in ours] == ["M step", "E step", "annotate, predict"]
    assert all(row["words/s"] > 0 and row["shape"] == "tiny" for row in figures["rows"])
    assert figures["matmul_peak"] > 0 and "cpu" in figures["device"]
    assert "none, ours: not measured" in done.stdout


def test_a_budget_that_is_used_up_ends_the_measurements():
    command = [sys.executable, "-m", "benchmarks.accelerator", "--shapes=xlm-r-large", "--budget=1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 2 and "the time of 1 s is used up" in done.stderr
    assert "Traceback" not in done.stderr


def test_random_text_has_one_place_for_every_word_and_real_lengths():
    windows = random_text.random_windows(2000, 500, 0)
    placed = windows.word_ids[windows.word_ids >= 0]
    np.testing.assert_array_equal(placed, np.arange(windows.num_words))
    assert (windows.word_ids[windows.offsets[:-1]] >= 0).all()
    assert windows.lengths.min() >= 3 and windows.lengths.max() <= random_text.LONGEST
    assert 16 < np.median(windows.lengths) < 20
    assert windows.token_ids.min() >= 5 and windows.token_ids.max() < 500


def test_speed_counts_words_and_flops_of_all_calls_but_the_first():
    calls = []
    speed = speed_of("stage", lambda: calls.append(1) or 7, 0.01, flops_per_word=3.0)
    assert len(calls) > 2 and speed.flops_per_second == 3 * speed.words_per_second


def test_useful_flops_of_one_layer_by_hand():
    encoder = random_text.SHAPES["tiny"]
    weights = 2 * (4 * 32 * 32 + 2 * 32 * 64)
    expected = 6 * weights * 7 + 12 * 2 * 32 * (3 * 3 + 4 * 4)
    assert useful_flops(encoder, np.array([3, 4])) == expected


@pytest.mark.parametrize("shape", random_text.SHAPES)
def test_shapes_are_those_of_the_models(shape):
    millions = {"tiny": 0.02, "e5-small": 21.3, "xlm-r-base": 85.1, "xlm-r-large": 302.3}
    config = random_text.SHAPES[shape]
    hidden, inner = config.hidden_size, config.intermediate_size
    layer = 4 * (hidden**2 + hidden) + 2 * hidden * inner + inner + 5 * hidden
    assert round(config.num_layers * layer / 1e6, 1 + (shape == "tiny")) == millions[shape]


def test_the_peak_is_that_of_large_products():
    assert accelerator_ours.matmul_peak(256, "float32", 0.1) > 1e8
