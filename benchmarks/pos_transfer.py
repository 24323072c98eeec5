"""UPOS tagging of a target language from taggers of other languages, by every approach.

python -m benchmarks.pos_transfer --encoder=DIR_OR_HUB --target=ca --languages=en,id,hi,fi,ru \
  --output=runs/ca

Reads DATA/pos/LANGUAGE/{train,test}.conllu, where DATA is the environment variable ZSL_DATA
(../shared/data by default). Every source tagger is trained once and kept under
OUTPUT/models, and its predictions under OUTPUT/predictions, so that a second call with other
settings (and --overwrite) starts from there. Prints the table of all approaches and writes it to
OUTPUT/result.json.
"""

import dataclasses
import os
import time
from pathlib import Path

from absl import flags

from launch import inputs, options
from launch.options import FLAGS

options.define("encoder", "output", "overwrite", "rounds", "confusion_learning_rate")
options.define("max_sentences", "max_test_sentences", *options.TRAINING)
options.define_epochs(3, "Passes over each source's training text.")
flags.DEFINE_string("target", "ca", "Language of the text.")
flags.DEFINE_list("languages", ["en", "id", "hi", "fi", "ru"], "Languages of the sources.")
flags.DEFINE_list("approaches", None, "Approaches of the table (default: all).")
flags.DEFINE_float("transfer_learning_rate", None, "Learning rate of the target tagger.")
flags.DEFINE_integer("transfer_batch_words", None, "Words in an update of the target tagger.")
OWN_FLAGS = "target languages approaches transfer_learning_rate transfer_batch_words".split()
DATA = Path(os.environ.get("ZSL_DATA", "../shared/data")) / "pos"


def main() -> None:
    """Train the sources that are missing, then every approach; print the table."""
    from zsl_jax.io.run_folder import create_run_folder
    from zsl_jax.workflows import experiment as experiments
    from zsl_jax.workflows.comparison import VARIANTS, compare, prepare
    from zsl_jax.workflows.sources import Source
    from zsl_jax.workflows.table import format_table
    from zsl_jax.workflows.tagging import load_tagger

    started = time.monotonic()
    inputs.watch_compilations()
    config = options.train_config()
    files = [DATA / name / "train.conllu" for name in [*FLAGS.languages, FLAGS.target]]
    files.append(DATA / FLAGS.target / "test.conllu")
    own = {name: FLAGS[name].value for name in OWN_FLAGS}
    run = create_run_folder(FLAGS.output, inputs.record(files, **own), FLAGS.overwrite)
    encoder = load_tagger(FLAGS.encoder)
    sources = [Source(name, str(run.path / "models" / name)) for name in FLAGS.languages]
    for source in sources:
        if not (Path(source.path) / "config.json").exists():
            sentences = sample(source.name, "train", FLAGS.max_sentences)
            experiments.train_source(encoder, source, sentences, config, run)
    cache = run.path / "predictions"
    corpora = (
        sample(FLAGS.target, "train", FLAGS.max_sentences),
        sample(FLAGS.target, "test", FLAGS.max_test_sentences),
    )
    experiment, test = prepare(encoder, sources, corpora, cache, config, "pos")
    rows = experiments.baselines(experiment, test)
    print(format_table(rows), flush=True)
    rate = FLAGS.transfer_learning_rate or FLAGS.learning_rate
    optimizer = dataclasses.replace(
        config.optimizer,
        learning_rate=rate,
        confusion_learning_rate=FLAGS.confusion_learning_rate,
    )
    config = dataclasses.replace(
        config,
        rounds=FLAGS.rounds,
        epochs=1,
        batch_words=FLAGS.transfer_batch_words or FLAGS.batch_words,
        optimizer=optimizer,
    )
    for compared in compare(experiment, test, config, run, FLAGS.approaches or list(VARIANTS)):
        rows += compared.rows
        print(format_table(compared.rows), flush=True)
    print(format_table(rows))
    seconds = round(time.monotonic() - started, 1)
    run.write_result(
        {"rows": [row._asdict() for row in rows], "seconds": seconds, **inputs.compiled()}
    )


def sample(language: str, part: str, count: int):
    """Random sentences of one of the corpora."""
    from zsl_jax.data.readers import read_sentences
    from zsl_jax.data.sampling import sample_sentences

    return sample_sentences(read_sentences(DATA / language / f"{part}.conllu"), count, FLAGS.seed)


if __name__ == "__main__":
    options.require("encoder", "output")
    options.run(main)
