"""A tiny encoder and labelled texts in an invented language, for tests of whole programs."""

import functools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from tokenizers import Tokenizer, models, pre_tokenizers

from zsl_jax.io.weights import write_weights
from zsl_jax.models import huggingface
from zsl_jax.models.encoder import Encoder
from zsl_jax.models.encoder_config import EncoderConfig
from zsl_jax.types import Sentence

LABELS = ("NAME", "NOUN", "VERB")
STEMS = {"NAME": "Ka Lo Mi Ru", "NOUN": "tab sel dor vin pas", "VERB": "gata lora mina"}
LABEL_OF = {word: label for label, stems in STEMS.items() for word in stems.split()}
WORDS = tuple(word for stems in STEMS.values() for word in stems.split())
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
CONFIG: dict[str, Any] = {
    "model_type": "bert",
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 64,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-12,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1,
    "pad_token_id": 0,
}
# Families of encoders, by what their config.json has besides or instead.
FAMILIES: dict[str, dict[str, Any]] = {
    "bert": {},
    "xlm-roberta": {},
    "distilbert": {
        "dim": 16,
        "n_layers": 2,
        "n_heads": 2,
        "hidden_dim": 32,
        "activation": "gelu",
        "dropout": 0.1,
        "attention_dropout": 0.1,
    },
    "electra": {"embedding_size": 8},
    "xlm-roberta-xl": {"type_vocab_size": 1},
    "deberta-v2": {
        "relative_attention": True,
        "share_att_key": True,
        "pos_att_type": ["p2c", "c2p"],
        "norm_rel_ebd": "layer_norm",
        "position_buckets": 8,
        "position_biased_input": False,
        "type_vocab_size": 0,
    },
    "modernbert": {"global_attn_every_n_layers": 2, "local_attention": 8},
}


class World(NamedTuple):
    """Paths of the tiny encoder and of three labelled texts."""

    encoder: Path
    train: Path
    text: Path
    test: Path


def sentences(seed: int, count: int) -> list[Sentence]:
    """Labelled sentences of two to nine words; a word's label follows from its stem."""
    rng = np.random.default_rng(seed)
    words = [(word, label) for label, stems in STEMS.items() for word in stems.split()]
    made = []
    for number in range(count):
        chosen = [words[i] for i in rng.integers(0, len(words), rng.integers(2, 10))]
        names, labels = zip(*chosen, strict=True)
        made.append(Sentence(names, labels, (f"# sent_id = {number}",)))
    return made


def by_rule(sentences: Sequence[Sequence[str]]) -> list[list[str | None]]:
    """A source that is right about two kinds of words, and silent about the third."""
    labels = [[LABEL_OF[word] for word in words] for words in sentences]
    return [[None if label == "VERB" else label for label in own] for own in labels]


def by_chance(right: float, seed: int) -> Any:
    """A source that gives the true label with probability `right`, as probabilities."""

    def function(sentences):
        rng = np.random.default_rng(seed)
        truth = [LABELS.index(LABEL_OF[w]) for words in sentences for w in words]
        wrong = rng.integers(0, 3, len(truth))
        labels = np.where(rng.random(len(truth)) < right, truth, wrong)
        return LABELS, 0.1 + 0.7 * np.eye(3, dtype=np.float32)[labels]

    return function


def write_text(path: Path, text: list[Sentence]) -> Path:
    """Two columns, written without the code under test."""
    blocks = []
    for sentence in text:
        assert sentence.labels is not None
        rows = [f"{w}\t{y}" for w, y in zip(sentence.words, sentence.labels, strict=True)]
        blocks.append("\n".join([*sentence.comments, *rows]) + "\n")
    path.write_text("\n".join(blocks), encoding="utf-8")
    return path


def write_encoder(folder: Path, pieces: Sequence[str] = WORDS, family: str = "bert") -> Path:
    """A random encoder of two layers with a vocabulary of whole words, or of other WordPieces."""
    vocabulary = {word: number for number, word in enumerate([*SPECIAL, *pieces])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens(SPECIAL)
    folder.mkdir(parents=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    about = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 64}
    names = ("pad_token", "unk_token", "cls_token", "sep_token")
    about |= dict(zip(names, SPECIAL, strict=True))
    (folder / "tokenizer_config.json").write_text(json.dumps(about))
    raw = CONFIG | FAMILIES[family] | {"vocab_size": len(vocabulary), "model_type": family}
    config = EncoderConfig.from_huggingface(raw, "the tiny encoder")
    head = {"kernel": np.zeros((16, 1), np.float32), "bias": np.zeros(1, np.float32)}
    params = {"encoder": _random_encoder(config), "classifier": head}
    tensors = huggingface.tensors_from_params(params, config)
    tensors = {name: value for name, value in tensors.items() if "classifier" not in name}
    write_weights(folder / "model.safetensors", tensors)
    (folder / "config.json").write_text(json.dumps(raw))
    return folder


@functools.cache
def _random_encoder(config: EncoderConfig) -> dict[str, Any]:
    ids = np.zeros((1, 4), np.int32)
    init = functools.partial(Encoder(config).init, deterministic=True)
    return jax.jit(init)(jax.random.key(0), ids, ids, ids)["params"]


def build(folder: Path) -> World:
    """Write the whole world into a folder."""
    return World(
        write_encoder(folder / "encoder"),
        write_text(folder / "train.conll", sentences(1, 60)),
        write_text(folder / "text.conll", sentences(2, 40)),
        write_text(folder / "test.conll", sentences(3, 20)),
    )
