"""Measure the memory for source predictions, evidence, log prior and Q of a long text.

python -m benchmarks.transfer_memory --output=runs/transfer_memory.json

Generates a text, the sources' probabilities for it (Parquet), and a random encoder that is too
small to matter; runs launch.transfer on them in a process of its own, and again on a text of
--small_sentences. The difference of the two peaks is what grows with the text, since encoder,
optimiser, libraries and compiled programs are in both. The peak includes pages of mapped files,
although the system can reclaim them; the anonymous peak excludes them. Seconds and memory of each
stage are those of `benchmarks.staged_transfer`.
"""

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

from benchmarks import measuring
from launch import options
from launch.options import FLAGS

options.define("output", "rounds", "batch_words", "row_length")
flags.DEFINE_integer("sentences", 100_000, "Sentences of the text.", 1)
flags.DEFINE_integer("small_sentences", 500, "Sentences of the small text.", 1)
flags.DEFINE_integer("words_per_sentence", 21, "Words of each sentence.", 1)
flags.DEFINE_integer("num_sources", 5, "Number of sources, all with probabilities.", 1)
flags.DEFINE_integer("num_labels", 17, "Number of labels.", 2)
flags.DEFINE_enum("label_model", "chain", ["paper", "chain"], "Label model of the transfer.")
flags.DEFINE_string("folder", None, "Parent of the generated files (default: a temporary folder).")
VOCABULARY = 20_000
BLOCK = 4_096
DISTINCT = 1 << 16  # distinct rows of probabilities per source

Line = dict[str, Any]


def main() -> None:
    """Generates the files, runs both sizes, prints the table, and writes the figures."""
    from tests.tiny_world import write_encoder
    from zsl_jax.io.json_file import write_json

    machine = measuring.machine()
    with tempfile.TemporaryDirectory(dir=FLAGS.folder) as name:
        encoder = write_encoder(Path(name, "encoder"), vocabulary())
        sizes = (FLAGS.small_sentences, FLAGS.sentences)
        lines = [transfer(count, encoder, Path(name, str(count))) for count in sizes]
    names = ("peak", "anonymous")
    grown = {name: lines[1][name] - lines[0][name] for name in names}
    print(measuring.format_columns([_shown(line) for line in lines]))
    print(measuring.format_columns([_shown_stage(stage) for stage in lines[1]["stages"]]))
    print("the longer text needs " + ", ".join(f"{k} {v / 1e6:.0f} MB" for k, v in grown.items()))
    write_json(Path(FLAGS.output), {"machine": machine, "lines": lines, "grown": grown})


def vocabulary() -> list[str]:
    """Distinct words."""
    return [f"w{number}" for number in range(VOCABULARY)]


def transfer(count: int, encoder: Path, folder: Path) -> Line:
    """Seconds and bytes of a transfer on that many sentences."""
    folder.mkdir(parents=True)
    text, sources = generate(count, folder)
    command = [sys.executable, "-m", "benchmarks.staged_transfer", f"--stages={folder / 'stages'}"]
    command += [f"--encoder={encoder}", f"--text={text}", f"--label_model={FLAGS.label_model}"]
    command += [f"--source={source.stem}={source}" for source in sources]
    command += [f"--{name}={FLAGS[name].value}" for name in ("rounds", "batch_words", "row_length")]
    run = measuring.run_program([*command, f"--output={folder / 'model'}"])
    about = {"sentences": count, "words": count * FLAGS.words_per_sentence}
    return {**about, **run._asdict(), **json.loads((folder / "stages").read_text())}


def generate(count: int, folder: Path) -> tuple[Path, list[Path]]:
    """Writes a text in CoNLL columns, and one Parquet file per source."""
    from zsl_jax.data.predictions.parquet_writer import write_prediction_blocks

    words = np.array(vocabulary())
    ids = np.random.default_rng(0).integers(0, VOCABULARY, (count, FLAGS.words_per_sentence))
    text = folder / "text.conll"
    with open(text, "w", encoding="utf-8") as file:
        file.writelines("\n".join(sentence) + "\n\n" for sentence in words[ids])
    names = tuple(f"L{label:02}" for label in range(FLAGS.num_labels))
    sources = [folder / f"s{number}.parquet" for number in range(FLAGS.num_sources)]
    for number, path in enumerate(sources):
        write_prediction_blocks(path, names, predicted(words[ids], names, number))
    return text, sources


def predicted(text: np.ndarray, names: tuple[str, ...], seed: int) -> Iterator:
    """Probabilities of one source for the words [sentences, words], block by block."""
    from zsl_jax.data.predictions.source_predictions import SourcePredictions

    rng = np.random.default_rng((1, seed))
    logits = rng.normal(0, 3, (DISTINCT, len(names)))
    probs = np.exp(logits - logits.max(axis=1, keepdims=True))
    table = (probs / probs.sum(axis=1, keepdims=True)).astype(np.float16)
    best = table.argmax(axis=1).astype(np.int32)
    for start in range(0, len(text), BLOCK):
        block = text[start : start + BLOCK]
        rows = rng.integers(0, DISTINCT, block.size)
        sentences = [tuple(sentence) for sentence in block.tolist()]
        yield SourcePredictions(names, best[rows], table[rows], sentences)


def _shown(line: Line) -> dict[str, str]:
    return {
        "sentences": str(line["sentences"]),
        "words": str(line["words"]),
        "seconds": f"{line['seconds']:.1f}",
        "peak MB": f"{line['peak'] / 1e6:.0f}",
        "anonymous MB": f"{line['anonymous'] / 1e6:.0f}",
    }


def _shown_stage(stage: Line) -> dict[str, str]:
    return {
        "stage": stage["stage"],
        "seconds": f"{stage['seconds']:.1f}",
        "CPU seconds": f"{stage['cpu_seconds']:.1f}",
        "anonymous MB": f"{stage['anonymous'] / 1e6:.0f}",
        "mapped MB": f"{stage['mapped'] / 1e6:.0f}",
    }


if __name__ == "__main__":
    for flag, value in {"rounds": 1, "batch_words": 8192, "row_length": 64}.items():
        FLAGS.set_default(flag, value)
    options.require("output")
    options.run(main)
