"""Size of the page about a run, and the time that it takes, for a text of random votes.

python -m benchmarks.report_page --words=100000 --sources=16 --labels=60
"""

import tempfile
import time
from pathlib import Path

import numpy as np
from absl import app, flags

from benchmarks.synthetic_run import write_run
from zsl_jax.report import write_report

FLAGS = flags.FLAGS
flags.DEFINE_integer("words", 100_000, "Words of the text.", 1)
flags.DEFINE_integer("sources", 16, "Sources.", 1)
flags.DEFINE_integer("labels", 60, "Labels.", 2)


def sentences(num_words: int, seed: int = 0) -> list[list[str]]:
    """Sentences of 5 to 34 words out of three thousand."""
    rng = np.random.default_rng(seed)
    words = [f"word{number}" for number in rng.integers(0, 3000, num_words).tolist()]
    ends = np.cumsum(rng.integers(5, 35, num_words // 5 + 1))
    return [part.tolist() for part in np.split(np.array(words), ends[ends < num_words])]


def main(argv: list[str]) -> None:
    """Writes the folder and the page, and prints what was measured."""
    with tempfile.TemporaryDirectory() as folder:
        label_names = [f"L{number:02d}" for number in range(FLAGS.labels)]
        source_names = [f"source {number}" for number in range(FLAGS.sources)]
        run = write_run(Path(folder) / "run", sentences(FLAGS.words), label_names, source_names)
        started, processor = time.monotonic(), time.process_time()
        size = write_report(run, run / "report.html")
        took = time.monotonic() - started, time.process_time() - processor
    print(
        f"{FLAGS.words:,} words, {FLAGS.sources} sources, {FLAGS.labels} labels: "
        f"{size / 1e6:.2f} MB in {took[0]:.1f} s ({took[1]:.1f} s of one processor)"
    )


if __name__ == "__main__":
    app.run(main)
