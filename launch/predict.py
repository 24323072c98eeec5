"""Label a text with a trained tagger; with its sources' predictions, by the posterior Q.

python -m launch.predict --model=DIR --text=FILE --output=FILE [--source=NAME=PATH ...]

The text may have any length: it is read, labelled and written block by block. So are sources'
predictions in Parquet (see launch.annotate) if the text is one file; with sources of other kinds,
the whole text and all predictions are in memory. --output=- writes to the standard output.
"""

from launch import inputs, options
from launch.options import FLAGS

options.define("model", "text", "format", "encoding", "words", "word_column")
options.define("output", "output_format", "source", "label_map", "offsets", "task", "decode")
options.define("row_length", "max_sentences", "seed", "log_format")
FLAGS["task"].help = "What spaCy pipelines predict: parts of speech with pos, entities otherwise."


def main() -> None:
    """Reads the text, computes P or Q, and writes labels (in Parquet also probabilities)."""
    sources = {source.name: source for source in inputs.sources()}
    if not any(source.pipeline for source in sources.values()):
        options.refuse_unread(("task",), "without a spaCy pipeline as --source")
    words, decoding = inputs.label_text(sources, FLAGS.decode, FLAGS.output_format)
    kind = inputs.KINDS["Q" if sources else "P"]
    inputs.report(f"{words:,} words labelled by {kind}, {decoding}: {FLAGS.output}")


if __name__ == "__main__":
    options.require("model", "text", "output")
    options.run(main)
