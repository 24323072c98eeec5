"""Loads the tokenizer of a model folder and checks it against the weights."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from absl import logging

from zsl_jax.errors import InputError

VOCABULARY_FILES = (
    "tokenizer.json",
    "vocab.txt",
    "vocab.json",
    "sentencepiece.bpe.model",
    "spiece.model",
    "spm.model",
)
TOKENIZER_FILES = (
    *VOCABULARY_FILES,
    "merges.txt",
    "added_tokens.json",
    "special_tokens_map.json",
    "tokenizer_config.json",
)
_SHOWN = 3  # subwords in a message
_GENERIC = ("PreTrainedTokenizerFast", "TokenizersBackend")  # these follow tokenizer.json
# The tokenizer that was loaded last, with its vocabulary, by the digest of its files: taggers that
# were trained from one encoder have the same, and loading a large one takes seconds.
_last: dict[str, tuple[Any, dict[str, int]]] = {}
_CASED = 0.01  # share of subwords with capitals above which a vocabulary counts as cased


def load_tokenizer(path: str | os.PathLike[str], num_embeddings: int | None = None) -> Any:
    """Loads a model's fast tokenizer (`transformers.PreTrainedTokenizerFast`), prepared for words.

    A tokenizer whose subwords contain blanks (RoBERTa, mmBERT) is set to put one before every word,
    as in running text. A warning is logged if the tokenizer lower-cases all words although its
    vocabulary has capitals.

    Args:
      path: A local folder.
      num_embeddings: Rows of the model's word embeddings, if known.

    Raises:
      InputError: Tokenizer files are missing or unreadable, the tokenizer is not fast, or it has
        subwords without an embedding.
    """
    folder = Path(path)
    if not any((folder / name).is_file() for name in VOCABULARY_FILES):
        raise InputError(
            f"{folder} has no tokenizer ({', '.join(VOCABULARY_FILES)}); "
            "copy the tokenizer's files from the model that it was trained from."
        )
    digest = _digest(folder)
    if digest not in _last:
        loaded = _loaded(folder)
        _last.clear()
        _last[digest] = loaded
    tokenizer, vocabulary = _last[digest]
    if num_embeddings is not None:
        _check_ids(vocabulary, num_embeddings, folder)
    _warn_of_lost_capitals(tokenizer, vocabulary, folder)
    return tokenizer


def _digest(folder: Path) -> str:
    """A digest of all files that a tokenizer depends on."""
    digest = hashlib.sha256()
    for name in (*TOKENIZER_FILES, "config.json"):
        if (folder / name).is_file():
            digest.update(f"{name}\n".encode())
            data = (folder / name).read_bytes()
            digest.update(_tokenizer_settings(data) if name == "config.json" else data)
    return digest.hexdigest()


def _tokenizer_settings(config: bytes) -> bytes:
    """What config.json tells of the tokenizer; all of it where it cannot be read."""
    try:
        values = json.loads(config)
        return repr([values.get(name) for name in ("model_type", "tokenizer_class")]).encode()
    except (ValueError, RecursionError, AttributeError):
        return config


def _loaded(folder: Path) -> tuple[Any, dict[str, int]]:
    """The tokenizer of a folder, and its vocabulary."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder), use_fast=True, local_files_only=True)
    except Exception as error:  # a tokenizer's own code may raise anything on a bad file
        reason = str(error).strip().partition("\n")[0]
        raise InputError(
            f"The tokenizer in {folder} cannot be loaded ({reason}); fetch its files again."
        ) from error
    if not tokenizer.is_fast:
        raise InputError(
            f"The tokenizer in {folder} is not a fast one; save a fast one (tokenizer.json) there."
        )
    _begin_words_with_blanks(tokenizer.backend_tokenizer)
    vocabulary = tokenizer.get_vocab()
    return tokenizer, vocabulary


def _begin_words_with_blanks(backend: Any) -> None:
    """Lets words that are given one by one begin as they do in running text."""
    from tokenizers import normalizers
    from tokenizers.pre_tokenizers import ByteLevel

    if isinstance(backend.pre_tokenizer, ByteLevel):
        backend.pre_tokenizer.add_prefix_space = True
        return
    normalizer = backend.normalizer
    if isinstance(normalizer, normalizers.Replace) and normalizer.normalize_str("a b") == "a▁b":
        backend.normalizer = normalizers.Sequence([normalizer, normalizers.Prepend("▁")])


def _check_ids(vocabulary: dict[str, int], num_embeddings: int, folder: Path) -> None:
    """Raises if a subword has no embedding; on a device, it would silently use another one."""
    beyond = sorted((i, subword) for subword, i in vocabulary.items() if i >= num_embeddings)
    if beyond:
        shown = ", ".join(f"{subword!r} ({number})" for number, subword in beyond[:_SHOWN])
        raise InputError(
            f"{folder}: the model has embeddings for the subwords 0 to {num_embeddings - 1}, but "
            f"the tokenizer has {len(beyond)} more: {shown}{', ...' * (len(beyond) > _SHOWN)}; "
            "copy the tokenizer's files from the model that the weights were trained with, or "
            "enlarge the embeddings, with transformers and PyTorch: "
            "model.resize_token_embeddings(len(tokenizer)), and train them."
        )


def _warn_of_lost_capitals(tokenizer: Any, vocabulary: dict[str, int], folder: Path) -> None:
    normalizer = tokenizer.backend_tokenizer.normalizer
    if normalizer is None or normalizer.normalize_str("A") != "a":
        return
    special = set(tokenizer.all_special_tokens)
    cased = [
        subword
        for subword in vocabulary
        if subword != subword.lower() and subword not in special and not subword.startswith("[")
    ]
    if len(cased) > _CASED * len(vocabulary):
        remedy = 'set "lowercase": false in the normalizer of tokenizer.json'
        if type(tokenizer).__name__ not in _GENERIC:
            remedy = 'write {"do_lower_case": false} into tokenizer_config.json'
        shown = ", ".join(map(repr, sorted(cased)[:_SHOWN]))
        logging.warning(
            "%s: the tokenizer lower-cases all words, but its vocabulary has capitals (%s, ...), "
            "which are never used; if the model is cased, %s", folder, shown, remedy,
        )  # fmt: skip
