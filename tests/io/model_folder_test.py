import errno
import json
import os
import socket
import struct
from typing import Any

import huggingface_hub
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers
from tokenizers.processors import TemplateProcessing

from zsl_jax.errors import InputError
from zsl_jax.io.model_folder import (
    find_model_folder,
    read_label_set,
    read_model_folder,
    write_model_folder,
)

CONFIG = {"model_type": "bert", "hidden_size": 4, "torch_dtype": "bfloat16"}
VOCABULARY = {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "[PAD]": 3, "Haus": 4, "Ġ": 5, "a": 6, "Ġa": 7}


def save_config(folder, config=CONFIG):
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")


def save_tokenizer(folder, tokenizer):
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "[UNK]"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")


def word_tokenizer():
    tokenizer = Tokenizer(models.WordLevel(VOCABULARY, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return tokenizer


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("network used")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def save_bfloat16(path, name, values):
    """A safetensors file written by hand: numpy has no bfloat16 of its own."""
    data = (np.asarray(values, "<f4").view("<u4") >> 16).astype("<u2").tobytes()
    entry = {"dtype": "BF16", "shape": [len(values)], "data_offsets": [0, len(data)]}
    header = json.dumps({name: entry}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + data)


def test_reads_one_file_and_upcasts(tmp_path, no_network):
    save_config(tmp_path)
    arrays: dict[str, np.ndarray] = {
        "a": np.arange(6, dtype=np.float16).reshape(2, 3),
        "ids": np.arange(3),
    }
    save_file(arrays, tmp_path / "model.safetensors")
    model = read_model_folder(tmp_path)
    assert model.path == tmp_path and model.config == CONFIG
    assert model.tensors["a"].dtype == np.float32 and model.tensors["ids"].dtype == np.int64
    np.testing.assert_array_equal(model.tensors["a"], [[0, 1, 2], [3, 4, 5]])


def test_reads_shards_and_bfloat16(tmp_path):
    save_config(tmp_path)
    save_bfloat16(tmp_path / "one.safetensors", "a", [1.5, -0.0078125, 3e38])
    save_file({"b": np.ones(2, np.float32), "unlisted": np.ones(1)}, tmp_path / "two.safetensors")
    index = {"metadata": {}, "weight_map": {"a": "one.safetensors", "b": "two.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    tensors = read_model_folder(tmp_path).tensors
    assert set(tensors) == {"a", "b"} and tensors["a"].dtype == np.float32
    np.testing.assert_allclose(tensors["a"], [1.5, -0.0078125, 3e38], rtol=2**-7)
    (tmp_path / "one.safetensors").unlink()
    with pytest.raises(InputError, match=r"lacks 'one\.safetensors'"):
        read_model_folder(tmp_path)


def test_pickle_is_refused_with_the_way_out(tmp_path):
    save_config(tmp_path)
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80")
    with pytest.raises(InputError, match=r"pytorch_model\.bin.*never opened.*save_pretrained"):
        read_model_folder(tmp_path)


@pytest.mark.parametrize("content", ["[1]", "{", "\xff"])
def test_bad_config_names_the_file(tmp_path, content):
    (tmp_path / "config.json").write_text(content, encoding="latin-1")
    with pytest.raises(InputError, match=r"config\.json"):
        read_model_folder(tmp_path)


def test_missing_config_and_damaged_weights(tmp_path):
    with pytest.raises(InputError, match=r"has no config\.json"):
        read_model_folder(tmp_path)
    save_config(tmp_path)
    (tmp_path / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(InputError, match=r"model\.safetensors cannot be read.*git lfs pull"):
        read_model_folder(tmp_path)


def test_index_that_names_a_missing_tensor(tmp_path):
    save_config(tmp_path)
    save_file({"a": np.ones(1)}, tmp_path / "one.safetensors")
    index = {"weight_map": {"b": "one.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    with pytest.raises(InputError, match=r"one\.safetensors cannot be read"):
        read_model_folder(tmp_path)


def test_hub_name_goes_through_the_hub(tmp_path, monkeypatch):
    asked: dict[str, Any] = {}

    def fetch(name, allow_patterns):
        asked.update(name=name, patterns=allow_patterns)
        return str(tmp_path)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fetch)
    assert find_model_folder("org/some-model") == tmp_path
    assert asked["name"] == "org/some-model"
    assert "*.safetensors" in asked["patterns"] and "vocab.txt" in asked["patterns"]
    assert not any(pattern.endswith(".bin") for pattern in asked["patterns"])


def test_a_model_on_the_hub_without_safetensors_is_refused_with_how_to_get_the_rest(
    tmp_path, monkeypatch
):
    save_config(tmp_path)
    monkeypatch.setattr(
        huggingface_hub, "snapshot_download", lambda name, allow_patterns: str(tmp_path)
    )
    with pytest.raises(InputError, match=r"org/m has no safetensors .*hf download org/m --local-d"):
        read_model_folder("org/m")
    (tmp_path / "pytorch_model.bin").touch()  # what the command adds
    with pytest.raises(InputError, match=r"pytorch_model\.bin \(a pickle, .*python -c"):
        read_model_folder(tmp_path)


def test_offline_hub_and_mistyped_folder(tmp_path, monkeypatch):
    def fail(name, allow_patterns):
        raise huggingface_hub.errors.LocalEntryNotFoundError("offline\nand more")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fail)
    with pytest.raises(InputError, match=r"org/m is not a local folder.*\(offline\).*local folder"):
        find_model_folder("org/m")
    with pytest.raises(InputError, match="is not a folder"):
        find_model_folder(tmp_path / "no")
    with pytest.raises(InputError, match="is not a folder"):
        find_model_folder("a/" * 3000)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.safetensors").touch()
    with pytest.raises(
        InputError, match=r"model\.safetensors is not a folder; give a Hugging Face"
    ):
        find_model_folder("model.safetensors")


def test_written_folder_is_complete_and_readable(tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    save_tokenizer(source, word_tokenizer())
    (source / "README.md").write_text("not copied", encoding="utf-8")
    tensors = {
        "classifier.weight": np.arange(12.0).reshape(4, 3).T,  # not contiguous
        "classifier.bias": np.zeros(3, np.float32),
    }
    for _ in range(2):  # the second time over the first
        for stale in ("vocab.txt", "label_model.safetensors"):  # of another model
            target.mkdir(exist_ok=True)
            (target / stale).touch()
        write_model_folder(target, CONFIG, tensors, source, ["O", "B-PER", "I-PER"])
    names = {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
    assert {file.name for file in target.iterdir()} == names
    assert len({os.stat(target / name).st_mode for name in names}) == 1
    config = json.loads((target / "config.json").read_text(encoding="utf-8"))
    assert config["architectures"] == ["BertForTokenClassification"]
    assert config["id2label"] == {"0": "O", "1": "B-PER", "2": "I-PER"}
    assert config["label2id"] == {"O": 0, "B-PER": 1, "I-PER": 2}
    assert config["hidden_size"] == 4 and config["dtype"] == "float32"
    assert "torch_dtype" not in config
    written = load_file(target / "model.safetensors")
    np.testing.assert_array_equal(written["classifier.weight"], tensors["classifier.weight"])
    assert b'"format":"pt"' in (target / "model.safetensors").read_bytes()[:400]


def test_failed_write_leaves_the_old_folder(tmp_path):
    (tmp_path / "target").mkdir()
    save_config(tmp_path / "target")
    source = tmp_path / "source"
    source.mkdir()
    tensors = {"classifier.weight": np.zeros((1, 2))}
    with pytest.raises(ValueError, match="source has no tokenizer to copy"):
        write_model_folder(tmp_path / "target", CONFIG, tensors, source, ["O"])
    save_tokenizer(source, word_tokenizer())
    with pytest.raises(KeyError, match="t5"):
        write_model_folder(tmp_path / "target", {"model_type": "t5"}, tensors, source, ["O"])
    assert [file.name for file in (tmp_path / "target").iterdir()] == ["config.json"]
    with pytest.raises(ValueError, match="1 rows for 2 labels"):
        write_model_folder(tmp_path / "target", CONFIG, tensors, source, ["O", "B-PER"])


def test_a_full_disk_under_the_tokenizer_is_one_sentence(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    save_tokenizer(source, word_tokenizer())
    tensors = {"classifier.weight": np.zeros((1, 2)), "classifier.bias": np.zeros(1)}
    monkeypatch.setattr("shutil.copyfile", full)
    with pytest.raises(InputError, match=r"cannot be written to .*target \(No space left"):
        write_model_folder(target, CONFIG, tensors, source, ["O"])
    assert not list(target.iterdir())


@pytest.mark.parametrize("name", ["B-\nX", "B-\tX", "\r"])
def test_labels_of_a_head_are_without_line_ends(name):
    with pytest.raises(InputError, match="without tabs and line breaks"):
        read_label_set({"id2label": {"0": "O", "1": name}}, "config.json")
