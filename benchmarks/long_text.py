"""Measure memory and speed of launch.predict on a text of any size.

python -m benchmarks.long_text --gigabytes=1 [--model=DIR_OR_HUB] [--output=FILE.json]

A text of invented words, one sentence per line, with frequencies by Zipf's law, is generated and
piped to `launch.predict --text=-`; it is never stored as a whole. Without --model, a tiny random
tagger (two layers, hidden size 16) is used, so that the host's share of the work is larger:
reading, splitting into subwords, packing and writing. A tenth of the text is labelled first. The
peak of resident memory (of the process of launch.predict, as the kernel counts it) should be the
same in both runs; their difference gives the speed without start-up.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

from benchmarks.measuring import format_columns, machine
from launch import options
from launch.options import FLAGS

flags.DEFINE_float("gigabytes", 1.0, "Size of the text, in units of 10^9 bytes.", 0.0)
flags.DEFINE_string("labelled", None, "Path of the labelled text. Default: CoNLL, deleted.")
options.define("model", "output", "decode", "row_length", "seed")
NUM_WORDS = 50_000  # distinct words
LABELS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-ORG", "I-ORG")
SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprst" for vowel in "aeiou"]
SENTENCES_AT_ONCE = 10_000
LONGEST_SENTENCE = 40


def main() -> None:
    """Prints a table, and writes it as JSON if --output is given."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = FLAGS.model or str(write_tiny_tagger(folder / "tiny"))
        rows = [measure(model, size, folder) for size in (FLAGS.gigabytes / 10, FLAGS.gigabytes)]
    tenth, whole = rows
    more = {key: whole[key] - tenth[key] for key in ("words", "seconds", "cpu seconds")}
    for key in ("seconds", "cpu seconds"):
        whole[f"words / further {key[:-1]}"] = round(more["words"] / max(more[key], 0.1))
    print(format_columns([whole, tenth]))
    if FLAGS.output:
        report = {"model": FLAGS.model or "tiny", "machine": machine(), "rows": rows}
        Path(FLAGS.output).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def measure(model: str, gigabytes: float, folder: Path) -> dict[str, Any]:
    """Measures one run of launch.predict."""
    command = [
        sys.executable, "-m", "launch.predict", f"--model={model}", "--text=-", "--format=plain",
        f"--output={FLAGS.labelled or folder / 'labelled.conll'}", f"--decode={FLAGS.decode}",
        f"--row_length={FLAGS.row_length}",
    ]  # fmt: skip
    started = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.PIPE)
    assert process.stdin is not None
    num_bytes = num_words = 0
    for text, words in texts(FLAGS.seed):
        process.stdin.write(text)
        num_bytes += len(text)
        num_words += words
        if num_bytes >= gigabytes * 1e9:
            break
    process.stdin.close()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - started
    if status:
        sys.exit(f"launch.predict ended with status {os.waitstatus_to_exitcode(status)}")
    return {
        "gigabytes": round(num_bytes / 1e9, 4),
        "words": num_words,
        "seconds": round(seconds, 1),
        "words/s": round(num_words / seconds),
        "cpu seconds": round(usage.ru_utime + usage.ru_stime, 1),
        "peak MB": round(usage.ru_maxrss / 1024),
    }


def texts(seed: int) -> Iterator[tuple[bytes, int]]:
    """Yields blocks of an endless text, each with its number of words."""
    rng = np.random.default_rng(seed)
    vocabulary = np.array(invented_words(NUM_WORDS))
    shares = 1 / np.arange(1, NUM_WORDS + 1)
    ends = np.cumsum(shares / shares.sum())
    while True:
        lengths = rng.integers(1, LONGEST_SENTENCE, SENTENCES_AT_ONCE)
        ranks = np.searchsorted(ends, rng.random(lengths.sum())).clip(max=NUM_WORDS - 1)
        words = vocabulary[ranks].tolist()
        bounds = np.cumsum(lengths).tolist()
        lines = [" ".join(words[end - n : end]) for n, end in zip(lengths, bounds, strict=True)]
        yield ("\n".join(lines) + "\n").encode(), len(words)


def invented_words(count: int) -> list[str]:
    """Distinct words of one to five syllables; frequent words are short."""
    words = []
    for number in range(1, count + 1):
        word = ""
        while number:
            number, digit = divmod(number - 1, len(SYLLABLES))
            word += SYLLABLES[digit]
        words.append(word)
    return words


def write_tiny_tagger(folder: Path) -> Path:
    """Writes a random BERT tagger of two layers with the syllables of the invented words."""
    from tests.tiny_world import CONFIG, write_encoder
    from zsl_jax.labels import LabelSet
    from zsl_jax.workflows.loaded_tagger import load_tagger, save_tagger

    pieces = [*SYLLABLES, *(f"##{syllable}" for syllable in SYLLABLES)]
    start = load_tagger(write_encoder(folder.with_name("encoder"), pieces))
    kernel = np.random.default_rng(0).normal(size=(CONFIG["hidden_size"], len(LABELS)))
    head = {"kernel": kernel.astype(np.float32), "bias": np.zeros(len(LABELS), np.float32)}
    params = {**start.params, "classifier": head}
    save_tagger(folder, start._replace(params=params, label_set=LabelSet(LABELS)))
    return folder


if __name__ == "__main__":
    options.run(main)
