import dataclasses

import numpy as np
import pytest

from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.errors import InputError
from zsl_jax.io.run_folder import create_run_folder
from zsl_jax.training.config import TransferConfig
from zsl_jax.types import Sentence
from zsl_jax.workflows.python_run_spec import python_run_spec

CONFIG = TransferConfig(seed=3)
TEXT = [Sentence(("a", "b"), ("X", "Y"))]
PREDICTIONS = SourcePredictions(
    label_names=("X", "Y"),
    labels=np.array([0, 1], np.int32),
    probs=np.array([[0.9, 0.1], [0.2, 0.8]], np.float16),
    words=(("a", "b"),),
)


def spec(config=CONFIG, encoder="org/encoder", text=TEXT, predictions=PREDICTIONS, gold_words=()):
    return python_run_spec(config, encoder, {"text": text}, {"en": predictions}, gold_words)


def test_the_same_arguments_give_the_same_specification():
    again = spec(predictions=PREDICTIONS._replace(labels=PREDICTIONS.labels.copy()))
    assert spec() == again and again.seed == 3 and set(again.data) == {"text", "source en"}


@pytest.mark.parametrize(
    "other",
    [
        {"config": dataclasses.replace(CONFIG, rounds=7)},
        {"encoder": "org/other"},
        {"text": [Sentence(("a", "b"), ("X", "X"))]},
        {"text": [Sentence(("a",), ("X",)), Sentence(("b",), ("Y",))]},
        {"predictions": PREDICTIONS._replace(label_names=("X", "Z"))},
        {"predictions": PREDICTIONS._replace(labels=np.array([1, 1], np.int32))},
        {"predictions": PREDICTIONS._replace(probs=None)},
        {"predictions": PREDICTIONS._replace(probs=1 - PREDICTIONS.probs)},
        {"predictions": PREDICTIONS._replace(sets={"X": ("A", "B")})},
        {"gold_words": [PREDICTIONS]},
    ],
    ids=lambda other: next(iter(other)),
)
def test_any_other_argument_gives_another_specification(other):
    assert spec(**other) != spec()


def test_a_run_does_not_resume_with_its_sources_in_another_order(tmp_path):
    """Checkpoints number the sources, so that another order would mix up what was learned."""
    texts, two = {"text": TEXT}, {"en": PREDICTIONS, "de": PREDICTIONS._replace(probs=None)}
    first = python_run_spec(CONFIG, "org/encoder", texts, two)
    create_run_folder(tmp_path, first).lock.release()
    (tmp_path / "checkpoints" / "lvm" / "1").mkdir(parents=True)
    swapped = python_run_spec(CONFIG, "org/encoder", texts, dict(reversed(two.items())))
    with pytest.raises(InputError, match=r"`sources` was \['en', 'de'\], now \['de', 'en'\]"):
        create_run_folder(tmp_path, swapped)
    create_run_folder(tmp_path, first).lock.release()


def test_gold_words_are_told_apart_from_a_source_of_their_name():
    named = python_run_spec(CONFIG, "org/encoder", {"text": TEXT}, {"gold words": PREDICTIONS})
    assert spec(gold_words=[PREDICTIONS]).data.keys() == {"text", "source en", "gold words 0"}
    assert named.data.keys() == {"text", "source gold words"}
