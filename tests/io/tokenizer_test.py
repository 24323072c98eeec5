"""Tests of zsl_jax.io.tokenizer."""

import io
import json
import shutil

import pytest
import sentencepiece
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from tests import tiny_world
from tests.io.model_folder_test import (
    VOCABULARY,
    no_network,  # noqa: F401
    save_config,
    save_tokenizer,
    word_tokenizer,
)
from zsl_jax.errors import InputError
from zsl_jax.io.tokenizer import load_tokenizer
from zsl_jax.workflows.loaded_tagger import load_tagger

SPECIAL = "[PAD] [UNK] [CLS] [SEP]".split()
PIECES = "[PAD] [UNK] [CLS] [SEP] [MASK] Anna Rome lives in anna An ##na".split()
TEXT = ["Anna Maria lives in Rome .", "Rome is a city in Italy .", "Maria loves Anna and Rome"]


def test_tokenizer_of_a_local_folder_needs_no_network(tmp_path, no_network):  # noqa: F811
    save_tokenizer(tmp_path, word_tokenizer())
    tokenizer = load_tokenizer(tmp_path)
    assert tokenizer.is_fast
    encoded = tokenizer(["Haus", "Maus"], is_split_into_words=True)
    assert encoded["input_ids"] == [1, 4, 0, 2]


