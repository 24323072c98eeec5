"""Combine sources' predictions without training a tagger.

python -m launch.aggregate --source=NAME=FILE ... --method=chain --output=FILE

majority, mean, dawid_skene and bea (Dawid-Skene with Dirichlet priors, Rahimi et al., 2019) use
each word's votes alone; weighted_mean weights sources by their agreement; chain also takes the
words and the order of the labels into account.
"""

from absl import flags

from launch import inputs, options
from launch.options import FLAGS

options.define("source", "label_map", "offsets", "sparse", "method", "output", "output_format")
options.define("decode", "log_format")
FLAGS["source"].help = "NAME=FILE of a source's predictions (repeat the flag)."
flags.DEFINE_integer(
    "dawid_skene_rounds",
    100,
    "Maximum number of EM rounds; with few, rare labels do not merge into frequent ones.",
    1,
)
flags.DEFINE_float("dawid_skene_prior", 0.01, "Added to every count of dawid_skene.", 0.0)


def main() -> None:
    """Reads the prediction files, aggregates them, and writes one label per word."""
    from zsl_jax.atomic_file import check_parent
    from zsl_jax.labels import LabelSet
    from zsl_jax.workflows.aggregate import aggregate_files
    from zsl_jax.workflows.label_decoding import decoding_of_method
    from zsl_jax.workflows.labelled_text import format_of, write_labelled
    from zsl_jax.workflows.vote_aggregation import DawidSkeneSettings

    if FLAGS.method != "dawid_skene":
        unread = ("dawid_skene_rounds", "dawid_skene_prior")
        options.refuse_unread(unread, f"by --method={FLAGS.method}")
    check_parent(FLAGS.output)
    output_format = FLAGS.output_format or format_of(FLAGS.output)
    settings = DawidSkeneSettings(FLAGS.dawid_skene_rounds, FLAGS.dawid_skene_prior)
    labelled = aggregate_files(inputs.sources(), FLAGS.method, settings, FLAGS.decode)
    decoding = decoding_of_method(FLAGS.decode, LabelSet(labelled.label_names), FLAGS.method)
    about = {"labels_from": "votes", "method": FLAGS.method, "decode": decoding}
    words = write_labelled(FLAGS.output, labelled.label_names, [labelled], output_format, about)
    inputs.report(f"{words:,} words labelled by {FLAGS.method}, {decoding}: {FLAGS.output}")


if __name__ == "__main__":
    options.require("output")
    options.run(main)
