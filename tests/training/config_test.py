import dataclasses
import math

import numpy as np
import pytest

from zsl_jax.errors import InputError
from zsl_jax.training.config import (
    ChainConfig,
    LabelModelConfig,
    OptimizerConfig,
    TrainConfig,
    TransferConfig,
)


def test_configs_can_be_static_arguments():
    config = TransferConfig()
    assert hash(config) == hash(dataclasses.replace(config, seed=0))


@pytest.mark.parametrize("weight", [0.0, -1.0, math.nan, math.inf])
def test_weights_of_the_papers_model_are_positive(weight):
    for given in ({"prior_weight": weight}, {"source_weight": (1.0, weight)}):
        with pytest.raises(InputError, match=rf"`{next(iter(given))}`=.* must be positive"):
            LabelModelConfig(**given)
    assert LabelModelConfig(prior_weight=None).weights.prior is None


@pytest.mark.parametrize(
    ("name", "value", "bounds"),
    [
        ("iterations", 0, "at least 1; correct it"),
        ("identity_share", 1.5, r"at least 0\.0 and at most 1\.0"),
        ("tagger_weight", math.nan, r"at least 0\.0; correct it"),
        ("back_off", 0, "at least 1e-06"),
    ],
)
def test_settings_of_the_chain_are_in_bounds(name, value, bounds):
    with pytest.raises(InputError, match=rf"`{name}`={value} must be {bounds}"):
        ChainConfig(**{name: value})


@pytest.mark.parametrize(
    ("config", "settings", "message"),
    [
        (TransferConfig, {"epochs": 1.5}, "`epochs`=1.5 must be a whole number"),
        (TransferConfig, {"rounds": "2"}, "`rounds`='2' must be a whole number"),
        (TransferConfig, {"epochs": True}, "`epochs`=True must be a whole number"),
        (TransferConfig, {"stop_early": "no"}, "`stop_early`='no' must be True or False"),
        (TransferConfig, {"dropout": None}, "`dropout`=None must be a number"),
        (TransferConfig, {"init": None}, "`init`=None must be a string"),
        (TrainConfig, {"optimizer": {"warmup": 0}}, "`optimizer`=.* must be of the type Opt"),
        (
            TrainConfig,
            {"optimizer": 0.1},
            r"`optimizer`=0.1 .*; give zsl_jax.OptimizerConfig\(name=value, ...\)",
        ),
        (
            TransferConfig,
            {"label_model": "paper"},
            r"`label_model`='paper' .*; give zsl_jax.LabelModelConfig\(kind='paper'\)",
        ),
        (TransferConfig, {"approach": None}, "`approach`=None is not one of direct, hard"),
        (OptimizerConfig, {"decay": None}, "`decay`=None is not one of linear, constant"),
        (
            LabelModelConfig,
            {"prior_weight": 0.0},
            "`prior_weight`=0.0 must be positive and finite;",
        ),
        (LabelModelConfig, {"source_weight": (1.0, -1.0)}, "`source_weight`=.* positive numbers"),
        (LabelModelConfig, {"source_weight": [1.0]}, "`source_weight`=.* give a tuple of them"),
        (LabelModelConfig, {"source_weight": ()}, "`source_weight`=.* must be positive numbers"),
    ],
)
def test_values_of_other_types_are_refused(config, settings, message):
    with pytest.raises(InputError, match=message):
        config(**settings)


@pytest.mark.parametrize(
    ("config", "settings", "message"),
    [
        (TrainConfig, {"epochs": np.int64(-5)}, "`epochs`=-5 must be at least 1"),
        (OptimizerConfig, {"learning_rate": np.float32(-1)}, "`learning_rate`=-1.0 must be"),
        (LabelModelConfig, {"source_weight": (True, 0.5)}, "`source_weight`=.* positive numbers"),
    ],
)
def test_numbers_of_numpy_have_the_same_bounds(config, settings, message):
    with pytest.raises(InputError, match=message):
        config(**settings)


def test_numbers_of_numpy_and_absent_settings_are_taken():
    config = TransferConfig(epochs=np.int64(2), dropout=np.float32(0.5), rounds=None)
    assert (config.epochs, config.dropout) == (2, 0.5)
    assert OptimizerConfig(learning_rate=1).learning_rate == 1
    assert LabelModelConfig(prior_weight=None, source_weight=(1, 0.5)).weights.prior is None
