import dataclasses
import math

import pytest

from zsl_jax.errors import InputError
from zsl_jax.training.config import ChainConfig, LabelModelConfig, TransferConfig


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
