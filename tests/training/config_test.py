import dataclasses

from zsl_jax.training.config import TransferConfig


def test_configs_can_be_static_arguments():
    config = TransferConfig()
    assert hash(config) == hash(dataclasses.replace(config, seed=0))
