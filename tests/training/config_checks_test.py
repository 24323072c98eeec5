import pytest

from zsl_jax.errors import InputError
from zsl_jax.training.config import ChainConfig, LabelModelConfig, OptimizerConfig, TransferConfig
from zsl_jax.training.config_checks import check_read, shared_settings, warn_of_unread

PAPER = {"kind": "paper"}
CASES = [
    ("mrt", {"tau_trainable": 3.0, "tau_fixed": 9.0}, ["`tau_trainable` (by `approach`=mrt)"]),
    (
        "mrt",
        {"mix_end": 0.5, "confusion_update": "closed_form", "prior_weight": 2.0},
        ["`confusion_update` (by `approach`=mrt)", "`mix_end` (by `approach`=mrt)"],
    ),
    ("lvm", {**PAPER, "pseudo_count": 2.0}, ["`pseudo_count` (by `confusion_update`=gradient)"]),
    (
        "lvm",
        {**PAPER, "confusion_update": "closed_form", "confusion_learning_rate": 0.1},
        ["`confusion_learning_rate` (by `confusion_update`=closed_form)"],
    ),
    ("lvm", {**PAPER, "tau_trainable": 3.0, "mix_end": 0.5, "source_weight": (2.0,)}, []),
    ("kd", {"chain": ChainConfig(power=0.0)}, ["`chain.power` (by `approach`=kd)"]),
    (
        "lvm",
        {**PAPER, "chain": ChainConfig(power=2.0, source_weight=1.0), "source_weight": (2.0,)},
        [
            "`chain.source_weight` (by `label_model`=paper)",
            "`chain.power` (by `label_model`=paper)",
        ],
    ),
    (
        "kd",
        {"kind": "chain", "chain": ChainConfig(power=2.0, tagger_weight=1.0)},
        ["`chain.tagger_weight` (by `approach`=kd)"],
    ),
    ("lvm", {"chain": ChainConfig(power=2.0)}, []),
    ("lvm", {}, []),
    ("kd", {}, []),
]


@pytest.mark.parametrize(("approach", "label_model", "expected"), CASES)
def test_settings_that_are_not_read_are_named_in_one_line(approach, label_model, expected, caplog):
    config = TransferConfig(approach=approach, label_model=LabelModelConfig(**label_model))
    with shared_settings():
        warn_of_unread(config)
    assert not caplog.messages
    warn_of_unread(config)
    lines = [f"settings that are not used: {', '.join(expected)}; omit them"] if expected else []
    assert caplog.messages == lines


def test_the_source_as_it_is_reads_no_setting_of_training(caplog):
    optimizer = OptimizerConfig(learning_rate=1.0)
    config = TransferConfig(approach="direct", rounds=1, row_length=32, optimizer=optimizer)
    warn_of_unread(config)
    (line,) = caplog.messages
    assert "`rounds` (by `approach`=direct)" in line and "`learning_rate` (by" in line
    assert "row_length" not in line
    with pytest.raises(InputError, match="`rounds` is not used by `approach`=direct; omit it"):
        check_read(config, ["rounds"])


@pytest.mark.parametrize("approach", ["hard", "hard_vote", "hard_cat"])
def test_probabilities_are_not_read_where_labels_are_the_targets(approach, caplog):
    with pytest.raises(InputError, match=f"`predictions` is not used by `approach`={approach}"):
        check_read(TransferConfig(approach=approach, predictions="soft"), ["predictions"])
    hard = TransferConfig(approach=approach, predictions="hard")
    check_read(hard, ["predictions"])
    warn_of_unread(hard)
    assert not caplog.messages
