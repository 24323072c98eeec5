"""Transfer named entities to a target language from other languages, by every approach.

python -m benchmarks.ner_transfer --encoder=DIR_OR_HUB --target=pt --languages=en,da,hr \
  --output=runs/pt

As `benchmarks.pos_transfer`, on DATA/ner/LANGUAGE/{train,test}.conll.
"""

from benchmarks import comparing, real_texts
from launch import options

comparing.define_flags("pt", ["en", "da", "hr"])


def main() -> None:
    """Trains missing sources, then every approach, and prints the table."""
    comparing.run(real_texts.ner, "ner")


if __name__ == "__main__":
    options.require("encoder", "output")
    options.run(main)
