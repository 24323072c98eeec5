import dataclasses

import numpy as np
import pytest

from zsl_jax.data.predictions.source_predictions import SourcePredictions
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


def spec(config=CONFIG, encoder="org/encoder", text=TEXT, predictions=PREDICTIONS):
    return python_run_spec(config, encoder, {"text": text}, {"en": predictions})


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
    ],
    ids=lambda other: next(iter(other)),
)
def test_any_other_argument_gives_another_specification(other):
    assert spec(**other) != spec()
