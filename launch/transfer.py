"""Train a target tagger from sources' predictions for unlabelled text.

python -m launch.transfer --encoder=DIR_OR_HUB --text=FILE --source=NAME=PATH ... --output=DIR

The folder holds the tagger, what was learned of the sources, and the text with its labels:
labels.parquet (probabilities too) and labels.conll, by tagger and sources together where the
approach has a label model.

Killed at any moment, it resumes from its last checkpoint when the same command is given again.
"""

import tempfile
from pathlib import Path

from launch import inputs, options, shared_flags
from launch.config_flags import from_flags
from launch.options import FLAGS
from launch.terminal import say
from zsl_jax.errors import InputError
from zsl_jax.training.config import TransferConfig

options.define("encoder", "text", "source", "label_map", "sparse", "gold_words")
options.define("test", "test_source")
options.define("column", "word_column", "format", "encoding", "words", "offsets")
options.define("output", "output_format", "overwrite", "check", "task", "decode")
options.define("max_sentences", "max_test_sentences")
options.define_config(TransferConfig)
options.define(*shared_flags.MACHINES)
# Random sentences that models annotate under --check, of which the report is made.
CHECKED_SENTENCES = 200


def main() -> None:
    """Gather the sources, train, write model folder and labels, then read --test for the table."""
    from launch.processes import joined_processes
    from zsl_jax.runtime import processes
    from zsl_jax.workflows.text_labels import write_text_labels
    from zsl_jax.workflows.train_and_save import train_and_save

    sources = inputs.sources()
    test_sources = inputs.test_sources(sources)
    inputs.check_transfer(sources, test_sources)
    config = from_flags(TransferConfig)
    if FLAGS.check:
        return check(sources, test_sources, config)
    with joined_processes():
        inputs.watch_compilations()
        run, num_shards = open_run()
        cache = run.path / "sources"
        text = inputs.read_shards(
            "text", FLAGS.max_sentences, num_shards, processes.local_shards(num_shards)
        )
        transfer_task, config, read = prepare(sources, text, cache, config)
        finished = train_and_save(transfer_task, config, run, FLAGS.output, FLAGS.save_every_steps)
        how = (FLAGS.output_format, FLAGS.decode)
        write_text_labels(run.path, finished.transfer_task, finished.labels, text, *how)
        if processes.is_first():
            conclude(finished, run, (sources, test_sources), read)


def conclude(finished, run, sources, read) -> None:
    """Print the report on the sources, score --test, and write result.json."""
    annotators, test_sources = sources
    report, labels_from = finished.report, finished.labels.labels_from
    say(report.text)
    rows, tested = [], {}
    if FLAGS.test:
        models = [source for source in annotators if not source.is_file]
        rows, tested = score(finished, models + test_sources, run.path)
    labels = {"source": read, "test_source": tested, **inputs.labels_read()}
    table = [row._asdict() for row in rows]
    about = {"labels": labels, "labels_from": labels_from, "sources": report.plain}
    run.write_result({"rows": table, **about, **inputs.compiled()})
    say(f"labels of the text, by {inputs.KINDS[labels_from]}: {FLAGS.output}/labels.parquet")
    say(f"model folder: {FLAGS.output}")


def check(sources, test_sources, config) -> None:
    """Read everything, and say what this run would do; models annotate a sample of the text."""
    from zsl_jax.workflows.check import check_lines

    inputs.record()  # every file that a flag names is there
    text = inputs.read_shards("text", FLAGS.max_sentences, 1, [0])[0]
    all_files = all(source.is_file for source in sources)
    sample = inputs.sample_of(text, None if all_files else CHECKED_SENTENCES)
    with tempfile.TemporaryDirectory() as folder:
        transfer_task, config, read = prepare(sources, [sample], Path(folder), config)
        lines = check_lines(transfer_task, config, (text, sample), read)
        if FLAGS.test:
            lines.append(check_test(transfer_task, test_sources, Path(folder), config.row_length))
    say("\n".join([*lines, "checked; nothing was trained or written"]))


