"""Label a text with a trained tagger; with its sources' predictions, by the posterior Q.

python -m launch.predict --model=DIR --text=FILE --output=FILE [--source=NAME=PATH ...]
"""

import tempfile
from pathlib import Path

from launch import inputs, options
from launch.options import FLAGS

options.define("model", "text", "format", "encoding", "words", "output", "output_format")
options.define("source", "label_map", "task", "decode", "row_length", "max_sentences", "seed")


def main() -> None:
    """Read the text, compute P or Q, write labels (Parquet: probabilities too)."""
    from zsl_jax.workflows.experiment import predictions_of
    from zsl_jax.workflows.prediction import predict, write_labelled
    from zsl_jax.workflows.sources import TextPart
    from zsl_jax.workflows.tagging import load_tagger

    text = inputs.read_unlabelled("text", FLAGS.max_sentences)
    sources = inputs.sources()
    with tempfile.TemporaryDirectory() as cache:
        found = predictions_of(sources, TextPart(text), Path(cache), FLAGS.row_length)
    made = predict(load_tagger(FLAGS.model), text, found, FLAGS.row_length, FLAGS.decode)
    write_labelled(FLAGS.output, text, made, FLAGS.output_format)
    kind = "Q (tagger and sources)" if sources else "P (the tagger alone)"
    words = f"{len(made.labels):,} words"
    inputs.report(f"{words} labelled by {kind}, {FLAGS.decode}: {FLAGS.output}")


if __name__ == "__main__":
    options.require("model", "text", "output")
    options.run(main)
