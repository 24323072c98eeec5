import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import erf

from zsl_jax.errors import InputError
from zsl_jax.models.encoder import Encoder
from zsl_jax.models.encoder_config import HIDDEN_ACTS, EncoderConfig
from zsl_jax.models.layer import ACTIVATIONS, gelu

CONFIG = EncoderConfig("bert", 40, 16, 2, 4, 24, 12)
BERT = {
    "model_type": "bert",
    "vocab_size": 40,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 24,
    "max_position_embeddings": 12,
}


def batch(rows=2, length=10):
    rng = np.random.default_rng(0)
    token_ids = rng.integers(0, 40, (rows, length)).astype(np.int32)
    segments = np.repeat([[1, 1, 1, 2, 2, 2, 2, 3, 0, 0]], rows, 0).astype(np.int32)
    positions = np.repeat([[0, 1, 2, 0, 1, 2, 3, 0, 0, 0]], rows, 0).astype(np.int32)
    return token_ids, positions, segments


def init(config=CONFIG):
    draw = functools.partial(Encoder(config).init, deterministic=True)
    return jax.jit(draw)(jax.random.key(0), *batch())


@functools.partial(jax.jit, static_argnums=(0, 3))
def encode(encoder: Encoder, variables, arrays, deterministic=True, rngs=None) -> Any:
    return encoder.apply(variables, *arrays, deterministic, rngs=rngs)


def test_gelu_is_exact():
    x = np.linspace(-6, 6, 101)
    phi = 0.5 * (1 + erf(x / 2**0.5))
    np.testing.assert_allclose(gelu(jnp.float32(x)), x * phi, atol=1e-6)
    slope = phi + x * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    np.testing.assert_allclose(jax.vmap(jax.grad(gelu))(jnp.float32(x)), slope, atol=1e-6)


def test_every_activation_has_a_function():
    assert set(ACTIVATIONS) == set(HIDDEN_ACTS)


@pytest.mark.parametrize("rate, deterministic", [(0.0, False), (0.5, True), (0.5, False)])
def test_nothing_is_drawn_without_dropout(rate, deterministic):
    config = dataclasses.replace(CONFIG, dropout=rate, attention_dropout=rate)
    variables = init(config)
    with_key = jax.make_jaxpr(
        lambda key: encode(
            Encoder(config), variables, batch(), deterministic, rngs={"dropout": key}
        )
    )(jax.random.key(1))
    drops = rate > 0 and not deterministic
    assert ("iota" in str(with_key)) == drops
    if not drops:
        encode(Encoder(config), variables, batch(), deterministic)  # needs no key either


@pytest.mark.parametrize("impl", ["threefry2x32", "rbg", "unsafe_rbg"])
def test_dropout_differs_by_key_and_by_layer(impl):
    keys = [jax.random.key(seed, impl=impl) for seed in (1, 1, 2)]
    variables = init()
    outs = [encode(Encoder(CONFIG), variables, batch(), False, rngs={"dropout": k}) for k in keys]
    np.testing.assert_array_equal(outs[0], outs[1])
    assert np.abs(outs[0] - outs[2]).max() > 1e-3


def test_each_layer_has_its_own_key_and_parameters():
    kernel = init()["params"]["layers"]["query"]["kernel"]
    assert kernel.shape == (2, 16, 16)
    assert np.abs(kernel[0] - kernel[1]).max() > 1e-3


def test_a_sentence_does_not_see_its_neighbours():
    token_ids, positions, segments = batch()
    changed = np.where(segments == 2, (token_ids + 7) % 40, token_ids)
    variables = init()
    before = encode(Encoder(CONFIG), variables, (token_ids, positions, segments))
    after = encode(Encoder(CONFIG), variables, (changed, positions, segments))
    same = segments != 2
    np.testing.assert_array_equal(np.asarray(before)[same], np.asarray(after)[same])
    assert np.abs(np.asarray(before - after)[~same]).min(-1).max() > 0


def test_empty_rows_are_finite_in_value_and_gradient():
    zeros = np.zeros((2, 10), np.int32)

    def loss(variables):
        return encode(Encoder(CONFIG), variables, (zeros, zeros, zeros)).sum()

    value, gradient = jax.jit(jax.value_and_grad(loss))(init())
    assert np.isfinite(value)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))


def test_bfloat16_activations_with_float32_parameters():
    variables = init()
    assert {leaf.dtype for leaf in jax.tree.leaves(variables)} == {jnp.dtype("float32")}
    low = encode(Encoder(CONFIG, jnp.bfloat16), variables, batch(), True)
    assert low.dtype == jnp.bfloat16
    high = encode(Encoder(CONFIG), variables, batch(), True)
    np.testing.assert_allclose(low.astype(jnp.float32), high, atol=0.1)


def test_second_call_does_not_compile_again():
    traced = []

    @jax.jit
    def apply(variables, arrays):
        traced.append(arrays)
        return encode(Encoder(CONFIG), variables, arrays)

    variables = init()
    token_ids, positions, segments = batch()
    first = apply(variables, (token_ids, positions, segments))
    second = apply(variables, (token_ids[::-1].copy(), positions, segments))
    assert len(traced) == 1
    np.testing.assert_allclose(first, second[::-1], atol=1e-5)


