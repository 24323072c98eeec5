"""Make a page about a finished transfer: sources, learning, labels, doubtful sentences.

python -m launch.report --run=DIR --output=report.html

The page is one HTML file that needs no network. It is made from the run's records and labels alone.
"""

from absl import flags

from launch import options
from launch.options import FLAGS
from launch.paths import refuse_other_ending
from launch.terminal import say

flags.DEFINE_string("run", None, "Folder of a finished launch.transfer.")
options.define("output")


def main() -> None:
    """Reads the run's folder and writes the page."""
    from zsl_jax.report import write_report

    refuse_other_ending("the page is HTML", ".html")
    size = write_report(FLAGS.run, FLAGS.output)
    say(f"report: {FLAGS.output} ({size / 1e6:.2f} MB)")


if __name__ == "__main__":
    options.require("run", "output")
    options.run(main)
