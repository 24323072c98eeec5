from typing import Any

import jax
import numpy as np
import pytest

from tests.models import make_reference
from tests.models.reference_files import one_a_row, packed, read_reference
from zsl_jax.models.encoder_config import EncoderConfig
from zsl_jax.models.huggingface import params_from_tensors
from zsl_jax.models.token_classifier import (
    TokenClassifier,
    restore_word_embeddings,
    slice_word_embeddings,
    word_embeddings,
)

FAMILIES = make_reference.FAMILIES


def load(family):
    reference = read_reference(family)
    return reference, params_from_tensors(reference.tensors, reference.config, family)


def log_probs(config, params, arrays):
    with jax.default_matmul_precision("highest"):
        return np.asarray(TokenClassifier(config, 5).apply({"params": params}, *arrays, True))


@pytest.mark.parametrize("family", FAMILIES)
def test_stored_activations(family):
    reference, params = load(family)
    words = reference.mask == 1
    arrays = one_a_row(reference.token_ids, reference.mask)
    ours = log_probs(reference.config, params, arrays)
    np.testing.assert_allclose(ours[words], reference.log_probs[words], atol=1e-4, rtol=0)
    assert np.ptp(reference.log_probs[words]) > 1  # the comparison is not of constants


@pytest.mark.parametrize("family", FAMILIES)
def test_packed_rows_equal_single_rows(family):
    reference, params = load(family)
    words = reference.mask == 1
    *arrays, places = packed(reference.token_ids, reference.mask)
    assert (arrays[2].max(1) > 1).any() and (arrays[2][-1] == 0).all()
    ours = log_probs(reference.config, params, arrays)
    np.testing.assert_allclose(np.exp(ours).sum(-1), 1.0, atol=1e-5)  # padding is finite too
    rows, columns = places[words].T
    np.testing.assert_allclose(ours[rows, columns], reference.log_probs[words], atol=1e-4, rtol=0)


@pytest.mark.parametrize("family", FAMILIES)
def test_live_against_torch(family):
    pytest.importorskip("torch")
    model = make_reference.torch_model(family, seed=5)
    token_ids, mask = make_reference.padded_batch((12, 8, 4, 9, 2), seed=6)
    theirs = make_reference.torch_log_probs(model, token_ids, mask)
    config = EncoderConfig.from_huggingface(model.config.to_dict(), "config.json")
    tensors = {name: value.numpy() for name, value in model.state_dict().items()}
    params = params_from_tensors(tensors, config, family)
    *arrays, places = packed(token_ids, mask)
    rows, columns = places[mask == 1].T
    ours = log_probs(config, params, arrays)[rows, columns]
    np.testing.assert_allclose(ours, theirs[mask == 1], atol=1e-4, rtol=0)


def test_sliced_word_embeddings_with_remapped_ids():
    reference, params = load("bert")
    token_ids, positions, segments = one_a_row(reference.token_ids, reference.mask)
    used_ids, remapped = np.unique(token_ids, return_inverse=True)
    sliced = slice_word_embeddings(params, used_ids)
    assert word_embeddings(sliced).shape == (len(used_ids), 16)
    remapped = remapped.reshape(token_ids.shape).astype(np.int32)
    np.testing.assert_allclose(
        log_probs(reference.config, sliced, (remapped, positions, segments)),
        log_probs(reference.config, params, (token_ids, positions, segments)),
        atol=1e-6,
    )


def test_restore_writes_the_trained_rows_and_no_other():
    _, params = load("bert")
    full = word_embeddings(params)
    before = full.copy()
    used_ids = np.array([3, 10, 59])
    trained = jax.tree.map(lambda leaf: leaf + 1, slice_word_embeddings(params, used_ids))
    restored = word_embeddings(restore_word_embeddings(trained, full, used_ids))
    np.testing.assert_array_equal(restored[used_ids], before[used_ids] + 1)
    others = np.setdiff1d(np.arange(60), used_ids)
    np.testing.assert_array_equal(restored[others], before[others])
    np.testing.assert_array_equal(full, before)


def has_no_gradient(path: str, family: str) -> bool:
    """Whether a parameter cannot affect the tagger's output."""
    if family == "modernbert":
        return False
    # A bias on the keys moves all scores of a query alike, unless queries of positions meet it.
    return "key" in path and "bias" in path and family != "deberta-v2"


@pytest.mark.parametrize("family", FAMILIES)
def test_gradient_reaches_every_parameter_but_unused_rows(family):
    reference, params = load(family)
    token_ids, positions, segments = one_a_row(reference.token_ids, reference.mask)

    def loss(params):
        tagger = TokenClassifier(reference.config, 5)
        out: Any = tagger.apply({"params": params}, token_ids, positions, segments, True)
        return -out[..., 0].sum()

    gradient = jax.jit(jax.grad(loss))(params)
    for path, leaf in jax.tree_util.tree_leaves_with_path(gradient):
        assert np.isfinite(leaf).all(), path
        if not has_no_gradient(jax.tree_util.keystr(path), family):
            assert np.abs(leaf).max() > 1e-5, path
    used = np.zeros(60, bool)
    used[token_ids] = True
    assert (np.abs(gradient["encoder"]["embeddings"]["word"]).max(1) > 0).tolist() == used.tolist()
    if family == "modernbert":  # the first layer has no normalisation of its attention
        scale = gradient["encoder"]["layers"]["attention_norm"]["scale"]
        assert np.any(np.asarray(scale), axis=1).tolist() == [False, True, True]


def test_second_call_does_not_compile_again():
    reference, params = load("bert")
    arrays = one_a_row(reference.token_ids, reference.mask)
    traced = []

    @jax.jit
    def apply(params, key):
        traced.append(key)
        tagger = TokenClassifier(reference.config, 5)
        return tagger.apply({"params": params}, *arrays, False, rngs={"dropout": key})

    key = jax.random.key(0, impl="unsafe_rbg")
    first, second = (apply(params, jax.random.fold_in(key, step)) for step in range(2))
    assert len(traced) == 1
    assert np.abs(first - second).max() > 1e-3
