import pytest

from tests.training.steps_test import ENCODER
from zsl_jax.training.config import LabelModelConfig, TrainConfig, TransferConfig
from zsl_jax.training.config_choices import Approach
from zsl_jax.training.setup import step_settings


@pytest.mark.parametrize(("given", "before_the_head"), [(None, 0.2), (0.5, 0.5), (0.0, 0.0)])
def test_head_dropout_is_as_dropout_unless_it_is_given(given, before_the_head):
    config = TrainConfig(dropout=0.2, head_dropout=given)
    encoder = step_settings(config, ENCODER, 3).encoder
    assert (encoder.dropout, encoder.attention_dropout) == (0.2, 0.2)
    assert encoder.head_dropout == before_the_head


def test_trainings_on_fixed_distributions_share_one_compiled_update():
    supervised = step_settings(TrainConfig(), ENCODER, 3)
    by_chain = TransferConfig()
    kd = TransferConfig(approach=Approach.KD, label_model=LabelModelConfig(source_weight=(2.0,)))
    assert step_settings(by_chain, ENCODER, 3) == step_settings(kd, ENCODER, 3) == supervised


def test_updates_with_the_label_model_have_its_settings():
    model = LabelModelConfig(kind="paper", source_weight=(2.0,), confusion_update="gradient")
    settings = step_settings(TransferConfig(label_model=model), ENCODER, 3)
    assert settings.weights.source == (2.0,) and settings.trainable_confusion
