"""Put sources' predictions together without any model of the text.

python -m launch.aggregate --source=NAME=FILE ... --method=dawid_skene --output=FILE
"""

from launch import options
from launch.options import FLAGS

options.define("source", "method", "output")


def main() -> None:
    """Read the prediction files, aggregate, write one label a word."""
    from zsl_jax.workflows.prediction import aggregate_files, write_labelled
    from zsl_jax.workflows.sources import parse_sources

    text, made = aggregate_files(parse_sources(FLAGS.source), FLAGS.method)
    write_labelled(FLAGS.output, text, made)
    print(f"{len(made.labels):,} words labelled by {FLAGS.method}: {FLAGS.output}")


if __name__ == "__main__":
    options.require("output")
    options.run(main)
