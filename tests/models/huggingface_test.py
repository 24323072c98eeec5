import dataclasses
import json
import re

import jax
import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file

from tests.models.make_reference import FAMILIES, FOLDER
from tests.models.reference_files import read_reference
from zsl_jax.errors import InputError
from zsl_jax.io.weights import INDEX, read_weights
from zsl_jax.models import families
from zsl_jax.models.huggingface import params_from_tensors, tensors_from_params
from zsl_jax.models.token_classifier import TokenClassifier


def assert_same_tree(left, right):
    assert str(jax.tree.structure(left)) == str(jax.tree.structure(right))
    jax.tree.map(np.testing.assert_array_equal, left, right)


@pytest.mark.parametrize("family", FAMILIES)
def test_round_trip_is_bitwise(family):
    reference = read_reference(family)
    params = params_from_tensors(reference.tensors, reference.config, family)
    back = tensors_from_params(params, reference.config)
    assert set(back) == set(reference.tensors)
    for name, tensor in back.items():
        assert tensor.tobytes() == reference.tensors[name].tobytes(), name
        assert tensor.flags.c_contiguous and tensor.dtype == np.float32


@pytest.mark.parametrize("family", FAMILIES)
def test_tree_is_that_of_init(family):
    reference = read_reference(family)
    params = params_from_tensors(reference.tensors, reference.config, family)
    zeros = np.zeros((1, 4), np.int32)
    shapes = jax.eval_shape(
        lambda: TokenClassifier(reference.config, 5).init(
            jax.random.key(0), zeros, zeros, zeros, True
        )
    )
    assert jax.tree.map(np.shape, params) == jax.tree.map(lambda leaf: leaf.shape, shapes["params"])


@pytest.mark.parametrize("prefix", ["", "bert.", "roberta."])
def test_tensors_with_any_prefix_are_converted(prefix):
    reference = read_reference("bert")
    renamed = {
        re.sub(r"^bert\.", prefix, name): tensor for name, tensor in reference.tensors.items()
    }
    assert_same_tree(
        params_from_tensors(renamed, reference.config, "x"),
        params_from_tensors(reference.tensors, reference.config, "x"),
    )


