"""Training above frozen layers is training the whole tagger with the gradient below set to zero."""

import dataclasses
import functools

import jax
import numpy as np
import optax
import pytest

from zsl_jax.data.text.readers import read_sentences
from zsl_jax.errors import InputError
from zsl_jax.labels import LabelSet
from zsl_jax.models.frozen_split import join_layers, split_layers
from zsl_jax.training import loop, setup
from zsl_jax.training.config import LabelModelConfig, OptimizerConfig, TransferConfig
from zsl_jax.training.config_choices import Approach, LabelModelKind
from zsl_jax.training.devices import all_devices
from zsl_jax.training.e_step import predict_log_prior
from zsl_jax.training.hooks import Hooks
from zsl_jax.training.optimizer import make_optimizer
from zsl_jax.training.schedules import schedule_at
from zsl_jax.training.state import new_classifier
from zsl_jax.training.update import Evidence, objective
from zsl_jax.types import SourceVotes
from zsl_jax.workflows import frozen_cache
from zsl_jax.workflows.approaches import TransferCorpus, train_target
from zsl_jax.workflows.chain_model import text_words
from zsl_jax.workflows.frozen_cache import SharedLayers, precompute_frozen, text_log_probs
from zsl_jax.workflows.loaded_tagger import encode_text, load_tagger, predict_windows
from zsl_jax.workflows.resumable_training import Saving
from zsl_jax.workflows.trainable_part import assemble_tagger, set_up_training

SCHEME = LabelSet(("A", "B", "C"))
CONFIG = TransferConfig(
    approach=Approach.KD, rounds=2, row_length=32, batch_words=64, dropout=0.0,
    optimizer=OptimizerConfig(learning_rate=0.01, head_learning_rate=0.02),
)  # fmt: skip
LAYERS = [0, 1, 2]


@pytest.fixture(scope="module")
def start(world):
    return load_tagger(world.encoder)


@pytest.fixture(scope="module")
def windows(world, start):
    return encode_text(start, read_sentences(world.text, with_labels=False), 32)


@pytest.fixture(scope="module")
def masked(start, windows):
    """Trains above the given number of frozen layers; computed once per number."""
    return functools.cache(functools.partial(masked_training, start, windows))


def config_of(layers: int | None, **changes) -> TransferConfig:
    return dataclasses.replace(CONFIG, trainable_layers=layers, **changes)


def target_of(windows):
    return np.random.default_rng(0).dirichlet(np.ones(3), windows.num_words).astype(np.float32)


def masked_training(start, windows, layers):
    """The losses of the whole tagger whose lower layers get no gradient, and its parameters."""
    fit = set_up_training(start, SCHEME, [windows], config_of(None))
    settings, corpus, target = fit.training.settings, fit.training.corpus, target_of(windows)
    frozen, upper = split_layers(fit.state.params, layers)
    optimizer = make_optimizer(CONFIG.optimizer)
    moments, losses = optimizer.init(upper), []

    @jax.jit
    def value_and_gradient(params, batch, rows):
        def mean(params):
            tree = {"tagger": params, "confusion": fit.state.confusion_logits}
            evidence = Evidence(rows, None, None)
            total, count = objective(settings, tree, jax.random.key(0), batch, evidence, 1.0)
            return total / count

        return jax.value_and_grad(mean)(params)

    @jax.jit
    def updated(upper, gradient, moments, rates):
        direction, moments = optimizer.update(gradient, moments, upper)
        step = {"encoder": rates.learning_rate, "classifier": rates.head_learning_rate}
        moved = {
            shard: jax.tree.map(lambda leaf, rate=step[shard]: -rate * leaf, direction[shard])
            for shard in direction
        }
        return optax.apply_updates(upper, moved), moments

    for epoch in range(CONFIG.passes):
        batches = corpus.epoch(epoch)
        for index in range(len(batches)):
            rows = target[np.maximum(batches[index].word_ids.reshape(-1), 0)]
            params = join_layers(frozen, jax.tree.map(np.asarray, upper))
            loss, gradient = value_and_gradient(params, batches[index], rows)
            losses.append(float(loss))
            gradient = split_layers(gradient, layers)[1]
            rates = schedule_at((epoch + (index + 0.5) / len(batches)) / CONFIG.passes, CONFIG)
            upper, moments = updated(upper, gradient, moments, rates)
    return losses, upper


def frozen_training(start, windows, layers, folder):
    config, losses = config_of(layers), []
    shards, states = precompute_frozen(start, [windows], config, folder)
    fit = set_up_training(start, SCHEME, shards, config, states=states)
    hooks = Hooks(on_step=lambda record: losses.append(record.loss))
    training = fit.training._replace(hooks=hooks)
    state = loop.distil(training, setup.ResumePoint(fit.state), target_of(windows))
    return losses, state.params, assemble_tagger(start, fit, state.params, SCHEME)


