import dataclasses
import math

import pytest

from zsl_jax.errors import InputError
from zsl_jax.training.config import LabelModelConfig, TransferConfig


def test_configs_can_be_static_arguments():
    config = TransferConfig()
    assert hash(config) == hash(dataclasses.replace(config, seed=0))


@pytest.mark.parametrize("weight", [0.0, -1.0, math.nan, math.inf])
def test_weights_of_the_papers_model_are_positive(weight):
    for given in ({"prior_weight": weight}, {"source_weight": (1.0, weight)}):
        with pytest.raises(InputError, match=rf"`{next(iter(given))}`=.* must be positive"):
            LabelModelConfig(**given)
    assert LabelModelConfig(prior_weight=None).weights.prior is None
