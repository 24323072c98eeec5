"""Measure what the host does for a long text besides training: CPU time and memory per word.

python -m benchmarks.host_stages --output=runs/host_stages.json

Generates a text and one source's probabilities as `benchmarks.transfer_memory` does, and calls the
stages of a process of launch.transfer one after the other, each once, in one thread. CPU seconds
of the process are counted, so that other programs on the machine matter little; bytes are those of
anonymous memory that are still there after the stage.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

from benchmarks import measuring
from benchmarks.transfer_memory import generate, vocabulary
from launch import options
from launch.options import FLAGS

flags.DEFINE_integer("batch_rows", 128, "Rows of a batch.", 1)
for name in ("sentences", "words_per_sentence", "num_labels", "folder"):
    flags.declare_key_flag(name)  # of transfer_memory
ROW_LENGTH = 64


def main() -> None:
    """Generates the files, measures, prints the table, and writes the figures."""
    from zsl_jax.io.json_file import write_json

    with tempfile.TemporaryDirectory(dir=FLAGS.folder) as name:
        lines = measure(Path(name))
    print(measuring.format_columns([_shown(line) for line in lines]))
    about = {"machine": measuring.machine(), "sentences": FLAGS.sentences}
    write_json(Path(FLAGS.output), {**about, "lines": lines})


def measure(folder: Path) -> list[dict[str, Any]]:
    """CPU seconds and bytes per word of every stage."""
    from tests.tiny_world import write_encoder
    from zsl_jax.data.batches.packing import PackedBatches
    from zsl_jax.data.batches.subwords import encode_words
    from zsl_jax.data.predictions.prediction_files import read_predictions
    from zsl_jax.data.predictions.same_words import check_words
    from zsl_jax.data.text.compact_text import CompactText
    from zsl_jax.data.text.readers import stream_sentences
    from zsl_jax.io.run_folder import file_hashes
    from zsl_jax.io.tokenizer import load_tokenizer

    FLAGS["num_sources"].value = 1
    text, (source,) = generate(FLAGS.sentences, folder)
    words = FLAGS.sentences * FLAGS.words_per_sentence
    tokenizer = load_tokenizer(write_encoder(folder / "encoder", vocabulary()), 1 << 20)
    lines: list[dict[str, Any]] = []

    def stage(name: str, run: Callable[[], Any]) -> Any:
        before, started = measuring.anonymous_memory(), time.process_time()
        result = run()
        seconds = time.process_time() - started
        grown = measuring.anonymous_memory() - before
        per_word = {"microseconds": 1e6 * seconds / words, "bytes": grown / words}
        lines.append({"stage": name, **per_word})
        return result

    stage("SHA-256 of text and predictions", lambda: file_hashes([text, source]))
    sentences = stage("text", lambda: CompactText.of(stream_sentences(text, with_labels=False)))
    made = stage("predictions", lambda: read_predictions(source, sentences, folder))
    stage("comparing words", lambda: check_words(made, sentences, str(source)))
    encode = lambda: encode_words(sentences.words, tokenizer, ROW_LENGTH)  # noqa: E731
    windows = stage("subwords", encode)
    rng = np.random.default_rng(0)
    plan = lambda: PackedBatches(windows, ROW_LENGTH, FLAGS.batch_rows, rng)  # noqa: E731
    batches = stage("plan of an epoch", plan)
    stage("batches of an epoch", lambda: _evidence_of(batches, made.probs))
    return lines


def _evidence_of(batches: Any, probs: np.ndarray) -> None:
    """Makes every batch, and looks its words' probabilities up."""
    for batch in batches:
        np.asarray(probs[np.maximum(batch.word_ids.reshape(-1), 0)])


def _shown(line: dict[str, Any]) -> dict[str, str]:
    return {
        "stage": line["stage"],
        "CPU µs per word": f"{line['microseconds']:.3f}",
        "bytes per word": f"{line['bytes']:.1f}",
    }


if __name__ == "__main__":
    options.require("output")
    options.run(main)