def check_test(transfer_task, test_sources, folder: Path, row_length: int) -> str:
    """Read --test and the files of predictions for it."""
    from zsl_jax.workflows.check import num_words
    from zsl_jax.workflows.transfer_task import predictions_of

    labelled = inputs.read_labelled("test", FLAGS.max_test_sentences)
    predictions_of(test_sources, labelled, folder, row_length)
    gold = labelled.sentences
    known = {*transfer_task.label_set.names, None}
    others = sorted({name for s in gold for name in s.labels or ()} - known)
    about = f"test: {len(gold):,} sentences, {num_words(gold):,} words"
    return about + (f"; no source has its labels {', '.join(others)}" if others else "")


def open_run():
    """The run's folder, and into how many shards its text is dealt; all processes agree on both."""
    from zsl_jax.io.run_folder import RunFolder, create_run_folder, recorded_shards
    from zsl_jax.runtime import processes

    run, failure, num_shards = RunFolder(Path(FLAGS.output), writes=False), None, 0
    if processes.is_first():
        try:
            before = None if FLAGS.overwrite else recorded_shards(FLAGS.output)
            num_shards = FLAGS.shards or before or processes.count()
            run = create_run_folder(FLAGS.output, inputs.record(shards=num_shards), FLAGS.overwrite)
        except InputError as error:
            failure = error
    processes.first_decides(failure)
    return run, processes.gather(num_shards)[0]


def prepare(sources, text, cache: Path, config):
    """The text's shards with the sources' predictions, all settings, and how labels were read."""
    from zsl_jax.training.sigma import temperatures
    from zsl_jax.workflows import transfer_task as transfer_tasks
    from zsl_jax.workflows.loaded_tagger import load_tagger

    start = load_tagger(sources[0].path if FLAGS.approach == "direct" else FLAGS.encoder)
    length = config.row_length
    found = [transfer_tasks.predictions_of(sources, shard, cache, length) for shard in text]
    gold = inputs.gold_words(text, cache)
    sentences = [shard.sentences for shard in text]
    models = transfer_tasks.trainable_models(sources)
    transfer_task = transfer_tasks.prepare_transfer(
        start, sentences, found, length, cache, gold, models
    )
    temperatures(config.label_model, transfer_task.label_set.size)  # refused now, or never
    inputs.check_output_format(transfer_task.label_set.names)
    return transfer_task, config, transfer_tasks.labels_read(found)


def score(finished, sources, folder: Path):
    """Read --test, write it with its labels, and print the table."""
    from zsl_jax.io.run_files import TEST
    from zsl_jax.workflows.labelled_text import write_labelled
    from zsl_jax.workflows.scoring import baselines, label_test, labelled_rows, prepare_test
    from zsl_jax.workflows.table import format_table, verdict
    from zsl_jax.workflows.text_labels import label_files
    from zsl_jax.workflows.transfer_task import predictions_of

    transfer_task, config, done, *_ = finished
    labelled = inputs.read_labelled("test", FLAGS.max_test_sentences)
    found = predictions_of(sources, labelled, folder / "sources", config.row_length)
    test = prepare_test(transfer_task, labelled.sentences, found, FLAGS.task)
    texts = label_test(transfer_task, done, test, config, FLAGS.decode)
    rows = baselines(transfer_task, test)
    rows += labelled_rows(texts, test, config.approach, FLAGS.decode)
    kind, best = list(texts.items())[-1]
    for path, format in label_files(folder, FLAGS.output_format, TEST).items():
        about = {"labels_from": kind, "decode": FLAGS.decode}
        write_labelled(path, best.label_names, [best], format, about)
    say(f"{format_table(rows)}\n{verdict(rows)}")
    return rows, {name: dict(made.about) for name, made in found.items()}


if __name__ == "__main__":
    options.require("text", "output")
    options.run(main)