@pytest.mark.parametrize("family", ["bert", "distilbert"])
def test_gamma_and_beta(family):
    reference = read_reference(family)
    renamed = {}
    for name, tensor in reference.tensors.items():
        name = re.sub(r"(LayerNorm|layer_norm)\.weight$", r"\1.gamma", name)
        renamed[re.sub(r"(LayerNorm|layer_norm)\.bias$", r"\1.beta", name)] = tensor
    assert sum(name.endswith("gamma") for name in renamed) == 5
    assert_same_tree(
        params_from_tensors(renamed, reference.config, "x"),
        params_from_tensors(reference.tensors, reference.config, "x"),
    )


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("wrapper", ["model.", "module.", "_orig_mod.", "a.b."])
def test_a_wrapper_around_the_whole_model_is_removed(family, wrapper):
    reference = read_reference(family)
    wrapped = {wrapper + name: tensor for name, tensor in reference.tensors.items()}
    assert_same_tree(
        params_from_tensors(wrapped, reference.config, "x"),
        params_from_tensors(reference.tensors, reference.config, "x"),
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_an_encoder_without_head_is_read_under_any_prefix(family):
    reference = read_reference(family)
    prefix = families.FAMILIES[reference.config.family].prefix
    names = [name for name in reference.tensors if name.startswith(prefix)]
    plain = {name.removeprefix(prefix): reference.tensors[name] for name in names}
    expected = params_from_tensors(plain, reference.config, "x")
    assert set(expected) == {"encoder"}
    for wrapper in ("0.auto_model.", prefix):
        params = params_from_tensors(
            {wrapper + name: tensor for name, tensor in plain.items()}, reference.config, "x"
        )
        assert_same_tree(params, expected)


UNUSED = {
    "bert": "bert.pooler.dense.weight cls.predictions.bias lm_head.dense.weight",
    "xlm-roberta": "roberta.pooler.dense.weight lm_head.bias",
    "distilbert": "vocab_transform.weight vocab_layer_norm.bias vocab_projector.bias",
    "electra": "discriminator_predictions.dense.weight generator_predictions.dense.bias "
    "generator_lm_head.weight electra.embeddings.token_type_ids",
    "xlm-roberta-xl": "roberta.pooler.dense.bias lm_head.layer_norm.weight",
    "deberta-v2": "lm_predictions.lm_head.bias mask_predictions.dense.weight cls.predictions.bias "
    "deberta.embeddings.position_embeddings.weight",
    "modernbert": "decoder.weight decoder.bias model.layers.0.attn.rotary_emb.inv_freq",
}


@pytest.mark.parametrize("family", FAMILIES)
def test_other_heads_and_buffers_are_passed_over(family):
    reference = read_reference(family)
    prefix = families.FAMILIES[reference.config.family].prefix
    extra: dict[str, np.ndarray] = {f"{prefix}embeddings.position_ids": np.arange(24)[None]}
    extra |= {name: np.zeros(7, np.float32) for name in UNUSED[family].split()}
    assert_same_tree(
        params_from_tensors(reference.tensors | extra, reference.config, "x"),
        params_from_tensors(reference.tensors, reference.config, "x"),
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_every_tensor_that_is_missing_is_named(family):
    reference = read_reference(family)
    prefix = families.FAMILIES[reference.config.family].prefix
    for name in reference.tensors:
        if name == "classifier.bias":
            continue  # has a message of its own
        fewer = {other: tensor for other, tensor in reference.tensors.items() if other != name}
        plain = name.removeprefix(prefix)
        with pytest.raises(InputError, match=re.escape(f"missing {plain};")):
            params_from_tensors(fewer, reference.config, "x")


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
@pytest.mark.parametrize("family", FAMILIES)
def test_half_precision_in_shards_is_read_as_float32(tmp_path, family, dtype):
    reference = read_reference(family)
    half = {name: tensor.astype(dtype) for name, tensor in reference.tensors.items()}
    names = list(half)
    shards = {"one.safetensors": names[::2], "two.safetensors": names[1::2]}
    for file, part in shards.items():
        save_file({name: half[name] for name in part}, tmp_path / file)
    weight_map = {name: file for file, part in shards.items() for name in part}
    (tmp_path / INDEX).write_text(json.dumps({"weight_map": weight_map}))
    params = params_from_tensors(read_weights(tmp_path), reference.config, "x")
    assert {leaf.dtype for leaf in jax.tree.leaves(params)} == {np.dtype(np.float32)}
    back = tensors_from_params(params, reference.config)
    for name, tensor in half.items():
        np.testing.assert_array_equal(back[name], tensor.astype(np.float32))


def test_no_head_gives_no_classifier():
    reference = read_reference("bert")
    body = {n: t for n, t in reference.tensors.items() if not n.startswith("classifier")}
    params = params_from_tensors(body, reference.config, "x")
    assert set(params) == {"encoder"}
    assert set(tensors_from_params(params, reference.config)) == set(body)


def test_all_mismatches_in_one_error():
    reference = read_reference("bert")
    tensors = dict(reference.tensors)
    del tensors["classifier.bias"]
    query = "bert.encoder.layer.1.attention.self.query.weight"
    del tensors[query]
    tensors["bert.encoder.layer.2.output.dense.bias"] = np.zeros(16, np.float32)
    tensors["bert.embeddings.word_embeddings.weight"] = np.zeros((61, 16), np.float32)
    with pytest.raises(InputError) as caught:
        params_from_tensors(tensors, reference.config, "my/model")
    message = str(caught.value)
    assert message.startswith("my/model: ")
    assert "missing encoder.layer.1.attention.self.query.weight" in message
    assert "missing classifier.bias" in message
    assert "unexpected bert.encoder.layer.2.output.dense.bias" in message
    assert "word_embeddings.weight has shape (61, 16), not (60, 16)" in message


def test_a_tensor_given_twice_is_unexpected():
    reference = read_reference("bert")
    name = "bert.embeddings.LayerNorm.weight"
    gamma = name.replace("weight", "gamma")
    with pytest.raises(InputError, match="unexpected") as caught:
        params_from_tensors(
            reference.tensors | {gamma: reference.tensors[name]}, reference.config, "x"
        )
    assert gamma in str(caught.value)


def test_another_family_is_an_error_that_names_both_sides():
    reference = read_reference("bert")
    config = dataclasses.replace(reference.config, family="distilbert", type_vocab_size=0)
    with pytest.raises(InputError, match=r"missing transformer\.layer\.0.*unexpected bert\."):
        params_from_tensors(reference.tensors, config, "x")


def test_reference_files_are_small():
    assert all(file.stat().st_size < 300_000 for file in FOLDER.glob("*.npz"))
    assert {file.stem for file in FOLDER.glob("*.npz")} == set(FAMILIES)
