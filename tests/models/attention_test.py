import jax
import numpy as np
import pytest

from zsl_jax.models import attention


def problem(seed=0, rows=2, heads=2, length=6, size=4):
    rng = np.random.default_rng(seed)
    arrays = rng.normal(size=(3, rows, heads, length, size)).astype(np.float32)
    segments = np.array([[1, 1, 1, 2, 2, 0], [1, 1, 0, 0, 0, 0]])
    return arrays, segments[:, None, :, None] == segments[:, None, None, :]


def by_hand(query, key, value, mask, scale, other_scores=0.0):
    scores = scale * np.einsum("rhqd,rhkd->rhqk", query, key) + other_scores
    weights = np.exp(scores - scores.max(-1, keepdims=True)) * mask
    return np.einsum("rhqk,rhkd->rhqd", weights / weights.sum(-1, keepdims=True), value)


@pytest.mark.parametrize("adds_scores", [False, True])
def test_attention_is_the_formula(adds_scores):
    (query, key, value), mask = problem()
    other = np.random.default_rng(1).normal(size=(2, 2, 6, 6)).astype(np.float32)
    other_scores = other if adds_scores else None
    context = attention.attend(query, key, value, mask, 0.5, other_scores)
    expected = by_hand(*np.float64([query, key, value]), mask, 0.5, other if adds_scores else 0)
    np.testing.assert_allclose(context, expected, atol=1e-6)


def test_probabilities_are_dropped_after_the_softmax():
    (query, key, value), mask = problem()
    halved = attention.attend(query, key, value, mask, 0.5, drop=lambda probs: probs / 2)
    np.testing.assert_allclose(halved, by_hand(query, key, value, mask, 0.5) / 2, atol=1e-6)


@pytest.mark.parametrize(
    "versions, dtype, expected",
    [
        (["9.0", "8.0"], "bfloat16", True),
        (["9.0"], "float16", True),
        (["9.0"], "float32", False),
        (["7.5"], "bfloat16", False),
        (["9.0", "7.0"], "bfloat16", False),
        ([None], "bfloat16", False),  # a CPU or a TPU
        (["10.3"], "bfloat16", True),
        (["gfx90a"], "bfloat16", False),  # of another maker
    ],
)
def test_which_devices_have_the_fused_kernel(monkeypatch, versions, dtype, expected):
    class Device:
        def __init__(self, version):
            if version:
                self.compute_capability = version

    monkeypatch.setattr(jax, "local_devices", lambda: [Device(version) for version in versions])
    attention._gpus_have_fused_kernel.cache_clear()
    try:
        assert attention.has_fused_kernel(dtype, 128, 64) == expected
        for length, size in ((127, 64), (128, 26), (128, 136)):  # which the kernel does not take
            assert not attention.has_fused_kernel(dtype, length, size)
    finally:
        attention._gpus_have_fused_kernel.cache_clear()
