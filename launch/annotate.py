"""Write a tagger's labels and probabilities for a text: a source's predictions.

python -m launch.annotate --model=DIR_OR_HUB --text=FILE --output=FILE.parquet
"""

from launch import inputs, options
from launch.options import FLAGS
from zsl_jax.errors import InputError

options.define("model", "text", "format", "encoding", "words", "word_column", "output")
options.define("row_length", "max_sentences", "seed")


def main() -> None:
    """Read the text, tag it, write one Parquet file, piece by piece."""
    if not FLAGS.output.endswith(".parquet"):
        raise InputError(
            f"--output={FLAGS.output}: probabilities are written as Parquet; let the name end in "
            ".parquet, or use launch.predict for labels in other formats"
        )
    words = inputs.label_text({}, "argmax", "parquet")
    inputs.report(f"{words:,} words labelled: {FLAGS.output}")


if __name__ == "__main__":
    options.require("model", "text", "output")
    options.run(main)
