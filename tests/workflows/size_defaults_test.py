import pytest

from zsl_jax.training.config import (
    Approach,
    LabelModelConfig,
    OptimizerConfig,
    TrainConfig,
    TransferConfig,
)
from zsl_jax.training.config_choices import LabelModelKind
from zsl_jax.workflows.size_defaults import batch_words_for, with_epochs, with_head_rate

PAPER = {"label_model": LabelModelConfig(kind=LabelModelKind.PAPER)}


@pytest.mark.parametrize(
    ("words", "from_source", "expected"),
    [(1, True, 10), (10_000, True, 3), (5_000, True, 6), (10_000, False, 10), (10**6, False, 1)],
)
def test_small_texts_have_more_epochs(words, from_source, expected):
    assert with_epochs(TransferConfig(), words, from_source).epochs == expected
    assert with_epochs(TransferConfig(rounds=5), words, from_source).epochs == expected


@pytest.mark.parametrize("changes", [{"approach": Approach.KD}, PAPER, {"approach": Approach.HARD}])
@pytest.mark.parametrize(
    ("rounds", "epochs", "passes"), [(None, None, 12), (4, None, 4), (None, 2, 6), (4, 2, 8)]
)
def test_training_that_does_not_restart_has_them_in_all_rounds(changes, rounds, epochs, passes):
    config = TransferConfig(rounds=rounds, epochs=epochs, **changes)
    assert with_epochs(config, 5_000, False).passes == passes


@pytest.mark.parametrize(
    ("words", "expected"), [(1, 64), (16_000, 120), (68_000, 510), (10**7, 512)]
)
def test_small_texts_have_small_batches(words, expected):
    assert batch_words_for(words, TrainConfig(epochs=3)) == expected


def test_the_batches_of_the_default_follow_from_one_m_step_and_others_from_all_rounds():
    chain = TransferConfig(rounds=2, epochs=4)
    paper = TransferConfig(rounds=2, epochs=4, label_model=LabelModelConfig(LabelModelKind.PAPER))
    distilled = TransferConfig(approach=Approach.KD, rounds=2, epochs=4)
    sizes = [batch_words_for(20_000, config) for config in (chain, paper, distilled)]
    assert sizes == [200, 400, 400]


def test_words_per_update_that_are_given_are_kept():
    assert batch_words_for(100, TrainConfig(batch_words=8192)) == 8192
    assert batch_words_for(10**7, TrainConfig(batch_words=16)) == 16


@pytest.mark.parametrize(
    ("hidden_size", "learning_rate", "given", "expected"),
    [
        (384, 1e-4, None, 2 / 384),
        (1024, 2e-5, None, 2 / 1024),
        (16, 1e-4, None, 0.01),
        (1024, 0.02, None, 0.02),
        (384, 1e-4, 1e-4, 1e-4),
        (384, 1e-4, 0.0, 0.0),
    ],
)
def test_the_rate_of_the_head_falls_with_its_width(hidden_size, learning_rate, given, expected):
    optimizer = OptimizerConfig(learning_rate=learning_rate, head_learning_rate=given)
    config = with_head_rate(TrainConfig(optimizer=optimizer), hidden_size)
    assert config.optimizer.head_learning_rate == pytest.approx(expected)
    assert config.optimizer.learning_rate == learning_rate
