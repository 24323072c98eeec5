"""Train a target tagger from sources' predictions for unlabelled text.

python -m launch.transfer --encoder=DIR_OR_HUB --text=FILE --source=NAME=PATH ... --output=DIR
"""

import dataclasses
from pathlib import Path

from launch import inputs, options
from launch.options import FLAGS

options.define("encoder", "text", "source", "test", "test_source", "output", "overwrite")
options.define("column", "task", "max_sentences", "max_test_sentences")
options.define(*options.TRANSFER, *options.TRAINING)
options.define_epochs(1, "Passes over the text in one round.")


def main() -> None:
    """Gather the sources, train, write the model folder and σ, then read --test for the table."""
    from zsl_jax.io.run_folder import create_run_folder
    from zsl_jax.workflows import experiment as experiments
    from zsl_jax.workflows.sources import parse_sources
    from zsl_jax.workflows.table import format_table
    from zsl_jax.workflows.tagging import load_tagger, save_tagger

    config = options.train_config()
    sources = parse_sources(FLAGS.source)
    test_sources = parse_sources(FLAGS.test_source, "--test_source")
    inputs.check_transfer(sources, test_sources)
    text = inputs.read_unlabelled("text", FLAGS.max_sentences)
    start = load_tagger(sources[0].path if FLAGS.approach == "direct" else FLAGS.encoder)
    run = create_run_folder(
        FLAGS.output, inputs.flag_values(), FLAGS.seed, inputs.data_files(), FLAGS.overwrite
    )
    cache = Path(FLAGS.output) / "sources"
    found = experiments.predictions_of(sources, text, cache, config.row_length)
    experiment = experiments.prepare_experiment(start, text, found, config.row_length)
    config = dataclasses.replace(
        config, label_model=options.label_model_config(experiment.scheme.size)
    )
    done = experiments.run_approach(experiment, config, run, config.approach)
    save_tagger(FLAGS.output, done.tagger)
    if done.log_confusion is not None:
        experiments.save_sources(FLAGS.output, experiment, done, config)
    report = experiments.source_report(experiment, done)
    if report is not None:
        print(report.text)
    rows = []
    if FLAGS.test:
        gold = inputs.read_labelled("test", FLAGS.max_test_sentences)
        models = [source for source in sources if not source.is_file]
        found = experiments.predictions_of(models + test_sources, gold, cache, config.row_length)
        test = experiments.prepare_test(experiment, gold, found, FLAGS.task)
        rows = experiments.baselines(experiment, test)
        rows += experiments.approach_rows(experiment, done, test, config, config.approach)
        print(format_table(rows))
    run.write_result({"rows": [row._asdict() for row in rows], **inputs.compiled()})
    print(f"model folder: {FLAGS.output}")


if __name__ == "__main__":
    options.require("text", "output")
    options.run(main)
