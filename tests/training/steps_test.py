import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.training.examples import ENCODER, K, starting_params
from zsl_jax import kernels
from zsl_jax.runtime.compilation import compilations, watch_compilations
from zsl_jax.training import setup, steps
from zsl_jax.training.config import JointWeights, LabelModelConfig, TransferConfig
from zsl_jax.training.config_choices import Approach, LabelModelKind, Objective, Strategy
from zsl_jax.training.devices import Devices
from zsl_jax.training.optimizer import make_optimizer
from zsl_jax.training.schedules import StepSchedule
from zsl_jax.training.state import new_classifier, trainable
from zsl_jax.training.update import Evidence, objective
from zsl_jax.types import TokenBatch

U, ROWS, LENGTH = 2, 2, 8
ONE = Devices((jax.devices()[0],))
RATES = StepSchedule(np.float32(1e-2), np.float32(1e-2), np.float32(1e-1), np.float32(0.5))
LOG_FIXED = np.log(np.tile(np.full((K, K), 0.1) + 0.7 * np.eye(K), (U, 1, 1))).astype(np.float32)


def batch_of(rng) -> TokenBatch:
    ids = rng.integers(1, 11, (ROWS, LENGTH)).astype(np.int32)
    positions = np.tile(np.arange(LENGTH, dtype=np.int32), (ROWS, 1))
    segments = np.ones((ROWS, LENGTH), np.int32)
    segments[1, 5:] = 0
    word_ids = np.where(segments > 0, np.arange(ROWS * LENGTH).reshape(ROWS, LENGTH), -1)
    return TokenBatch(ids, positions, segments, word_ids.astype(np.int32))


def problem(config: TransferConfig, seed: int = 0):
    rng = np.random.default_rng(seed)
    params = {**starting_params(), "classifier": new_classifier(rng, 8, K)}
    logits = rng.normal(size=(U, K, K)).astype(np.float32)
    probs = rng.dirichlet(np.ones(K), (ROWS * LENGTH, U)).astype(np.float32)
    target = rng.dirichlet(np.ones(K), ROWS * LENGTH).astype(np.float32)
    settings = setup.step_settings(config, ENCODER, K)
    state = ONE.replicate(setup.init_state(params, logits, config))
    return settings, state, batch_of(rng), target, probs


def lvm(**changes) -> TransferConfig:
    paper = LabelModelConfig(LabelModelKind.PAPER)
    return TransferConfig(approach=Approach.LVM, dropout=0.0, label_model=paper, **changes)


def test_second_update_of_the_same_shapes_does_not_compile_again():
    settings, state, batch, target, probs = problem(lvm())
    evidence = Evidence(target, probs, LOG_FIXED)

    def arguments():
        return problem(lvm())[1], batch, evidence, RATES

    state, _ = steps.update(ONE, settings, state, batch, evidence, RATES)
    watch_compilations()
    before = compilations().programs
    other = StepSchedule(np.float32(3e-2), np.float32(3e-2), np.float32(2e-1), np.float32(0.25))
    steps.update(ONE, settings, state, batch, evidence, other)
    assert compilations().programs == before
    steps.update(ONE, dataclasses.replace(settings, trainable_confusion=False), *arguments())
    assert compilations().programs > before


@pytest.mark.parametrize("kind", list(Objective))
def test_every_objective_falls_on_one_batch(kind):
    config = TransferConfig(dropout=0.0)
    settings, state, batch, target, probs = problem(config)
    settings = dataclasses.replace(settings, objective=kind)
    losses = []
    for _ in range(15):
        state, info = steps.update(
            ONE, settings, state, batch, Evidence(target, probs, LOG_FIXED), RATES
        )
        losses.append(float(info.loss))
    assert int(info.num_words) == 13
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("changes", [{"accumulate": 2}, {"remat": "none"}, {"remat": "all"}])
def test_saving_memory_changes_no_update(changes):
    results, kind = [], Objective.MARGINAL
    for more in ({}, changes):
        settings, state, batch, target, probs = problem(lvm(**more))
        settings = dataclasses.replace(settings, objective=kind)
        evidence = Evidence(target, probs, LOG_FIXED, np.full(ROWS * LENGTH, -1, np.int32))
        results.append(steps.update(ONE, settings, state, batch, evidence, RATES))
    (plain, info), (saved, other) = results
    assert int(info.num_words) == int(other.num_words) == 13
    np.testing.assert_allclose(info.gradient_norm, other.gradient_norm, rtol=1e-5)
    moments = [state.opt_state for state in (plain, saved)]
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), *moments)
    # Adam divides by tiny moments, which enlarges what rounding does to them.
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-4), plain[:2], saved[:2])


def test_accumulation_needs_less_memory():
    def memory(**changes):
        settings, state, batch, target, _ = problem(TransferConfig(approach="kd", **changes))
        rows = jax.tree.map(lambda leaf: np.tile(leaf, (64, 1)), batch)
        evidence = Evidence(np.tile(target, (64, 1)), None, None)
        step = steps._compiled_update(ONE, settings)
        lowered = step.lower(state, rows, evidence, None, RATES)
        return lowered.compile().memory_analysis().temp_size_in_bytes

    stored = memory(remat="none")
    assert memory(remat="none", accumulate=8) < 0.5 * stored
    assert memory(remat="all") < 0.8 * stored


