"""Write a tagger's labels and probabilities for a text, to be used as a source's predictions.

python -m launch.annotate --model=DIR_OR_HUB --text=FILE --output=FILE.parquet
"""

from launch import inputs, options
from launch.options import FLAGS
from zsl_jax.errors import InputError

options.define("model", "text", "format", "encoding", "words", "word_column", "output")
options.define("row_length", "max_sentences", "seed", "log_format")


def main() -> None:
    """Reads the text, tags it, and writes one Parquet file, block by block."""
    if not FLAGS.output.endswith(".parquet"):
        raise InputError(
            f"--output={FLAGS.output}: probabilities are written as Parquet; give a name that ends "
            "in .parquet, or use launch.predict for labels in other formats"
        )
    words, _ = inputs.label_text({}, "argmax", "parquet")
    inputs.report(f"{words:,} words labelled: {FLAGS.output}")


if __name__ == "__main__":
    options.require("model", "text", "output")
    options.run(main)