def test_byte_level_tokenizer_puts_a_space_before_each_word(tmp_path):
    tokenizer = Tokenizer(models.BPE(VOCABULARY, [("Ġ", "a")]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    save_tokenizer(tmp_path, tokenizer)
    encoded = load_tokenizer(tmp_path)(["a", "a"], is_split_into_words=True)
    assert encoded["input_ids"] == [1, 7, 7, 2]


def test_a_tokenizer_with_blanks_in_its_subwords_puts_one_before_each_word(tmp_path):
    """As that of Gemma and mmBERT: blanks become "▁" and stay with the word after them."""
    pieces = {**VOCABULARY, "▁": 8, "▁a": 9}
    tokenizer = Tokenizer(models.BPE(pieces, [("▁", "a")], unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    save_tokenizer(tmp_path, tokenizer)
    loaded = load_tokenizer(tmp_path)
    encoded = loaded(["a", "a"], is_split_into_words=True)
    assert encoded["input_ids"] == [1, 9, 9, 2]
    assert encoded.word_ids() == [None, 0, 1, None]
    running = Tokenizer.from_file(str(tmp_path / "tokenizer.json")).encode("a a a")
    assert running.ids == [1, 6, 9, 9, 2]  # what the model was trained on


def test_missing_and_damaged_tokenizer(tmp_path):
    save_config(tmp_path)
    with pytest.raises(InputError, match=r"no tokenizer .*tokenizer\.json"):
        load_tokenizer(tmp_path)
    save_tokenizer(tmp_path, word_tokenizer())
    (tmp_path / "tokenizer.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be loaded"):
        load_tokenizer(tmp_path)


@pytest.mark.parametrize("rows", [7, 5])
def test_more_subwords_than_embeddings_are_an_error(tmp_path, rows):
    save_tokenizer(tmp_path, word_tokenizer())
    assert load_tokenizer(tmp_path, 8)
    with pytest.raises(InputError, match=rf"subwords 0 to {rows - 1}, .* {8 - rows} more: ") as e:
        load_tokenizer(tmp_path, rows)
    assert ("'Ġa' (7)" in str(e.value)) and "resize_token_embeddings" in str(e.value)


def test_an_added_token_without_an_embedding_is_refused_when_the_folder_is_opened(world, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(world.encoder, folder)
    tokenizer = load_tokenizer(folder)
    tokenizer.add_tokens(["Zürich"])
    tokenizer.save_pretrained(folder)
    with pytest.raises(InputError, match=r"the tokenizer has 1 more: 'Zürich' \(\d+\);"):
        load_tagger(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):  # the way out
        shutil.copy(world.encoder / name, folder / name)
    load_tagger(folder)


def bert_folder(folder, **settings):
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(PIECES) + "\n")
    save_config(folder)
    if settings:
        (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return folder


def test_lost_capitals_are_warned_of_and_the_remedy_helps(tmp_path, caplog):
    folder = bert_folder(tmp_path / "a")
    encoded = load_tokenizer(folder)(["Anna"], is_split_into_words=True)
    assert encoded["input_ids"] == [2, 9, 3]
    assert (
        "removes the capitals of all words, but its vocabulary has some ('An', 'Anna'"
        in caplog.text
    )
    assert 'write {"do_lower_case": false} into tokenizer_config.json' in caplog.text
    caplog.clear()
    encoded = load_tokenizer(bert_folder(tmp_path / "b", do_lower_case=False))(
        ["Anna"], is_split_into_words=True
    )
    assert encoded["input_ids"] == [2, 5, 3] and not caplog.text


def test_lost_capitals_in_a_tokenizer_json(tmp_path, caplog):
    tokenizer = word_tokenizer()
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    save_tokenizer(tmp_path, tokenizer)
    load_tokenizer(tmp_path)
    assert 'set "lowercase": false in the normalizer of tokenizer.json' in caplog.text
    caplog.clear()
    about = json.loads((tmp_path / "tokenizer.json").read_text())
    about["normalizer"]["lowercase"] = False
    (tmp_path / "tokenizer.json").write_text(json.dumps(about))
    encoded = load_tokenizer(tmp_path)(["Haus"], is_split_into_words=True)
    assert encoded["input_ids"] == [1, 4, 2] and not caplog.text


def test_an_uncased_vocabulary_is_not_warned_of(tmp_path, caplog):
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "[CLS]": 1, "[SEP]": 2}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.add_tokens(["haus"])
    save_tokenizer(tmp_path, tokenizer)
    load_tokenizer(tmp_path)
    assert not caplog.text


OLD_IDS = {"unk_id": 0, "bos_id": 1, "eos_id": 2, "pad_id": -1}
DEBERTA_IDS = {"pad_id": 0, "bos_id": 1, "eos_id": 2, "unk_id": 3} | {
    "pad_piece": "[PAD]", "bos_piece": "[CLS]", "eos_piece": "[SEP]", "unk_piece": "[UNK]",
}  # fmt: skip


def sentencepiece_model(special=OLD_IDS) -> bytes:
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXT * 30), model_writer=model, vocab_size=28,
        hard_vocab_limit=False, minloglevel=2, **special,
    )  # fmt: skip
    return model.getvalue()


@pytest.mark.parametrize("family", ["xlm-roberta", "camembert", "deberta-v2"])
@pytest.mark.parametrize("settings", [None, {"model_max_length": 512, "do_lower_case": False}])
def test_a_folder_with_only_a_sentencepiece_model_opens(tmp_path, no_network, family, settings):  # noqa: F811
    is_deberta = family == "deberta-v2"
    model = sentencepiece_model(DEBERTA_IDS if is_deberta else OLD_IDS)
    (tmp_path / ("spm.model" if is_deberta else "sentencepiece.bpe.model")).write_bytes(model)
    save_config(tmp_path, {"model_type": family})
    if settings:
        (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    tokenizer = load_tokenizer(tmp_path)
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    for words in (["Anna", "lives", "in", "Rome"], ["Maria", "Ω", "loves"]):
        ids = tokenizer(words, is_split_into_words=True)["input_ids"][1:-1]
        unknown = tokenizer.unk_token
        pieces = processor.encode(" ".join(words), out_type=str)
        lost = processor.unk_id()
        known = [unknown if processor.piece_to_id(piece) == lost else piece for piece in pieces]
        assert tokenizer.convert_ids_to_tokens(ids) == known
    if is_deberta:
        assert ids == [processor.piece_to_id(piece) for piece in pieces]
    if family == "xlm-roberta":  # <s> <pad> </s> <unk>, then the pieces in their order
        assert tokenizer.convert_tokens_to_ids("▁Rome") == processor.piece_to_id("▁Rome") + 1
        assert (tokenizer.unk_token_id, tokenizer.pad_token_id) == (3, 1)


def test_a_damaged_sentencepiece_model_is_one_sentence(tmp_path):
    save_config(tmp_path, {"model_type": "xlm-roberta"})
    (tmp_path / "sentencepiece.bpe.model").write_bytes(sentencepiece_model()[:-40])
    with pytest.raises(InputError, match=r"cannot be loaded .*; fetch its files again"):
        load_tokenizer(tmp_path)


def test_folders_with_the_same_tokenizer_share_it(tmp_path):
    one, other = (tiny_world.write_encoder(tmp_path / name) for name in ("one", "other"))
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps({**config, "id2label": {"0": "X"}}))
    first = load_tokenizer(one)
    assert load_tokenizer(other) is first
    third = load_tokenizer(tiny_world.write_encoder(tmp_path / "third", ["Ka", "tab"]))
    assert third is not first and len(third.get_vocab()) == 6
    with pytest.raises(InputError, match=r"^.*other: the model has embeddings for the subwords 0"):
        load_tokenizer(other, 3)


@pytest.mark.parametrize("cased", [True, False])
def test_lost_accents_are_warned_of_and_the_remedy_helps(tmp_path, caplog, cased):
    """Models of German that do not know capitals do know umlauts."""
    settings = {"do_lower_case": not cased}
    folder = bert_folder(tmp_path / "a", **settings, strip_accents=True)
    pieces = [*SPECIAL, *"über schön la".split(), *["Anna"] * cased]
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n")
    assert load_tokenizer(folder)(["schön"], is_split_into_words=True)["input_ids"][1] == 1
    assert "removes the accents of all words" in caplog.text
    assert "its vocabulary has some ('schön', 'über', ...), which are never used" in caplog.text
    assert 'write {"strip_accents": false} into tokenizer_config.json' in caplog.text
    caplog.clear()
    settings["strip_accents"] = False
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    assert load_tokenizer(folder)(["schön"], is_split_into_words=True)["input_ids"][1] == 5
    assert not caplog.text


@pytest.mark.parametrize("parts", [["ByteLevel"], ["Digits", "ByteLevel"]])
def test_byte_level_among_other_parts_puts_a_space_before_each_word(tmp_path, parts):
    pieces = {**VOCABULARY, "b": 8, "Ġ": 9}
    tokenizer = Tokenizer(models.BPE(pieces, [("Ġ", "a")]))
    made = {
        "ByteLevel": pre_tokenizers.ByteLevel(add_prefix_space=False),
        "Digits": pre_tokenizers.Digits(),
    }
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([made[part] for part in parts])
    save_tokenizer(tmp_path, tokenizer)
    loaded = load_tokenizer(tmp_path)
    assert loaded(["a", "a"], is_split_into_words=True)["input_ids"] == [1, 7, 7, 2]
    running = Tokenizer.from_file(str(tmp_path / "tokenizer.json")).encode("b a a")
    assert running.ids[-3:-1] == [7, 7]  # what the model was trained on


def test_special_tokens_that_no_file_has_are_refused_and_may_be_named(tmp_path):
    pieces = "<s> <pad> </s> <unk> <mask> Anna".split()
    folder = bert_folder(tmp_path / "a", do_lower_case=False)
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n")
    with pytest.raises(
        InputError, match=r"a: the special tokens .*\[SEP\].* are not in .* or name"
    ):
        load_tokenizer(folder, 99)
    named = {"cls_token": "<s>", "sep_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
    settings = {"do_lower_case": False, "mask_token": "<mask>", **named}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    loaded = load_tokenizer(folder, 6)
    assert loaded(["Anna", "x"], is_split_into_words=True)["input_ids"] == [0, 5, 3, 2]


def test_a_vocabulary_without_a_mask_is_opened_once_it_is_said(tmp_path):
    folder = bert_folder(tmp_path / "a", do_lower_case=False)
    (folder / "vocab.txt").write_text("\n".join([*SPECIAL, "Anna"]) + "\n")
    with pytest.raises(
        InputError, match=r"1 more: '\[MASK\]' \(5\); .*write \{\"mask_token\": null"
    ):
        load_tokenizer(folder, 5)
    (folder / "tokenizer_config.json").write_text('{"do_lower_case": false, "mask_token": null}')
    assert load_tokenizer(folder, 5)(["Anna"], is_split_into_words=True)["input_ids"] == [2, 4, 3]


def test_a_tokenizer_that_cannot_cut_an_unknown_word_is_refused_when_it_is_opened(tmp_path):
    save_tokenizer(tmp_path, Tokenizer(models.WordPiece(VOCABULARY, unk_token="<none>")))
    with pytest.raises(InputError, match=r"cannot be loaded \(.*Missing .*; fetch its files again"):
        load_tokenizer(tmp_path)


def test_a_slow_tokenizer_is_named_with_another_way(tmp_path):
    folder = bert_folder(tmp_path / "a", tokenizer_class="BertJapaneseTokenizer")
    with pytest.raises(InputError, match=r"BertJapaneseTokenizer, is not a fast one, .*; label"):
        load_tokenizer(folder)


def test_files_of_two_models_are_refused(tmp_path):
    save_tokenizer(tmp_path, word_tokenizer())
    about = json.loads((tmp_path / "tokenizer_config.json").read_text())
    about["tokenizer_class"] = "XLMRobertaTokenizerFast"
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(about))
    with pytest.raises(InputError, match=r"cannot be loaded .*; fetch its files again, all of one"):
        load_tokenizer(tmp_path)
