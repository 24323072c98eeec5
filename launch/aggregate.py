"""Put sources' predictions together without any model of the text.

python -m launch.aggregate --source=NAME=FILE ... --method=dawid_skene --output=FILE
"""

from launch import inputs, options
from launch.options import FLAGS

options.define("source", "label_map", "offsets", "method", "output", "output_format")


def main() -> None:
    """Read the prediction files, aggregate, write one label a word."""
    from zsl_jax.workflows.labelled_text import write_labelled
    from zsl_jax.workflows.prediction import aggregate_files

    made = aggregate_files(inputs.sources(), FLAGS.method)
    about = {"labels_from": "votes", "method": FLAGS.method}
    words = write_labelled(FLAGS.output, made.label_names, [made], FLAGS.output_format, about)
    inputs.report(f"{words:,} words labelled by {FLAGS.method}: {FLAGS.output}")


if __name__ == "__main__":
    options.require("output")
    options.run(main)