@pytest.mark.parametrize(
    ("layers", "dtype", "tolerance"),
    [(0, "float32", 1e-5), (1, "float32", 1e-5), (2, "float32", 1e-5), (1, "float16", 1e-3)],
)
def test_it_is_the_whole_training_with_a_masked_gradient(
    start, windows, masked, tmp_path, monkeypatch, layers, dtype, tolerance
):
    monkeypatch.setattr(frozen_cache, "DTYPE", dtype)
    expected, upper = masked(layers)
    losses, params, tagger = frozen_training(start, windows, layers, tmp_path)
    assert len(losses) > 6 and losses[-1] < losses[0]
    np.testing.assert_allclose(losses, expected, atol=tolerance)
    if dtype == "float32":  # Adam divides by tiny moments: signs, not sizes
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=2e-3), params, dict(upper))
    before, after = start.params["encoder"], tagger.params["encoder"]
    same, moved = split_layers({"encoder": after}, layers)
    jax.tree.map(np.testing.assert_array_equal, same, split_layers({"encoder": before}, layers)[0])
    assert jax.tree.structure(after) == jax.tree.structure(before)
    for leaf in jax.tree.leaves(moved["encoder"]):
        assert len(leaf) == layers
    if layers:
        first = split_layers({"encoder": before}, layers)[1]["encoder"]["layers"]
        query = moved["encoder"]["layers"]["query"]["kernel"] - first["query"]["kernel"]
        assert np.abs(query).max() > 1e-3


def test_a_whole_training_does_something_else(start, windows, masked):
    fit = set_up_training(start, SCHEME, [windows], config_of(None))
    losses = []
    training = fit.training._replace(hooks=Hooks(on_step=lambda r: losses.append(r.loss)))
    loop.distil(training, setup.ResumePoint(fit.state), target_of(windows))
    above, _ = masked(1)
    assert losses[0] == pytest.approx(above[0], abs=1e-5)
    assert max(abs(a - b) for a, b in zip(losses, above, strict=True)) > 1e-3


@pytest.mark.parametrize("layers", LAYERS)
def test_predictions_from_the_cache_are_those_of_the_whole_tagger(start, windows, tmp_path, layers):
    """Of the E step, over two shards of the text."""
    config = config_of(layers)
    shards, states = precompute_frozen(start, [windows, windows], config, tmp_path)
    assert states.dtype == np.float16 and states.shape == (2 * len(windows.token_ids), 16)
    fit = set_up_training(start, SCHEME, shards, config, states=states)
    corpus, settings = fit.training.corpus, fit.training.settings
    found = predict_log_prior(
        all_devices().local, (settings.encoder, 3, "float32"), fit.state.params, corpus.in_order,
        corpus.num_words,
    )  # fmt: skip
    whole = assemble_tagger(start, fit, fit.state.params, SCHEME)
    expected = predict_windows(whole, windows, 32)
    np.testing.assert_allclose(found, np.concatenate([expected] * 2), atol=1e-3)
    assert np.abs(found - expected.mean(0)).max() > 1e-2


@pytest.mark.parametrize("layers", LAYERS)
def test_the_optimiser_holds_nothing_for_frozen_parameters(start, windows, tmp_path, layers):
    config = config_of(layers)
    shards, states = precompute_frozen(start, [windows], config, tmp_path)
    state = set_up_training(start, SCHEME, shards, config, states=states).state
    moments, _ = jax.tree_util.tree_flatten_with_path(state.opt_state)
    paths = [jax.tree_util.keystr(path) for path, _ in moments]
    assert not any("embeddings" in path for path in paths)
    sizes = [leaf.size for leaf in jax.tree.leaves(state.params)]
    assert sum(leaf.size for _, leaf in moments) == 2 * sum(sizes) + 1  # and Adam's count
    layer = sum(leaf[0].size for leaf in jax.tree.leaves(start.params["encoder"]["layers"]))
    assert sum(sizes) == layers * layer + 16 * 3 + 3