def test_bert_config():
    config = EncoderConfig.from_huggingface(BERT | {"hidden_dropout_prob": 0.3}, "config.json")
    assert config == dataclasses.replace(CONFIG, dropout=0.3, head_dropout=0.3)
    assert hash(config) == hash(dataclasses.replace(CONFIG, dropout=0.3, head_dropout=0.3))


def test_xlmr_positions_start_after_padding():
    xlmr = BERT | {"model_type": "xlm-roberta", "max_position_embeddings": 514, "pad_token_id": 1}
    config = EncoderConfig.from_huggingface(xlmr, "config.json")
    assert (config.family, config.max_positions, config.position_offset) == ("roberta", 512, 2)


def test_position_offset_is_a_shift_of_the_position_rows():
    shifted = dataclasses.replace(CONFIG, position_offset=2)
    variables = init()
    inner = variables["params"]["embeddings"]
    rows = np.concatenate([np.full((2, 16), 9.0, np.float32), inner["position"]])
    moved = {"params": {**variables["params"], "embeddings": {**inner, "position": rows}}}
    np.testing.assert_array_equal(
        encode(Encoder(CONFIG), variables, batch(), True),
        encode(Encoder(shifted), moved, batch(), True),
    )


@pytest.mark.parametrize(
    "change, words",
    [
        ({"model_type": "t5"}, "model_type 't5' .*, or give its predictions as a source"),
        ({"position_embedding_type": "relative_key"}, "relative_key.*, or give its predictions"),
        ({"hidden_act": "swish"}, "swish.*, or give its predictions"),
        ({"num_attention_heads": 3}, "3 heads"),
    ],
)
def test_unsupported_configs_name_file_and_reason(change, words):
    with pytest.raises(InputError, match=r"^my/config\.json: .*" + words):
        EncoderConfig.from_huggingface(BERT | change, "my/config.json")


DEBERTA = BERT | {
    "model_type": "deberta-v2",
    "relative_attention": True,
    "pos_att_type": ["p2c", "c2p"],
    "share_att_key": True,
    "position_biased_input": False,
}
MODERNBERT = BERT | {"model_type": "modernbert", "num_attention_heads": 2}


@pytest.mark.parametrize(
    "config, change, words",
    [
        (DEBERTA, {"conv_kernel_size": 3}, "conv_kernel_size 3 is not supported, only 0"),
        (DEBERTA, {"embedding_size": 8}, "embedding_size 8 is not supported, only 16"),
        (DEBERTA, {"attention_head_size": 8}, "attention_head_size 8"),
        (DEBERTA, {"share_att_key": False}, "share_att_key False"),
        (MODERNBERT, {"norm_bias": True}, "norm_bias True is not supported"),
        (MODERNBERT, {"mlp_bias": True}, "mlp_bias"),
        (MODERNBERT, {"classifier_activation": "swish"}, "activation 'swish'"),
        (MODERNBERT, {"num_attention_heads": 16}, "16 heads of pairs"),
        (MODERNBERT, {"layer_types": ["full_attention"]}, "layer_types"),
        (BERT, {"model_type": "electra", "embedding_size": 0}, "embedding_size is 0"),
        (BERT, {"model_type": "xlm-roberta-xl", "pad_token_id": 20}, "leaves no position"),
    ],
)
def test_what_a_family_has_in_other_forms_is_refused_by_name(config, change, words):
    with pytest.raises(InputError, match=r"^my/config\.json: .*" + words):
        EncoderConfig.from_huggingface(config | change, "my/config.json")


def test_traits_of_families_are_read():
    electra = EncoderConfig.from_huggingface(BERT | {"model_type": "electra"}, "x")
    assert electra == dataclasses.replace(CONFIG, family="electra")
    small = BERT | {"model_type": "electra", "embedding_size": 8}
    assert EncoderConfig.from_huggingface(small, "x").embedding_size == 8
    deberta = EncoderConfig.from_huggingface(DEBERTA, "x")
    assert (deberta.type_vocab_size, deberta.has_position_embeddings) == (0, False)
    modernbert = EncoderConfig.from_huggingface(MODERNBERT, "x")
    assert modernbert.norm_first and modernbert.is_gated and not modernbert.has_biases
    assert (modernbert.prediction_head, modernbert.layer_norm_eps) == ("gelu", 1e-5)
    xl = EncoderConfig.from_huggingface(BERT | {"model_type": "xlm-roberta-xl"}, "x")
    assert (xl.type_vocab_size, xl.position_offset, xl.max_positions) == (1, 2, 10)


def test_missing_sizes_are_all_named():
    with pytest.raises(InputError, match="missing hidden_size, intermediate_size"):
        bad = {k: v for k, v in BERT.items() if k not in ("hidden_size", "intermediate_size")}
        EncoderConfig.from_huggingface(bad, "config.json")
