"""Where the benchmarks' real texts are."""

import os
from pathlib import Path

DATA = Path(os.environ.get("ZSL_DATA", "../shared/data"))


def pos(language: str, part: str = "train") -> Path:
    """A part of a corpus with parts of speech."""
    return DATA / "pos" / language / f"{part}.conllu"


def ner(language: str, part: str = "train") -> Path:
    """A part of a corpus with named entities."""
    return DATA / "ner" / language / f"{part}.conll"
