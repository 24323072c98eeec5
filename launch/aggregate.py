"""Put sources' predictions together without any model of the text.

python -m launch.aggregate --source=NAME=FILE ... --method=dawid_skene --output=FILE
"""

from launch import inputs, options
from launch.options import FLAGS

options.define("source", "label_map", "method", "output", "output_format")


def main() -> None:
    """Read the prediction files, aggregate, write one label a word."""
    from zsl_jax.workflows.prediction import aggregate_files, write_labelled

    text, made = aggregate_files(inputs.sources(), FLAGS.method)
    write_labelled(FLAGS.output, text, made, FLAGS.output_format)
    inputs.report(f"{len(made.labels):,} words labelled by {FLAGS.method}: {FLAGS.output}")


if __name__ == "__main__":
    options.require("output")
    options.run(main)
