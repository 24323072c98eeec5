"""Write a tagger's labels and probabilities for a text: a source's predictions.

python -m launch.annotate --model=DIR_OR_HUB --text=FILE --output=FILE.parquet
"""

from launch import inputs, options
from launch.options import FLAGS
from zsl_jax.errors import InputError

options.define("model", "text", "format", "encoding", "words", "output")
options.define("row_length", "max_sentences", "seed")


def main() -> None:
    """Read the text, tag it, write one Parquet file."""
    from zsl_jax.data.predictions import write_predictions
    from zsl_jax.workflows.sources import annotate
    from zsl_jax.workflows.tagging import load_tagger

    if not FLAGS.output.endswith(".parquet"):
        raise InputError(
            f"--output={FLAGS.output}: probabilities are written as Parquet; let the name end in "
            ".parquet, or use launch.predict for labels in other formats"
        )
    text = inputs.read_unlabelled("text", FLAGS.max_sentences)
    made = annotate(load_tagger(FLAGS.model), text, FLAGS.row_length)
    write_predictions(FLAGS.output, made)
    print(f"{len(made.labels):,} words in {len(text):,} sentences: {FLAGS.output}")


if __name__ == "__main__":
    options.require("model", "text", "output")
    options.run(main)
