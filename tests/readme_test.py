"""The example in Python that README shows, on a tiny world with the names that it uses."""

import re
from pathlib import Path

import numpy as np

from tests import tiny_world
from tests.workflows.tagger_test import write_tagger
from zsl_jax.data.predictions.parquet_writer import write_predictions
from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.types import Sentence

README = Path(__file__).parents[1] / "README.md"
LABELS = ("O", "B-PER", "I-PER")


def example():
    """The first block of Python in README."""
    return re.search(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.S)[1]


def test_the_example_of_readme_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    encoder = tiny_world.write_encoder(tmp_path / "xlm-roberta-base")
    write_tagger(tmp_path / "models" / "en", encoder, LABELS)
    text = [Sentence(s.words) for s in tiny_world.sentences(5, 12)]
    tiny_world.write_text(
        Path("text.conll"), [s._replace(labels=("O",) * len(s.words)) for s in text]
    )
    words = tuple(s.words for s in text)
    ids = np.array([int(word.istitle()) for own in words for word in own], np.int32)
    write_predictions("hi-predictions.parquet", SourcePredictions(LABELS, ids, None, words))
    names = {}
    exec(compile(example(), "README.md", "exec"), names)  # what a reader would paste
    labels = [label for sentence in names["done"].sentences for label in sentence.labels]
    same = [label == LABELS[number] for label, number in zip(labels, ids, strict=True)]
    assert np.mean(same) > 0.9  # two good sources outvote a tagger with a random head
    printed = capsys.readouterr().out
    assert "capitals" in printed and "('Bon', 'dia')" in printed
    assert (tmp_path / "models" / "ca" / "labels.parquet").exists()


def test_the_example_has_at_most_twenty_lines():
    assert len([line for line in example().splitlines() if line.strip()]) <= 20
