"""Train a tagger on labelled text: a source model.

python -m launch.train --encoder=DIR_OR_HUB --train=FILE --output=DIR
"""

from pathlib import Path

from launch import inputs, options, run_spec
from launch.config_flags import from_flags
from launch.options import FLAGS
from launch.terminal import say
from zsl_jax.buckets import RUN_SCHEMES
from zsl_jax.training.config import TrainConfig

options.define("encoder", "train", "dev", "output", "overwrite", "column", "task")
options.define("format", "encoding", "words", "word_column")
options.define("max_sentences", "max_test_sentences")
options.define_config(TrainConfig)
options.define("tensorboard", "log_format")


def main() -> None:
    """Reads, trains, writes the model folder, and reports its scores on --dev."""
    from zsl_jax.evaluation.score_lines import format_scores
    from zsl_jax.io.run_files import check_is_ours
    from zsl_jax.workflows.train import train

    if FLAGS.dev is None:
        options.refuse_unread(("task", "max_test_sentences"), "without --dev")
    inputs.refuse_unread_words("train", "dev")
    check_is_ours(Path(FLAGS.output))
    inputs.watch_compilations()
    text = inputs.labelled_pairs("train", FLAGS.max_sentences)
    dev = inputs.labelled_pairs("dev", FLAGS.max_test_sentences) if FLAGS.dev else None
    done = train(
        text,
        FLAGS.encoder,
        FLAGS.output,
        config=from_flags(TrainConfig),
        dev=dev,
        task=FLAGS.task,
        overwrite=FLAGS.overwrite,
        tensorboard=FLAGS.tensorboard,
        spec=run_spec.record(),
        about={"labels": inputs.labels_read()},
    )
    if done.best is not None:
        say(f"best epoch on --dev: {done.best + 1} of {len(done.scores)}")
        say(format_scores(done.scores[done.best]))
    say(f"model folder: {FLAGS.output}")


if __name__ == "__main__":
    options.require("encoder", "train", "output")
    options.run(main, {"output": RUN_SCHEMES})
