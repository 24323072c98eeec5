"""UPOS tagging of a target language from taggers of other languages, by every approach.

python -m benchmarks.pos_transfer --encoder=DIR_OR_HUB --target=ca --languages=en,id,hi,fi,ru \
  --output=runs/ca

Reads DATA/pos/LANGUAGE/{train,test}.conllu, where DATA is the environment variable ZSL_DATA
(../shared/data by default). Every source tagger is trained once and kept under
OUTPUT/models, and its predictions under OUTPUT/predictions, so that a second call with other
settings (and --overwrite) starts from there. Prints the table of all approaches and writes it to
OUTPUT/result.json.
"""

import time
from pathlib import Path

from benchmarks import comparing
from launch import options
from launch.options import FLAGS

comparing.define_flags("ca", ["en", "id", "hi", "fi", "ru"])


def main() -> None:
    """Train the sources that are missing, then every approach; print the table."""
    from zsl_jax.workflows.comparison import prepare
    from zsl_jax.workflows.tagging import load_tagger

    started = time.monotonic()
    test_file = corpus(FLAGS.target, "test")
    files = [corpus(name) for name in [*FLAGS.languages, FLAGS.target]]
    run = comparing.open_run([*files, test_file])
    encoder = load_tagger(FLAGS.encoder)
    sources = comparing.trained_sources(encoder, run, corpus)
    corpora = (
        comparing.sample(corpus(FLAGS.target), FLAGS.max_sentences),
        comparing.sample(test_file, FLAGS.max_test_sentences),
    )
    cache = run.path / "predictions"
    experiment, test = prepare(encoder, sources, corpora, cache, options.train_config(), "pos")
    comparing.write_table(experiment, test, run, started)


def corpus(language: str, part: str = "train") -> Path:
    """A part of one of the corpora."""
    return comparing.DATA / "pos" / language / f"{part}.conllu"


if __name__ == "__main__":
    options.require("encoder", "output")
    options.run(main)
