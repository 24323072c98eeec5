"""Every approach and strategy for one round, on tiny data, with and without known words."""

import dataclasses

import numpy as np
import pytest

from tests.tiny_world import LABELS
from zsl_jax.data.predictions.source_predictions import SourcePredictions
from zsl_jax.data.text.readers import read_sentences
from zsl_jax.errors import InputError
from zsl_jax.io.run_folder import RunSpec, create_run_folder
from zsl_jax.kernels import diagonal_from_temperature
from zsl_jax.training.config import (
    ChainConfig,
    LabelModelConfig,
    OptimizerConfig,
    TransferConfig,
)
from zsl_jax.training.config_choices import Approach, LabelModelKind, Strategy
from zsl_jax.training.confusion_matrices import temperatures
from zsl_jax.types import Sentence
from zsl_jax.workflows.approaches import fitted_chain, with_chain
from zsl_jax.workflows.chain_model import aggregate_with_text
from zsl_jax.workflows.loaded_tagger import load_tagger
from zsl_jax.workflows.transfer_task import prepare_transfer, run_approach

RECORD = RunSpec({}, 0)
KNOWN = 12  # words
CONFIG = TransferConfig(
    rounds=1, row_length=32, batch_words=64, optimizer=OptimizerConfig(learning_rate=0.01)
)
PAPER, CHAIN = LabelModelKind.PAPER, LabelModelKind.CHAIN
MULTI = [
    *((approach, Strategy.SOFT_EM, None) for approach in (Approach.HARD_VOTE, Approach.HARD_CAT)),
    (Approach.KD, Strategy.SOFT_EM, None),
    (Approach.KD, Strategy.SOFT_EM, CHAIN),
    *((a, strategy, PAPER) for a in (Approach.MRT, Approach.LVM) for strategy in Strategy),
    *((Approach.LVM, strategy, CHAIN) for strategy in (Strategy.SOFT_EM, Strategy.HARD_EM)),
]


def predictions(text, labels, probs=None):
    """A source's predictions of a text, as certain as `probs` has it."""
    words = tuple(sentence.words for sentence in text)
    return SourcePredictions(LABELS, labels.astype(np.int32), probs, words)


@pytest.fixture(scope="module")
def start(world):
    return load_tagger(str(world.encoder))


@pytest.fixture(scope="module")
def text(world):
    return read_sentences(world.text)


@pytest.fixture(scope="module")
def gold(text):
    return np.array([LABELS.index(label) for sentence in text for label in sentence.labels])


def prepared(start, text, found, **more):
    return prepare_transfer(start, [[s._replace(labels=None) for s in text]], [found], 32, **more)


@pytest.fixture(scope="module")
def experiment(start, text, gold):
    """Two sources that are right nine times in ten, in the same places, and a random one."""
    rng = np.random.default_rng(0)
    labels = np.where(rng.random(len(gold)) < 0.9, gold, rng.integers(0, 3, len(gold)))
    first = predictions(text, labels, (0.1 + 0.7 * np.eye(3)[labels]).astype(np.float16))
    random = rng.dirichlet(np.full(3, 3.0), len(gold)).astype(np.float16)
    noise = predictions(text, random.argmax(-1), random)
    return prepared(start, text, {"first": first, "copy": first, "noise": noise})


@pytest.fixture(scope="module")
def known(start, text, gold):
    """An experiment from noise, with the right labels of a dozen words."""
    rng = np.random.default_rng(0)
    probs = rng.dirichlet(np.ones(3), len(gold)).astype(np.float16)
    noise = predictions(text, probs.argmax(-1), probs)
    ids = np.where(np.arange(len(gold)) < KNOWN, gold, -1)
    found = dict.fromkeys("abc", noise)  # as many sources as above: the same compiled programs
    return prepared(start, text, found, gold_words=[predictions(text, ids)]), ids[:KNOWN]


@pytest.mark.parametrize("predictions", ["soft", "hard"])
@pytest.mark.parametrize(("approach", "strategy", "kind"), MULTI)
def test_every_approach_and_strategy_from_three_sources(
    experiment, tmp_path, approach, strategy, kind, predictions
):
    config = dataclasses.replace(
        CONFIG, approach=approach, strategy=strategy, predictions=predictions,
        label_model=LabelModelConfig(kind),
    )  # fmt: skip
    done = run_approach(experiment, config, create_run_folder(tmp_path / "run", RECORD), "x")
    assert (done.posterior is not None) == approach.has_label_model
    assert np.isfinite(done.tagger.params["classifier"]["kernel"]).all()
    if done.posterior is not None:
        np.testing.assert_allclose(done.posterior.sum(-1), 1.0, atol=1e-4)
        if strategy is Strategy.HARD_EM and kind is PAPER:
            assert set(np.unique(done.posterior)) <= {0.0, 1.0}


@pytest.mark.parametrize("approach", [Approach.HARD, Approach.KD, Approach.MRT, Approach.LVM])
@pytest.mark.parametrize("predictions", ["soft", "hard"])
def test_every_approach_from_one_source(experiment, tmp_path, approach, predictions):
    votes = experiment.text.votes
    one = votes._replace(
        labels=votes.labels[:, :1], probs=votes.probs[:, :1], compatible=votes.compatible[:1]
    )
    experiment = experiment._replace(text=experiment.text._replace(votes=one), names=("first",))
    config = dataclasses.replace(CONFIG, approach=approach, predictions=predictions)
    done = run_approach(experiment, config, create_run_folder(tmp_path / "run", RECORD), "x")
    assert np.isfinite(done.tagger.params["classifier"]["kernel"]).all()


