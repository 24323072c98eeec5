"""Score predictions against gold labels; with --significance, test them against others.

python -m launch.evaluate --gold=FILE --predicted=FILE [--significance=FILE] [--output=FILE.json]

Several files on one side (repeat the flag, or give --predicted='runs/*/test.conll') count as seeds
of one method: their mean and standard deviation are reported, and almost stochastic dominance is a
second test.
"""

from pathlib import Path

from launch import inputs, options
from launch.options import FLAGS
from launch.paths import refuse_other_ending
from launch.terminal import say
from zsl_jax.errors import InputError

options.define("gold", "predicted", "significance", "column", "word_column", "format", "encoding")
options.define("words", "offsets", "task", "confidence", "resamples", "seed", "output")
FLAGS["column"].help = FLAGS["column"].help.replace("the labels", "the labels in --gold")
FLAGS["offsets"].help = FLAGS["offsets"].help.replace(
    "NAME=UNIT for one source", "predicted=UNIT or significance=UNIT for one of the two"
)


def main() -> None:
    """Reads all files, checks that their words agree, and prints scores, confusions and tests."""
    from launch.source_flags import units_of
    from zsl_jax.evaluation.bootstrap import Resampling
    from zsl_jax.evaluation.score_lines import format_evaluation
    from zsl_jax.io.json_file import write_json
    from zsl_jax.workflows.evaluate import evaluate
    from zsl_jax.workflows.source_settings import refuse_unread_offsets

    refuse_other_ending("scores are written as JSON", ".json")
    inputs.refuse_unread_words("gold")
    predicted, others = inputs.matching_files("predicted"), inputs.matching_files("significance")
    sides = {"predicted": predicted, "significance": others}
    units = units_of(FLAGS.offsets, list(sides))
    refuse_unread_offsets(FLAGS.offsets, sides)
    gold = [s for file in inputs.read_labelled("gold").by_file or () for s in file]
    gold_scheme = inputs.labels_read()["gold"]["scheme"]
    resampling = Resampling(FLAGS.resamples, FLAGS.confidence, FLAGS.seed)
    scores = evaluate(gold, predicted, others, FLAGS.task, resampling, units, gold_scheme)
    if FLAGS.output:
        try:
            write_json(Path(FLAGS.output), {"gold": FLAGS.gold, **scores})
        except InputError as error:
            raise InputError(f"--output={FLAGS.output}: {error}") from error
    say(format_evaluation(scores))


if __name__ == "__main__":
    options.require("gold", "predicted")
    options.run(main)
