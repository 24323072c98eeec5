"""Tests of zsl_jax.workflows.unknown_words."""

import json
import shutil

import pytest

from zsl_jax.data.batches.subwords import SubwordEncoder
from zsl_jax.errors import InputError
from zsl_jax.io.tokenizer import load_tokenizer
from zsl_jax.types import Sentence
from zsl_jax.workflows.loaded_tagger import encode_text, load_tagger
from zsl_jax.workflows.unknown_words import UnknownWords


@pytest.mark.parametrize(("unknown", "is_warned"), [(0, False), (10, False), (11, True)])
def test_many_unknown_words_are_warned_of(world, caplog, unknown, is_warned):
    tagger = load_tagger(world.encoder)
    words = ["Zürich"] * unknown + ["Ka"] * (100 - unknown)
    encode_text(tagger, [Sentence(tuple(words))], 32)
    assert (f"does not know {unknown} of the first 100 words" in caplog.text) == is_warned


def test_a_text_of_few_words_is_not_judged(world, caplog):
    encode_text(load_tagger(world.encoder), [Sentence(("Zürich",) * 19)], 32)
    assert not caplog.text


LETTERS = [chr(code) for code in range(0x61, 0x7B)]


def roberta_folder(folder, world, merges):
    """A tagger's encoder with a byte-level tokenizer, which has no unknown token to count."""
    shutil.copytree(world.encoder, folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "Ġ", *LETTERS, "ta", "tab", "Ġtab"]
    (folder / "vocab.json").write_text(json.dumps({piece: n for n, piece in enumerate(pieces)}))
    (folder / "merges.txt").write_text(merges)
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "RobertaTokenizer"}')
    return load_tokenizer(folder)


@pytest.mark.parametrize(
    ("merges", "is_warned"),
    [("#version: 0.2\nt a\nta b\nĠ tab\n", False), ("#version: 0.2\n", True)],
)
def test_words_that_fall_apart_into_letters_are_warned_of(
    world, tmp_path, caplog, merges, is_warned
):
    tokenizer = roberta_folder(tmp_path / "a", world, merges)
    sentences = [Sentence(("tabtab", "ab", "tabtab"))] * 10
    windows = SubwordEncoder(tokenizer, 32).encode([s.words for s in sentences])
    UnknownWords("a", tokenizer).look_at(windows, sentences)
    expected = "a: the tokenizer cuts 20 of the first 20 words of 4 letters or more into single let"
    assert (expected in caplog.text) == is_warned
    assert ("such as 'tabtab'; check that all files" in caplog.text) == is_warned


def test_merges_that_are_a_pointer_of_git_lfs_are_refused(world, tmp_path):
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 9\n"
    with pytest.raises(InputError, match=r"a cannot be loaded \(.*\); fetch its files again"):
        roberta_folder(tmp_path / "a", world, pointer)


def test_scripts_in_which_each_character_may_be_a_subword_are_not_judged(world, tmp_path, caplog):
    tokenizer = roberta_folder(tmp_path / "a", world, "#version: 0.2\n")
    sentences = [Sentence(("中华人民共和国", "1,000", "ab"))] * 30
    windows = SubwordEncoder(tokenizer, 32).encode([s.words for s in sentences])
    UnknownWords("a", tokenizer).look_at(windows, sentences)
    assert not caplog.text
