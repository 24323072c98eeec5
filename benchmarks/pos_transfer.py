"""Transfer UPOS tagging to a target language from other languages, by every approach.

python -m benchmarks.pos_transfer --encoder=DIR_OR_HUB --target=ca --languages=en,id,hi,fi,ru \
  --output=runs/ca

Reads DATA/pos/LANGUAGE/{train,test}.conllu, where DATA is the environment variable ZSL_DATA
(../shared/data by default). Every source tagger is trained once and kept in OUTPUT/models, and its
predictions in OUTPUT/predictions, so that a second call with other settings (and --overwrite)
reuses them. Prints the table of all approaches and writes it to OUTPUT/result.json.
"""

from benchmarks import comparing, real_texts
from launch import options

comparing.define_flags("ca", ["en", "id", "hi", "fi", "ru"])


def main() -> None:
    """Trains missing sources, then every approach, and prints the table."""
    comparing.run(real_texts.pos, "pos")


if __name__ == "__main__":
    options.require("encoder", "output")
    options.run(main)