def test_the_file_is_found_again_and_another_one_is_made_for_anything_else(
    start, windows, tmp_path, monkeypatch
):
    config = config_of(1)
    first = precompute_frozen(start, [windows], config, tmp_path)
    (path,) = tmp_path.iterdir()
    monkeypatch.setattr(frozen_cache, "hidden_states", None)  # it is not to be called
    again = precompute_frozen(start, [windows], config, tmp_path)
    np.testing.assert_array_equal(first.states, again.states)
    assert list(tmp_path.iterdir()) == [path]
    monkeypatch.undo()
    embeddings = start.params["encoder"]["embeddings"]
    moved = {**embeddings, "position": embeddings["position"] + 1}
    encoder = {**start.params["encoder"], "embeddings": moved}
    for other in (
        (start._replace(params={**start.params, "encoder": encoder}), [windows], config),
        (start, [windows._replace(token_ids=windows.token_ids[::-1])], config),
        (start, [windows], config_of(0)),
        (start, [windows], config_of(1, dtype="bfloat16")),
    ):
        before = set(tmp_path.iterdir())
        precompute_frozen(*other, tmp_path)
        assert len(set(tmp_path.iterdir()) - before) == 1


def test_shared_layers_run_once_for_all_taggers_and_change_no_probability(
    world, start, tmp_path, monkeypatch
):
    sentences = read_sentences(world.text, with_labels=False)
    shared = SharedLayers(1, tmp_path)
    upper = jax.tree.map(lambda leaf: leaf * 1.5, split_layers(start.params, 1)[1])
    params = join_layers(split_layers(start.params, 1)[0], upper)
    heads = [new_classifier(np.random.default_rng(seed), 16, 3) for seed in (0, 1)]
    taggers = [
        start._replace(params={**own, "classifier": head}, label_set=SCHEME)
        for own, head in zip((start.params, params), heads, strict=True)
    ]
    expected = [text_log_probs(tagger, sentences, 32) for tagger in taggers]
    assert np.abs(expected[0] - expected[1]).max() > 0.1
    np.testing.assert_array_equal(text_log_probs(taggers[0], sentences, 32, shared), expected[0])
    monkeypatch.setattr(frozen_cache, "hidden_states", None)  # it is not to be called
    np.testing.assert_array_equal(text_log_probs(taggers[1], sentences, 32, shared), expected[1])
    (path,) = tmp_path.iterdir()
    assert np.load(path).dtype == np.float32


def test_more_layers_than_there_are_is_refused(start, windows, tmp_path):
    with pytest.raises(InputError, match=r"`trainable_layers`=3: .* has 2 layers"):
        precompute_frozen(start, [windows], config_of(3), tmp_path)
    assert not list(tmp_path.iterdir())


def test_what_float16_cannot_hold_is_refused(start, windows, tmp_path):
    embeddings = start.params["encoder"]["embeddings"]
    norm = {**embeddings["norm"], "scale": embeddings["norm"]["scale"] * 1e6}
    encoder = {**start.params["encoder"], "embeddings": {**embeddings, "norm": norm}}
    large = start._replace(params={**start.params, "encoder": encoder})
    with pytest.raises(InputError, match="not finite in float16"):
        precompute_frozen(large, [windows], config_of(2), tmp_path)
    assert not list(tmp_path.glob("*.npy"))


class Stopped(Exception):
    """The process is gone."""


PAPER = LabelModelConfig(LabelModelKind.PAPER)


@pytest.mark.parametrize(
    ("approach", "label_model"),
    [(Approach.LVM, PAPER), (Approach.LVM, LabelModelConfig()), (Approach.HARD_CAT, PAPER)],
)
def test_it_goes_on_as_if_it_had_not_been_stopped(
    world, start, windows, tmp_path, approach, label_model
):
    rng = np.random.default_rng(0)
    probs = rng.dirichlet(np.ones(3), (windows.num_words, 2)).astype(np.float32)
    votes = SourceVotes(probs.argmax(-1).astype(np.int32), probs)
    config = config_of(1, approach=approach, dropout=0.3, label_model=label_model)
    words = text_words([read_sentences(world.text, with_labels=False)], SCHEME)

    def run(name, stop_at=None):
        def on_step(record):
            if record.step == stop_at:
                raise Stopped

        folder = tmp_path / name
        shards, states = precompute_frozen(start, [windows], config, folder / "cache")
        text = TransferCorpus(shards, votes, words, states)
        saving = Saving(folder / "checkpoints", every_steps=3)
        return train_target(start, SCHEME, text, config, Hooks(on_step=on_step), saving)

    whole = run("whole")
    with pytest.raises(Stopped):
        run("stopped", 8)
    (path,) = (tmp_path / "stopped" / "cache").iterdir()
    made = path.stat().st_mtime_ns
    again = run("stopped")
    assert path.stat().st_mtime_ns == made
    jax.tree.map(np.testing.assert_array_equal, again.tagger.params, whole.tagger.params)
    frozen, _ = split_layers(start.params, 1)
    kept, _ = split_layers(again.tagger.params, 1)
    jax.tree.map(np.testing.assert_array_equal, kept, frozen)
    if approach is Approach.LVM:
        np.testing.assert_array_equal(again.posterior, whole.posterior)
