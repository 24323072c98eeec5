"""Loads the tokenizer of a model folder and checks it against the weights."""

import hashlib
import json
import os
import unicodedata
from pathlib import Path
from typing import Any

from absl import logging

from zsl_jax.errors import InputError
from zsl_jax.io.json_file import read_json_object

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
_PROBE = ["a", "\U0010fffd"]  # a word, and one that no vocabulary has


def load_tokenizer(path: str | os.PathLike[str], num_embeddings: int | None = None) -> Any:
    """Loads a model's fast tokenizer (`transformers.PreTrainedTokenizerFast`), prepared for words.

    A tokenizer whose subwords contain blanks (RoBERTa, mmBERT) is set to put one before every word,
    as in running text. A warning is logged if the tokenizer lower-cases all words, or removes their
    accents, although its vocabulary has capitals or accents.

    Args:
      path: A local folder.
      num_embeddings: Rows of the model's word embeddings, if known.

    Raises:
      InputError: Tokenizer files are missing or unreadable, the tokenizer is not fast, its special
        tokens are not in its vocabulary, or it has subwords without an embedding.
    """
    folder = Path(path)
    if not any((folder / name).is_file() for name in VOCABULARY_FILES):
        raise InputError(
            f"{folder} has no tokenizer ({', '.join(VOCABULARY_FILES)}); "
            "copy the tokenizer's files from the model that it was trained from"
        )
    digest = _digest(folder)
    if digest not in _last:
        loaded = _loaded(folder)
        _last.clear()
        _last[digest] = loaded
    tokenizer, vocabulary = _last[digest]
    if num_embeddings is not None:
        _check_ids(tokenizer, vocabulary, num_embeddings, folder)
    _warn_of_lost_letters(tokenizer, vocabulary, folder)
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
        raise _damaged(folder, error) from error
    if not tokenizer.is_fast:
        raise InputError(
            f"the tokenizer in {folder}, {type(tokenizer).__name__}, is not a fast one, and none "
            "can be made of it; label the text with transformers and give those predictions as "
            "the source"
        )
    _check_special_tokens(tokenizer, folder)
    _begin_words_with_blanks(tokenizer.backend_tokenizer)
    try:
        tokenizer.backend_tokenizer.encode_batch([_PROBE], is_pretokenized=True)
    except Exception as error:
        raise _damaged(folder, error) from error
    return tokenizer, tokenizer.get_vocab()


def _damaged(folder: Path, error: Exception) -> InputError:
    reason = str(error).strip().partition("\n")[0]
    return InputError(
        f"the tokenizer in {folder} cannot be loaded ({reason}); fetch its files again, all of one "
        "model, or label the text with transformers and give those predictions as the source"
    )


def _begin_words_with_blanks(backend: Any) -> None:
    """Lets words that are given one by one begin as they do in running text."""
    from tokenizers import normalizers
    from tokenizers.pre_tokenizers import ByteLevel

    normalizer, pre_tokenizer = backend.normalizer, backend.pre_tokenizer
    if isinstance(pre_tokenizer, ByteLevel):
        pre_tokenizer.add_prefix_space = True
    elif isinstance(normalizer, normalizers.Replace) and normalizer.normalize_str("a b") == "a▁b":
        backend.normalizer = normalizers.Sequence([normalizer, normalizers.Prepend("▁")])
    elif pre_tokenizer is not None and _cut(pre_tokenizer, "a a") == ["a", "Ġa"]:  # it has parts
        own = [] if normalizer is None else [normalizer]
        backend.normalizer = normalizers.Sequence([normalizers.Prepend(" "), *own])


def _cut(pre_tokenizer: Any, text: str) -> list[str]:
    return [piece for piece, _ in pre_tokenizer.pre_tokenize_str(text)]


def _check_special_tokens(tokenizer: Any, folder: Path) -> None:
    """Raises if special tokens are in no file, so that transformers adds them as new subwords."""
    names = (tokenizer.cls_token, tokenizer.sep_token, tokenizer.unk_token)
    tokens = {name for name in names if name and name.isascii()}
    files = [folder / name for name in (*VOCABULARY_FILES, "added_tokens.json")]
    contents = [file.read_bytes() for file in files if file.is_file()]
    if (folder / "tokenizer_config.json").is_file():
        config = read_json_object(folder / "tokenizer_config.json")
        contents.append(json.dumps(config.get("added_tokens_decoder")).encode())
    missing = [name for name in sorted(tokens) if not any(name.encode() in c for c in contents)]
    if missing:
        raise InputError(
            f"{folder}: the special tokens {', '.join(missing)} are not in the tokenizer's "
            "vocabulary; copy the tokenizer's files from the model that the weights were trained "
            "with, or name the model's own special tokens in tokenizer_config.json, such as "
            '{"cls_token": "<s>"}'
        )


def _check_ids(
    tokenizer: Any, vocabulary: dict[str, int], num_embeddings: int, folder: Path
) -> None:
    """Raises if a subword has no embedding; on a device, it would silently use another one."""
    beyond = sorted((i, subword) for subword, i in vocabulary.items() if i >= num_embeddings)
    if not beyond:
        return
    shown = ", ".join(f"{subword!r} ({number})" for number, subword in beyond[:_SHOWN])
    remedy = (
        "copy the tokenizer's files from the model that the weights were trained with, or "
        "enlarge the embeddings, with transformers and PyTorch: "
        "model.resize_token_embeddings(len(tokenizer)), and train them"
    )
    if [subword for _, subword in beyond] == [tokenizer.mask_token]:
        remedy = (
            f'if the model was trained without one, write {{"mask_token": null}} into '
            f"tokenizer_config.json, else {remedy}"
        )
    raise InputError(
        f"{folder}: the model has embeddings for the subwords 0 to {num_embeddings - 1}, but "
        f"the tokenizer has {len(beyond)} more: {shown}{', ...' * (len(beyond) > _SHOWN)}; "
        f"{remedy}"
    )


def _warn_of_lost_letters(tokenizer: Any, vocabulary: dict[str, int], folder: Path) -> None:
    """Warns of a vocabulary with capitals or accents that the tokenizer takes from all words."""
    normalizer = tokenizer.backend_tokenizer.normalizer
    if normalizer is None:
        return
    special = set(tokenizer.all_special_tokens)
    pieces = [piece for piece in vocabulary if piece not in special and not piece.startswith("[")]
    for letter, loss, what, setting, flag in (
        ("A", str.lower, "capitals", "lowercase", "do_lower_case"),
        ("é", _without_accents, "accents", "strip_accents", "strip_accents"),
    ):
        if letter in unicodedata.normalize("NFC", normalizer.normalize_str(letter)):
            continue
        lost = sorted(piece for piece in pieces if piece != loss(piece))
        if len(lost) <= _CASED * len(vocabulary):
            continue
        remedy = f'set "{setting}": false in the normalizer of tokenizer.json'
        if type(tokenizer).__name__ not in _GENERIC:
            remedy = f'write {{"{flag}": false}} into tokenizer_config.json'
        logging.warning(
            "%s: the tokenizer removes the %s of all words, but its vocabulary has some (%s, ...), "
            "which are never used; if the model was trained with them, %s",
            folder, what, ", ".join(map(repr, lost[:_SHOWN])), remedy,
        )  # fmt: skip


def _without_accents(piece: str) -> str:
    if piece.isascii():
        return piece
    parts = unicodedata.normalize("NFD", piece)
    bare = "".join(part for part in parts if unicodedata.category(part) != "Mn")
    return unicodedata.normalize("NFC", bare) if bare != parts else piece