def test_activations_are_bfloat16_on_accelerators_alone(monkeypatch):
    assert setup.activations_dtype(TransferConfig()) == "float32"
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert setup.activations_dtype(TransferConfig()) == "bfloat16"
    assert setup.activations_dtype(TransferConfig(dtype="float32")) == "float32"
    assert setup.step_settings(TransferConfig(), ENCODER, K).dtype == "bfloat16"


def test_direct_gradient_is_that_of_the_m_step_at_its_own_posterior():
    settings, state, batch, _, probs = problem(lvm(strategy=Strategy.DIRECT))
    tree = jax.tree.map(np.asarray, trainable(state))
    words = np.asarray(steps.log_prior(ONE, ENCODER, K, "float32", tree["tagger"], batch)).reshape(
        -1, K
    )
    logits = tree["confusion"]
    log_confusion, _ = steps.present_confusion(LOG_FIXED, logits, logits, RATES.mix)
    mask = batch.word_ids.reshape(-1) >= 0
    tight = steps.expectation(
        JointWeights(), words, probs, words, mask, log_confusion, False, hard=False
    )

    def gradient(kind, target):
        own = dataclasses.replace(settings, objective=kind)
        evidence = Evidence(target, jnp.asarray(probs), LOG_FIXED)

        def loss(values):
            return objective(
                own, values, jax.random.key(0), batch, evidence, jnp.float32(RATES.mix)
            )[0]

        return jax.jit(jax.grad(loss))(tree)

    direct = gradient(Objective.MARGINAL, None)
    m_step = gradient(Objective.M_STEP, np.asarray(tight.posterior))
    assert float(np.abs(np.asarray(direct["confusion"])).max()) > 1e-3
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=2e-5), direct, m_step)


def test_places_without_a_word_change_nothing():
    settings, state, batch, target, probs = problem(lvm())
    _, info = steps.update(ONE, settings, state, batch, Evidence(target, probs, LOG_FIXED), RATES)
    settings, state, batch, target, probs = problem(lvm())
    empty = batch.word_ids.reshape(-1) < 0
    target[empty], probs[empty] = 7.0, np.nan
    probs = np.nan_to_num(probs, nan=0.9)
    _, other = steps.update(ONE, settings, state, batch, Evidence(target, probs, LOG_FIXED), RATES)
    assert float(info.loss) == float(other.loss)
    assert float(info.gradient_norm) == float(other.gradient_norm)


def test_an_all_zero_target_leaves_its_word_out():
    settings, state, batch, target, _ = problem(TransferConfig(approach=Approach.KD, dropout=0.0))
    target[3] = 0.0
    _, info = steps.update(ONE, settings, state, batch, Evidence(target, None, None), RATES)
    assert int(info.num_words) == 12


def test_fixed_confusion_has_no_gradient_but_the_tagger_has():
    settings, state, batch, target, probs = problem(lvm())
    settings = dataclasses.replace(settings, trainable_confusion=False)
    before = np.asarray(state.confusion_logits)
    head = np.asarray(state.params["classifier"]["kernel"])
    state, _ = steps.update(ONE, settings, state, batch, Evidence(target, probs, LOG_FIXED), RATES)
    np.testing.assert_array_equal(before, state.confusion_logits)
    assert np.abs(head - np.asarray(state.params["classifier"]["kernel"])).max() > 1e-4


def test_bound_is_above_the_objective_and_tight_at_the_posterior():
    rng = np.random.default_rng(4)
    priors = np.log(rng.dirichlet(np.ones(K), 20)).astype(np.float32)
    labels = rng.integers(-1, K, (20, U)).astype(np.int32)
    log_confusion = kernels.log_confusion_from_logits(jnp.asarray(rng.normal(size=(U, K, K))))
    other = rng.dirichlet(np.ones(K), 20).astype(np.float32)
    mask = np.ones(20, bool)
    arguments = (JointWeights(), priors, labels, other, mask, np.float32(log_confusion))
    watch_compilations()
    before = compilations()
    tight = steps.expectation(*arguments, np.False_, hard=False)
    loose = steps.expectation(*arguments, np.True_, hard=False)
    assert compilations().programs - before.programs == 1
    ready = steps.expectation(*arguments[:3], tight.posterior, *arguments[4:], np.True_, hard=False)
    np.testing.assert_allclose(ready.bound, tight.objective, rtol=1e-5)
    assert float(tight.bound) == pytest.approx(float(tight.objective), rel=1e-5)
    assert float(loose.bound) > float(loose.objective) + 0.1


def test_the_optimiser_starts_as_optax_starts_it():
    tree = {"a": {"kernel": np.ones((2, 3), np.float32)}, "b": np.ones(2, np.float32)}
    config = TransferConfig().optimizer
    ours, theirs = steps.init_optimizer(tree, config), make_optimizer(config).init(tree)
    assert jax.tree.structure(ours) == jax.tree.structure(theirs)
    for first, second in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
        assert first.dtype == second.dtype
        np.testing.assert_array_equal(first, second)
