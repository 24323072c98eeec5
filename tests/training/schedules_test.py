import dataclasses

import pytest

from zsl_jax.training.config import LabelModelConfig, OptimizerConfig, TransferConfig
from zsl_jax.training.config_choices import Approach, LabelModelKind
from zsl_jax.training.schedules import rate_factor, schedule_at


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_mix_goes_from_start_to_end_and_never_back(schedule):
    label_model = LabelModelConfig(mix_start=0.9, mix_end=0.2, mix_schedule=schedule)
    values = [TransferConfig(label_model=label_model).mix(step / 20) for step in range(21)]
    assert values[0] == pytest.approx(0.9) and values[-1] == pytest.approx(0.2)
    assert values == sorted(values, reverse=True)


def test_rate_rises_to_its_height_and_falls_to_zero():
    values = [rate_factor(step / 10, 0.2, "linear") for step in range(11)]
    assert values.index(max(values)) == 2
    assert max(values) == pytest.approx(1.0)
    assert values[0] == values[-1] == 0.0


@pytest.mark.parametrize("warmup", [0.0, 0.2])
def test_rate_without_decay_stays_at_its_height(warmup):
    optimizer = OptimizerConfig(0.5, head_learning_rate=0.25, warmup=warmup, decay="constant")
    steps = [schedule_at(step / 10, TransferConfig(optimizer=optimizer)) for step in range(11)]
    rates = [float(step.learning_rate) for step in steps]
    assert [2 * step.head_learning_rate for step in steps] == rates
    assert rates == sorted(rates)
    assert set(rates[2:]) == {0.5} and (rates[0] == 0.5) == (warmup == 0)


def test_a_head_without_a_rate_is_an_error():
    with pytest.raises(ValueError, match="head_learning_rate"):
        schedule_at(0.5, TransferConfig())


def test_minimum_risk_training_keeps_the_fixed_matrices():
    label_model = LabelModelConfig(LabelModelKind.PAPER, mix_start=0.5, mix_end=0.0)
    config = TransferConfig(approach=Approach.MRT, label_model=label_model)
    assert config.mix(0.7) == 1.0
    lvm = dataclasses.replace(config, approach=Approach.LVM)
    assert lvm.mix(0.5) == pytest.approx(0.25)
