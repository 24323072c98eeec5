"""A small experiment in the tiny world: three languages that differ in their sentences only."""

from pathlib import Path

from tests import tiny_world

LANGUAGES = ("aa", "bb", "cc")
YAML = """# A table in the tiny world.
title: Tiny table
task: pos
score: accuracy
languages: [aa, bb, cc]
train: "{language}/train.conll"
test: "{language}/test.conll"
seeds: [0, 1]
max_source_sentences: 20
max_sentences: 12
max_test_sentences: 15
source: {epochs: 2, learning_rate: 0.01, batch_words: 64, row_length: 32}
transfer: {learning_rate: 0.01, batch_words: 64, row_length: 32}
settings:
  - {name: single, title: one source, sources: [aa], targets: [cc], labels_from: P}
  - {name: multi, title: two sources, targets: [cc], labels_from: Q}
rows:
  - direct
  - kd
  - {name: mine, approach: lvm, label_model: paper, confusion_init: dawid_skene, rounds: 1}
  - majority
  - supervised
profiles:
  small: {max_sentences: 8, transfer: {learning_rate: 0.02}}
paper:
  multi:
    kd: {cc: 80.0}
"""


def write_data(folder: Path) -> Path:
    """The corpora of all languages."""
    for number, language in enumerate(LANGUAGES):
        (folder / language).mkdir(parents=True)
        for part, seed, count in (("train", 10, 30), ("test", 20, 20)):
            sentences = tiny_world.sentences(seed + number, count)
            tiny_world.write_text(folder / language / f"{part}.conll", sentences)
    return folder


def write_experiment(folder: Path, text: str = YAML) -> Path:
    """The experiment's file."""
    path = folder / "tiny.yaml"
    path.write_text(text, encoding="utf-8")
    return path
