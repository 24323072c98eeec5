"""Paths of the benchmarks' real texts."""

import os
from pathlib import Path

import numpy as np

DATA = Path(os.environ.get("ZSL_DATA", "../shared/data"))


def pos(language: str, part: str = "train") -> Path:
    """Path of a part of a corpus with parts of speech."""
    return DATA / "pos" / language / f"{part}.conllu"


def ner(language: str, part: str = "train") -> Path:
    """Path of a part of a corpus with named entities."""
    return DATA / "ner" / language / f"{part}.conll"


def tagged_english(count: int, seed: int):
    """Random sentences, their label set, and the label ids of all their words [N]."""
    from zsl_jax.data.sampling import sample_sentences
    from zsl_jax.data.text.readers import read_sentences
    from zsl_jax.labels import LabelSet
    from zsl_jax.workflows.loaded_tagger import gold_labels

    sentences = sample_sentences(read_sentences(pos("en")), count, seed)
    names = gold_labels(sentences, "train.conllu")
    label_set = LabelSet.from_labels(names)
    ids = label_set.encode([name for row in names for name in row], "train.conllu")
    return sentences, label_set, np.asarray(ids)
