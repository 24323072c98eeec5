"""Train a tagger on labelled text: a source model.

python -m launch.train --encoder=DIR_OR_HUB --train=FILE --output=DIR
"""

from pathlib import Path

from launch import inputs, options
from launch.config_flags import from_flags
from launch.options import FLAGS
from launch.terminal import say
from zsl_jax.training.config import TrainConfig

options.define("encoder", "train", "dev", "output", "overwrite", "column", "task")
options.define("format", "encoding", "words", "word_column")
options.define("max_sentences", "max_test_sentences")
options.define_config(TrainConfig)
TITLE = "training"  # in the progress and the metrics


def main() -> None:
    """Read, train, write the model folder, and say how good it is on --dev."""
    from zsl_jax.evaluation.score_lines import format_scores
    from zsl_jax.io.run_files import check_is_ours
    from zsl_jax.io.run_folder import create_run_folder
    from zsl_jax.workflows.loaded_tagger import load_tagger, save_tagger
    from zsl_jax.workflows.run_hooks import recorded
    from zsl_jax.workflows.supervised import Dev, train_supervised

    check_is_ours(Path(FLAGS.output))
    inputs.watch_compilations()
    config = from_flags(TrainConfig)
    scores: list[dict] = []

    def on_dev(epoch: int, found: dict) -> None:
        run.append_metrics(kind="dev", run=TITLE, epoch=epoch, scores=found)
        scores.append(found)

    train = inputs.read_labelled("train", FLAGS.max_sentences).sentences
    dev = None
    if FLAGS.dev:
        held_out = inputs.read_labelled("dev", FLAGS.max_test_sentences).sentences
        dev = Dev(held_out, on_dev, FLAGS.task)
    encoder = load_tagger(FLAGS.encoder)
    run = create_run_folder(FLAGS.output, inputs.record(), FLAGS.overwrite)
    words = config.passes * sum(len(sentence.words) for sentence in train)
    with recorded(run, TITLE, words) as hooks:
        tagger = train_supervised(encoder, train, config, hooks, run.cache, dev)
    save_tagger(FLAGS.output, tagger)
    run.write_result({"dev": scores, "labels": inputs.labels_read(), **inputs.compiled()})
    if scores:
        best = max(scores, key=lambda found: found["score"])
        say(f"best pass on --dev: {scores.index(best) + 1} of {len(scores)}")
        say(format_scores(best))
    say(f"model folder: {FLAGS.output}")


if __name__ == "__main__":
    options.require("encoder", "train", "output")
    options.run(main)
