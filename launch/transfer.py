"""Train a target tagger from sources' predictions for unlabelled text.

python -m launch.transfer --encoder=DIR_OR_HUB --text=FILE --source=NAME=PATH ... --output=DIR

DIR gets the tagger and the labelled text, labels.conll; the same command resumes a killed run.
"""

import functools
import tempfile
from pathlib import Path

from launch import flag_combinations, inputs, options, run_spec, shared_flags
from launch.config_flags import from_flags
from launch.options import FLAGS
from launch.terminal import say
from zsl_jax.buckets import RUN_SCHEMES
from zsl_jax.errors import InputError
from zsl_jax.training.config import TransferConfig

options.define("encoder", "text", "source", "label_map", "sparse", "gold_words")
options.define("test", "test_source")
options.define("column", "word_column", "format", "encoding", "words", "offsets")
options.define("output", "output_format", "overwrite", "report", "check", "task", "decode")
options.define("max_sentences", "max_test_sentences")
options.define_config(TransferConfig)
options.define(*shared_flags.RUNNING)
FLAGS["task"].help += " With pos, spaCy pipelines predict parts of speech, not entities."
# Random sentences that models annotate under --check, of which the report is made.
CHECKED_SENTENCES = 200


def main() -> None:
    """Gathers the sources, trains, writes the model and labels, then reads --test for the table."""
    from launch.joined_processes import joined_processes
    from zsl_jax.report import check_installed
    from zsl_jax.runtime import processes
    from zsl_jax.workflows.transfer_run import Writing, run_transfer

    sources = inputs.sources()
    test_sources = inputs.test_sources(sources)
    flag_combinations.check_transfer(sources, test_sources)
    inputs.refuse_unread_words("text", "test")
    if FLAGS.report:
        check_installed()
    config = from_flags(TransferConfig)
    if FLAGS.check:
        return check(sources, test_sources, config)
    with joined_processes():
        inputs.watch_compilations()
        run, num_shards = open_run()
        text = inputs.read_shards(
            "text", FLAGS.max_sentences, num_shards, processes.local_shards(num_shards)
        )
        cache = run.path / "sources"
        transfer_task = prepare(sources, text, cache, config)
        how = Writing(FLAGS.output_format, FLAGS.decode, FLAGS.save_every_steps)
        annotators = [source for source in sources if not source.is_file]
        reader = functools.partial(read_test, annotators + test_sources, cache, config.row_length)
        done = run_transfer(transfer_task, config, run, text, reader if FLAGS.test else None, how)
        if processes.is_first():
            show(done)


def show(done) -> None:
    """Prints the report on the sources, the table, and where the results are."""
    from zsl_jax.io.run_files import REPORT
    from zsl_jax.report import write_report
    from zsl_jax.workflows.result_table import format_table, verdict

    say(done.report.text)
    if done.rows:
        say(f"{format_table(done.rows)}\n{verdict(done.rows)}")
    kind = inputs.KINDS[done.labels.labels_from]
    say(f"labels of the text, by {kind}: {FLAGS.output}/labels.parquet")
    say(f"model folder: {FLAGS.output}")
    if FLAGS.report:
        page = Path(FLAGS.output) / REPORT
        write_report(Path(FLAGS.output), page)
        say(f"report: {page}")


def read_test(sources, cache: Path, row_length: int):
    """The labelled test, and what the sources predict for it."""
    from zsl_jax.workflows.transfer_run import LabelledTest
    from zsl_jax.workflows.transfer_task import predictions_of

    labelled = inputs.read_labelled("test", FLAGS.max_test_sentences)
    (predictions,) = predictions_of(sources, [labelled], cache, row_length)
    read = {name: dict(made.about) for name, made in predictions.items()}
    about = {"test_source": read, **inputs.labels_read()}
    return LabelledTest(labelled.sentences, predictions, FLAGS.task, about)


def check(sources, test_sources, config) -> None:
    """Reads everything, and prints what this run would do; models annotate a sample of the text."""
    from zsl_jax.workflows.transfer_preview import check_lines

    run_spec.record()  # every file that a flag names is there
    text = inputs.read_shards("text", FLAGS.max_sentences, 1, [0])[0]
    inputs.check_shards("text", text, FLAGS.shards or 1)
    all_files = all(source.is_file for source in sources)
    sample = inputs.sample_of(text, None if all_files else CHECKED_SENTENCES)
    with tempfile.TemporaryDirectory() as folder:
        transfer_task = prepare(sources, [sample], Path(folder), config)
        lines = check_lines(transfer_task, config, (text, sample))
        if FLAGS.test:
            lines.append(check_test(transfer_task, test_sources, Path(folder), config.row_length))
    say("\n".join([*lines, "checked; nothing was trained or written"]))


def check_test(transfer_task, test_sources, folder: Path, row_length: int) -> str:
    """Reads --test and the files of predictions for it."""
    from zsl_jax.workflows.transfer_preview import num_words

    gold = read_test(test_sources, folder, row_length).sentences
    known = {*transfer_task.label_set.names, None}
    others = sorted({name for s in gold for name in s.labels or ()} - known)
    about = f"test: {len(gold):,} sentences, {num_words(gold):,} words"
    return about + (f"; no source has its labels {', '.join(others)}" if others else "")


def open_run():
    """The run's folder, and the number of shards of its text; all processes agree on both."""
    from zsl_jax.io.run_folder import RunFolder, create_run_folder, recorded_shards
    from zsl_jax.runtime import processes

    run, failure, num_shards = RunFolder(Path(FLAGS.output), writes=False), None, 0
    digests = run_spec.shared_digests()
    if processes.is_first():
        try:
            before = None if FLAGS.overwrite else recorded_shards(FLAGS.output)
            num_shards = FLAGS.shards or before or processes.count()
            spec = run_spec.record(shards=num_shards, digests=digests)
            run = create_run_folder(FLAGS.output, spec, FLAGS.overwrite, FLAGS.tensorboard)
        except InputError as error:
            failure = error
    processes.first_decides(failure)
    return run, processes.gather(num_shards)[0]


def prepare(sources, text, cache: Path, config):
    """The text's shards with the sources' predictions."""
    from zsl_jax.training.confusion_matrices import temperatures
    from zsl_jax.workflows.loaded_tagger import load_tagger
    from zsl_jax.workflows.transfer_task import annotated_task

    start = load_tagger(sources[0].path if FLAGS.approach == "direct" else FLAGS.encoder)
    length, gold = config.row_length, FLAGS.gold_words
    transfer_task = annotated_task(start, sources, text, length, cache, gold)
    temperatures(config.label_model, transfer_task.label_set.size)  # refused now, or never
    flag_combinations.check_output_format(transfer_task.label_set.names)
    return transfer_task


if __name__ == "__main__":
    options.require("text", "output")
    options.run(main, {"output": RUN_SCHEMES})
