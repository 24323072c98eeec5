import pytest

from tests.training.steps_test import ENCODER
from zsl_jax.training.config import TrainConfig
from zsl_jax.training.setup import step_settings


@pytest.mark.parametrize(("given", "before_the_head"), [(None, 0.2), (0.5, 0.5), (0.0, 0.0)])
def test_head_dropout_is_as_dropout_unless_it_is_given(given, before_the_head):
    config = TrainConfig(dropout=0.2, head_dropout=given)
    encoder = step_settings(config, ENCODER, 3).encoder
    assert (encoder.dropout, encoder.attention_dropout) == (0.2, 0.2)
    assert encoder.head_dropout == before_the_head
