"""Tests of zsl_jax.io.unreadable_folders: the way out is right for the folder in front of it."""

import json

import pytest

from tests import tiny_world
from zsl_jax.errors import InputError
from zsl_jax.io.model_folder import read_model_folder


def said(folder, **files):
    for name, content in files.items():
        path = folder / name.replace("__", "/").replace("_json", ".json")
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content))
    with pytest.raises(InputError) as error:
        read_model_folder(folder)
    message = str(error.value)
    assert "\n" not in message
    return message


TAGGER = {"architectures": ["XLMRobertaForTokenClassification"], "id2label": {"0": "O"}}


@pytest.mark.parametrize(
    ("config", "name"),
    [
        (TAGGER, "XLMRobertaForTokenClassification"),
        ({"architectures": ["BertModel"]}, "BertModel"),
        (
            {"architectures": ["BertCrfForNer"], "id2label": {"0": "O"}},
            "AutoModelForTokenClassification",
        ),
        ({"id2label": {"0": "O"}}, "AutoModelForTokenClassification"),
        ({"architectures": 7}, "AutoModel"),
        ({}, "AutoModel"),
    ],
)
def test_a_pickle_is_converted_with_its_head_into_a_new_folder(tmp_path, config, name):
    (tmp_path / "pytorch_model.bin").touch()
    message = said(tmp_path, config_json=config)
    assert "no model.safetensors but pytorch_model.bin (a pickle, which is never opened)" in message
    assert f"t.{name}.from_pretrained(old).save_pretrained(new)" in message
    assert f"old = '{tmp_path}'; new = old + '-safetensors'" in message
    assert "AutoTokenizer.from_pretrained(old).save_pretrained(new)" in message


@pytest.mark.parametrize(
    ("file", "argument", "library"),
    [("flax_model.msgpack", "from_flax", "Flax"), ("tf_model.h5", "from_tf", "TensorFlow")],
)
def test_weights_of_other_frameworks_need_transformers_4(tmp_path, file, argument, library):
    (tmp_path / file).touch()
    message = said(tmp_path, config_json=TAGGER)
    assert f"{file} ({library} weights)" in message
    assert f"with transformers 4 (5 no longer reads them), PyTorch and {library}:" in message
    assert f"XLMRobertaForTokenClassification.from_pretrained(old, {argument}=True)" in message


def test_shards_of_a_pickle_are_not_all_listed(tmp_path):
    for number in range(9):
        (tmp_path / f"pytorch_model-{number}.bin").touch()
    assert "pytorch_model-2.bin (a pickle" in said(tmp_path, config_json=TAGGER)


@pytest.mark.parametrize("files", [{}, {"config_json": TAGGER}])
def test_an_adapter_is_merged(tmp_path, files):
    (tmp_path / "adapter_model.bin").touch()
    message = said(tmp_path, adapter_config_json={"peft_type": "LORA"}, **files)
    assert "an adapter, which is only part of a model" in message
    assert "(old, num_labels=K).merge_and_unload().save_pretrained(old + '-merged')" in message


def test_a_folder_without_config_is_told_for_what_it_is(tmp_path):
    assert "has no config.json; give a Hugging Face model folder, or label" in said(tmp_path)
    inside = said(tmp_path, **{"checkpoint-500__config_json": {}})
    assert "folders in it have one: give one of checkpoint-500" in inside
    (tmp_path / "config.cfg").touch()
    assert f"to use it as a source, give spacy:{tmp_path}" in said(tmp_path, meta_json={})


def test_a_folder_without_weights_is_refused_with_a_remedy(tmp_path):
    assert said(tmp_path, config_json=TAGGER).endswith(
        "has no model.safetensors; fetch the weights too, or give another model folder"
    )


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("model.onnx", "but model.onnx (an ONNX export); fetch the safetensors of the model that"),
        ("onnx/model.onnx", "but onnx/model.onnx (an ONNX export); fetch"),
        ("model-q4.gguf", "but model-q4.gguf (an export for llama.cpp); fetch"),
        ("weights.npz", "but weights.npz (NumPy arrays, as MLX has them); fetch"),
        ("openvino_model.bin", "but openvino_model.bin (an export for OpenVINO); fetch"),
        ("bert_model.ckpt.index", "but bert_model.ckpt.index (a checkpoint of another program); f"),
        ("best-model.pt", "but best-model.pt (a pickle of another program); fetch"),
        ("training_args.bin", "has no model.safetensors; fetch the weights too, or give another"),
        (
            "model.fp16.safetensors",
            "but model.fp16.safetensors; if it holds the whole model, renam",
        ),
        (
            "model-00001-of-00002.safetensors",
            "and no model.safetensors.index.json, which lists what is in model-00001-of-00002.saf",
        ),
    ],
)
def test_what_cannot_be_converted_is_told_from_what_can(tmp_path, file, expected):
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).touch()
    message = said(tmp_path, config_json=TAGGER)
    assert expected in message and "python -c" not in message
    if "export" in expected:
        assert message.endswith("give those predictions as the source")


def test_weights_under_another_name_are_read_when_they_are_renamed(tmp_path):
    folder = tiny_world.write_encoder(tmp_path / "encoder")
    (folder / "model.safetensors").rename(folder / "model.fp16.safetensors")
    assert "rename it" in said(folder)
    (folder / "model.fp16.safetensors").rename(folder / "model.safetensors")
    assert read_model_folder(folder).tensors


def test_a_class_of_another_program_may_lose_layers(tmp_path):
    (tmp_path / "pytorch_model.bin").touch()
    config = {"architectures": ["BertCrfForNer"], "id2label": {"0": "O"}}
    assert "; BertCrfForNer may have layers that this drops: if so, label the text" in said(
        tmp_path, config_json=config
    )
    assert "may have layers" not in said(tmp_path, config_json=TAGGER)


def test_an_adapter_that_peft_does_not_know_is_not_sent_to_it(tmp_path):
    (tmp_path / "pytorch_adapter.bin").touch()
    adapter = {"model_class": "BertAdapterModel", "config": {"architecture": "seq_bn"}}
    message = said(tmp_path, adapter_config_json=adapter)
    assert "import peft" not in message and message.endswith("give those predictions as the source")