@pytest.mark.parametrize(
    ("predictions", "changes"),
    [
        ("hard", {"confusion_update": "closed_form"}),
        (
            "soft",
            {"confusion_update": "closed_form", "confusion_evidence": "soft", "mix_start": 0.0},
        ),
        ("hard", {"confusion_init": "dawid_skene", "mix_start": 0.0}),
    ],
)
def test_other_ways_to_learn_the_confusion(experiment, tmp_path, predictions, changes):
    """Two sources that agree are believed more than at the start, one that guesses less."""
    config = dataclasses.replace(
        CONFIG, rounds=2, predictions=predictions, label_model=LabelModelConfig(PAPER, **changes)
    )
    done = run_approach(experiment, config, create_run_folder(tmp_path / "run", RECORD), "x")
    np.testing.assert_allclose(np.exp(done.log_confusion).sum(1), 1.0, atol=1e-4)
    *good, noise = np.exp(np.diagonal(done.log_confusion, axis1=1, axis2=2)).mean(1)
    start = diagonal_from_temperature(temperatures(config.label_model, 3)[1], num_labels=3)
    assert min(good) > start + 0.03 and noise < start - 0.01


def test_the_same_seed_gives_the_same_numbers(experiment, tmp_path):
    def run(name: str, seed: int):
        config = dataclasses.replace(CONFIG, seed=seed)
        return run_approach(experiment, config, create_run_folder(tmp_path / name, RECORD), "x")

    first, second, other = run("a", 1), run("b", 1), run("c", 2)
    np.testing.assert_array_equal(first.posterior, second.posterior)
    np.testing.assert_array_equal(first.log_confusion, second.log_confusion)
    assert not np.array_equal(first.posterior, other.posterior)


@pytest.mark.parametrize(("approach", "strategy", "kind"), MULTI)
def test_known_words_are_learned_by_every_approach(known, tmp_path, approach, strategy, kind):
    experiment, ids = known
    config = dataclasses.replace(
        CONFIG, approach=approach, strategy=strategy, epochs=1, label_model=LabelModelConfig(kind)
    )
    run = create_run_folder(tmp_path / "run", RECORD)
    done = run_approach(experiment, config, run, "x")
    assert np.isfinite(done.tagger.params["classifier"]["kernel"]).all()
    votes = experiment.text.votes
    unknown = experiment._replace(text=experiment.text._replace(votes=votes._replace(gold=None)))
    other = run_approach(unknown, config, run, "y")
    first, second = (made.tagger.params["classifier"]["kernel"] for made in (done, other))
    assert np.abs(first - second).max() > 1e-4
    if done.posterior is not None:
        np.testing.assert_array_equal(done.posterior[:KNOWN], np.eye(3)[ids])
        assert (other.posterior[:KNOWN].argmax(-1) != ids).any()


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"stop_early": True}, "`stop_early` is for the paper's label model, whose J it uses"),
        ({"strategy": Strategy.DIRECT}, "`strategy`=direct is for the paper's label model"),
        (
            {"approach": Approach.MRT, "label_model": LabelModelConfig(CHAIN)},
            "`label_model`=chain cannot be combined with `approach`=mrt",
        ),
    ],
)
def test_settings_that_the_chain_would_ignore_are_refused(experiment, settings, problem):
    config = dataclasses.replace(CONFIG, **settings)
    with pytest.raises(InputError, match=problem):
        with_chain(experiment.text, experiment.label_set, config)


def test_the_votes_of_a_test_are_weighted_by_the_settings_that_the_chain_was_fitted_with(
    experiment,
):
    own = ChainConfig(source_weight=0.5, back_off=3.0)
    config = dataclasses.replace(CONFIG, label_model=LabelModelConfig(chain=own))
    text = with_chain(experiment.text, experiment.label_set, config)
    assert fitted_chain(text, experiment.label_set).config == own
    assert fitted_chain(experiment.text, experiment.label_set).config == ChainConfig()


@pytest.mark.parametrize("predictions", ["soft", "hard"])
def test_a_chain_that_was_fitted_to_labels_reads_a_test_as_the_setting_says(
    experiment, tmp_path, predictions
):
    """The row "chain" of the table, as Q does."""
    config = dataclasses.replace(
        CONFIG, predictions=predictions, label_model=LabelModelConfig(CHAIN)
    )
    votes, label_set = experiment.text.votes, experiment.label_set
    labels = experiment._replace(text=experiment.text._replace(votes=votes._replace(probs=None)))
    text = with_chain(labels.text, label_set, config)
    done = run_approach(labels, config, create_run_folder(tmp_path / "run", RECORD), "x")
    found = fitted_chain(text, label_set)
    assert found.predictions == done.chain.predictions == predictions
    sentences = [Sentence(words) for words in (("Ka",), ("tab",)) for _ in range(30)]
    test = votes._replace(labels=votes.labels[:60], probs=votes.probs[:60])
    soft, hard = (
        aggregate_with_text(given, sentences, label_set, "chain", found).probs
        for given in (test, test._replace(probs=None))
    )
    assert (np.abs(soft - hard).max() > 1e-3) == (predictions == "soft")
