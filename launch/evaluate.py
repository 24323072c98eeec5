"""Score predictions against gold labels.

python -m launch.evaluate --gold=FILE --predicted=FILE
"""

from launch import inputs, options
from launch.options import FLAGS

options.define("gold", "predicted", "column", "task")


def main() -> None:
    """Read both files, check that their words agree, print accuracy and entity scores."""
    from zsl_jax.data.predictions import check_words, read_predictions
    from zsl_jax.evaluation.metrics import format_scores
    from zsl_jax.workflows.prediction import score_predictions

    gold = inputs.read_labelled("gold", 0)
    predicted = read_predictions(FLAGS.predicted)
    check_words(predicted, gold, FLAGS.predicted)
    print(format_scores(score_predictions(gold, predicted, FLAGS.task)))


if __name__ == "__main__":
    options.require("gold", "predicted")
    options.run(main)
