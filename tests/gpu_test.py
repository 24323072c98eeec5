"""What only a GPU can show; skipped without one."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.planted_votes import planted_text
from zsl_jax import kernels
from zsl_jax.models import attention
from zsl_jax.models.encoder_config import EncoderConfig
from zsl_jax.training import chain_fit, setup, steps
from zsl_jax.training.config import ChainConfig, OptimizerConfig, TrainConfig
from zsl_jax.training.devices import Devices
from zsl_jax.training.schedules import schedule_at
from zsl_jax.training.state import new_classifier
from zsl_jax.training.update import Evidence, tagger
from zsl_jax.types import TokenBatch

pytestmark = pytest.mark.skipif(jax.default_backend() != "gpu", reason="needs a GPU")
K, ROWS, LENGTH = 5, 32, 64
ENCODER = EncoderConfig("bert", 50, 64, 2, 2, 128, LENGTH)


def batch() -> TokenBatch:
    """Rows of two sentences and padding; every token occurs often."""
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 50, (ROWS, LENGTH)).astype(np.int32)
    segments = np.tile(np.repeat([1, 2, 0], [30, 24, 10]).astype(np.int32), (ROWS, 1))
    positions = np.tile(np.concatenate([range(30), range(24), [0] * 10]), (ROWS, 1))
    places = np.arange(ROWS * LENGTH).reshape(ROWS, LENGTH)
    word_ids = np.where(segments > 0, places, -1)
    return TokenBatch(ids, positions.astype(np.int32), segments, word_ids.astype(np.int32))


def params():
    init = functools.partial(tagger(ENCODER, K).init, deterministic=True)
    drawn = jax.jit(init)(jax.random.key(1), *batch().inputs)["params"]
    head = new_classifier(np.random.default_rng(0), ENCODER.hidden_size, K)
    return jax.tree.map(np.asarray, {**drawn, "classifier": head})


def test_fused_attention_is_plain_attention(monkeypatch):
    assert attention.has_fused_kernel("bfloat16", 64, 32)
    rng = np.random.default_rng(0)
    arrays = rng.normal(size=(4, 3, 2, 64, 32)).astype(jnp.bfloat16)
    segments = batch().segments[:3]
    mask = segments[:, None, :, None] == segments[:, None, None, :]

    def value_and_gradients(is_fused):
        monkeypatch.setattr(attention, "has_fused_kernel", lambda *sizes: is_fused)
        *inputs, weights = map(jnp.asarray, arrays)

        def total(query, key, value):
            context = attention.attend(query, key, value, mask, 32**-0.5)
            return (context * weights).astype(jnp.float32).sum(), context

        (_, context), gradients = jax.value_and_grad(total, (0, 1, 2), has_aux=True)(*inputs)
        return np.float32([context, *gradients])

    np.testing.assert_allclose(*map(value_and_gradients, (True, False)), atol=0.06)


@pytest.mark.parametrize("attention_dropout", [0.0, 0.1])
def test_training_is_the_same_bit_for_bit_in_every_run(attention_dropout):
    devices = Devices((jax.devices()[0],))
    optimizer = OptimizerConfig(head_learning_rate=1e-4)
    config = TrainConfig(attention_dropout=attention_dropout, optimizer=optimizer)
    settings = setup.step_settings(config, ENCODER, K)
    assert settings.dtype == "bfloat16"
    start, rows, rates = params(), batch(), schedule_at(1, config)
    evidence = Evidence(np.eye(K, dtype=np.float32)[rows.word_ids.reshape(-1) % K], None, None)

    def trained():
        no_sources = np.zeros((0, K, K), np.float32)
        state = devices.replicate(setup.init_state(start, no_sources, config))
        for _ in range(5):
            state, _ = steps.update(devices, settings, state, rows, evidence, rates)
        return devices.fetch(state)

    jax.tree.map(np.testing.assert_array_equal, trained(), trained())


def test_sums_of_segments_are_the_same_bit_for_bit_in_every_run():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(100_000, 17)).astype(np.float32)
    segments = rng.integers(0, 11, 100_000)
    sums = [np.asarray(kernels.segment_sum(rows, segments, 11)) for _ in range(5)]
    for other in sums[1:]:
        np.testing.assert_array_equal(sums[0], other)
    exact = [rows[segments == t].astype(float).sum(0) for t in range(11)]
    np.testing.assert_allclose(sums[0], exact, atol=1e-3)


@pytest.mark.parametrize("dtype, tolerance", [("float32", 5e-3), ("bfloat16", 0.1)])
def test_predictions_are_close_to_those_of_a_cpu(dtype, tolerance):
    def predicted(device, dtype):
        module, inputs = tagger(ENCODER, K, dtype), (params(), batch().inputs)
        with jax.default_device(device):
            return jax.jit(lambda p, b: module.apply({"params": p}, *b, deterministic=True))(
                *jax.device_put(inputs, device)
            )

    exact = predicted(jax.devices("cpu")[0], "float32")
    np.testing.assert_allclose(predicted(jax.devices()[0], dtype), exact, atol=tolerance)


def test_the_label_model_is_that_of_a_cpu():
    text, labels, _ = planted_text(20_000, 5, 17, 20, 2_000, seed=0)

    def posterior(device):
        with jax.default_device(device):
            return chain_fit.fit_chain(text, labels, ChainConfig())[1].posterior

    on_gpu, on_cpu = (posterior(jax.devices(name)[0]) for name in ("gpu", "cpu"))
    np.testing.assert_allclose(on_gpu, on_cpu, atol=1e-3)
    assert (on_gpu.argmax(-1) == on_cpu.argmax(-1)).mean() > 0.9999
