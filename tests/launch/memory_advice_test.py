import subprocess
import sys

import jax
import numpy as np
import pytest

from launch.memory_advice import memory_advice

TRAINING = {"batch_words", "accumulate", "remat", "max_sentences", "shards"}
PROGRAM = """
from absl import flags
from launch import options
flags.DEFINE_integer("batch_words", 1, "")
def main():
    raise {error}
options.run(main)
"""


def test_a_full_device_names_the_flags_that_need_less():
    error = jax.errors.JaxRuntimeError(
        "RESOURCE_EXHAUSTED: Out of memory allocating 9 bytes.\nMore"
    )
    assert memory_advice(error, TRAINING) == (
        "the device has too little memory (RESOURCE_EXHAUSTED: Out of memory allocating 9 bytes.); "
        "try a smaller --batch_words, a larger --accumulate, --remat=all; see docs/gpu.md#memory"
    )
    assert "try a machine with more memory" in (memory_advice(error, set()) or "")


def test_full_memory_of_the_machine():
    with pytest.raises(MemoryError) as caught:
        np.zeros(2**62, np.uint8)
    advice = memory_advice(caught.value, TRAINING) or ""
    assert advice.startswith("this machine has too little memory (Unable to allocate 4.00 EiB")
    assert "try --max_sentences, more processes (--shards)" in advice


@pytest.mark.parametrize("error", [RuntimeError("other"), ValueError("RESOURCE_EXHAUSTED")])
def test_other_errors_are_not_about_memory(error):
    assert memory_advice(error, TRAINING) is None


@pytest.mark.parametrize(
    ("error", "first_line"),
    [
        ("MemoryError()", "error: this machine has too little memory (MemoryError); try a machine"),
        ("RuntimeError('RESOURCE_EXHAUSTED: x')", "try a smaller --batch_words; see docs/gpu.md"),
        ("RuntimeError('other')", "Traceback"),
    ],
)
def test_a_program_ends_with_status_1_and_one_sentence(error, first_line):
    command = [sys.executable, "-c", PROGRAM.format(error=error)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 1
    assert first_line in done.stderr
    assert (len(done.stderr.splitlines()) == 1) == (error != "RuntimeError('other')")
