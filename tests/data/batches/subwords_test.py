"""Tests of zsl_jax.data.batches.subwords, and through it of spans."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from tests.real_data import corpus
from zsl_jax.data.batches import subwords
from zsl_jax.data.batches.subwords import SubwordEncoder, encode_words
from zsl_jax.data.text.readers import read_sentences
from zsl_jax.errors import InputError

LETTERS = "abcdefghijklmnopqrstuvwxyz"
SETTINGS = settings(max_examples=40, deadline=None)


def bert_tokenizer():
    """WordPiece as in BERT: ids of single letters, their continuations and a few whole words."""
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS, *"0123456789.,#"]
    pieces += [f"##{letter}" for letter in LETTERS] + ["the", "cat", "##ing", "run"]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    marks = [("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])]
    tokenizer.post_processor = processors.BertProcessing(marks[1], marks[0])
    tokenizer.enable_truncation(8)  # as a saved tokenizer.json may have it
    tokenizer.enable_padding(length=8)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    )


def xlmr_tokenizer():
    """Unigram with Metaspace as in XLM-R."""
    pieces = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -4.0)]
    pieces += [(letter, -6.0) for letter in LETTERS + ".,#0123456789"]
    pieces += [("▁the", -3.0), ("▁cat", -3.5), ("ing", -3.5), ("▁run", -3.5), ("er", -4.0)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=3))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace("\u200b", ""), normalizers.Strip()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.WhitespaceSplit(),
            pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always"),
        ]
    )
    tokenizer.add_special_tokens([AddedToken(mark) for mark in ("<s>", "</s>", "<pad>", "<unk>")])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>", eos_token="</s>"
    )


TOKENIZERS = {"bert": bert_tokenizer(), "xlmr": xlmr_tokenizer()}
NOTHING = "\u200b"  # both tokenizers turn it into nothing

either_tokenizer = st.sampled_from(list(TOKENIZERS.values()))
odd_words = st.sampled_from(
    ["the", "running", "cat's", "10 000", "é", "中国", "[SEP]", "</s>", "#"]
)
plain_words = st.one_of(odd_words, st.text(LETTERS + ".,", min_size=1, max_size=12))
any_words = st.one_of(plain_words, st.sampled_from([NOTHING, "\x00", "\u200d\u200b", "\u3000"]))


def window(windows, number):
    """Token ids and word ids of one window."""
    inside = slice(windows.offsets[number], windows.offsets[number + 1])
    return windows.token_ids[inside].tolist(), windows.word_ids[inside].tolist()


def subwords_of(tokenizer, word):
    return tokenizer([word], is_split_into_words=True, add_special_tokens=False)["input_ids"]


@SETTINGS
@given(either_tokenizer, st.lists(st.lists(plain_words, min_size=1, max_size=8), max_size=6))
def test_same_ids_and_word_places_as_the_tokenizer(tokenizer, sentences):
    windows = encode_words(sentences, tokenizer, 512)
    assert len(windows.lengths) == windows.num_sentences == len(sentences)
    first_word = 0
    for number, words in enumerate(sentences):
        expected = tokenizer(words, is_split_into_words=True)
        token_ids, word_ids = window(windows, number)
        assert token_ids == expected["input_ids"]
        places = expected.word_ids()
        befores = [None, *places[:-1]]
        assert word_ids == [
            -1 if place in (None, before) else first_word + place
            for place, before in zip(places, befores, strict=True)
        ]
        first_word += len(words)


@SETTINGS
@given(
    either_tokenizer,
    st.lists(st.lists(any_words, max_size=40), max_size=4),
    st.integers(min_value=3, max_value=24),
)
def test_every_word_once_and_whole_words_in_every_window(tokenizer, sentences, max_length):
    windows = encode_words(sentences, tokenizer, max_length)
    words = [word for sentence in sentences for word in sentence]
    assert windows.num_words == len(words) and windows.num_sentences == len(sentences)
    assert windows.token_ids.dtype == windows.word_ids.dtype == np.int32
    assert windows.offsets.dtype == np.int64
    assert (windows.lengths <= max_length).all() and (windows.lengths >= 3).all()
    assert sorted(windows.word_ids[windows.word_ids >= 0].tolist()) == list(range(len(words)))
    special = [[2, 3], [0, 2]][tokenizer is TOKENIZERS["xlmr"]]
    for number in range(len(windows.lengths)):
        token_ids, word_ids = window(windows, number)
        assert [token_ids[0], token_ids[-1]] == special
        for place, word in enumerate(word_ids):
            if word >= 0:
                ids = subwords_of(tokenizer, words[word]) or [tokenizer.unk_token_id]
                ids = ids[: max_length - 2]
                assert token_ids[place : place + len(ids)] == ids


@SETTINGS
@given(st.lists(st.integers(1, 9), min_size=1, max_size=60), st.integers(6, 20))
def test_each_word_is_where_it_has_most_context(lengths, max_length):
    tokenizer = TOKENIZERS["bert"]
    words = ["x" * length for length in lengths]
    lengths = np.minimum(lengths, max_length - 2)
    bounds = np.concatenate([[0], np.cumsum(lengths)])
    windows = encode_words([words], tokenizer, max_length)
    # Where each window begins: its first predicted word, walked back to the window's beginning.
    begins = []
    chosen: dict[int, int] = {}
    for number in range(len(windows.lengths)):
        _, word_ids = window(windows, number)
        owned = [(place, word) for place, word in enumerate(word_ids) if word >= 0]
        if owned:
            place, word = owned[0]
            begins.append((bounds[word] - (place - 1), windows.lengths[number] - 2))
            chosen |= {word: len(begins) - 1 for _, word in owned}
    for word, number in chosen.items():
        contexts = [
            min(bounds[word] - begin, begin + size - bounds[word + 1])
            for begin, size in begins
            if begin <= bounds[word] and bounds[word + 1] <= begin + size
        ]
        begin, size = begins[number]
        assert min(bounds[word] - begin, begin + size - bounds[word + 1]) == max(contexts)


def test_a_long_sentence_by_hand():
    windows = encode_words([["a"], list("abcdefghij"), [], ["b"]], TOKENIZERS["bert"], 8)
    assert windows.num_sentences == 4
    assert windows.lengths.tolist() == [3, 8, 8, 8, 3]
    letters = TOKENIZERS["bert"].convert_tokens_to_ids(list("abcdefghij"))
    assert [window(windows, number)[0][1:-1] for number in (1, 2, 3)] == [
        letters[:6],
        letters[3:9],
        letters[4:],
    ]
    # The smaller context decides, and the earlier window if both are the same.
    assert [window(windows, number)[1][1:-1] for number in (1, 2, 3)] == [
        [1, 2, 3, 4, 5, -1],
        [-1, -1, 6, 7, -1, -1],
        [-1, -1, -1, 8, 9, 10],
    ]


def test_half_the_window_is_context_around_the_middle_of_a_long_text():
    windows = encode_words([["a"] * 5000], TOKENIZERS["xlmr"], 66)
    inner = [window(windows, number)[1][1:-1] for number in range(1, len(windows.lengths) - 2)]
    places = [place for word_ids in inner for place, word in enumerate(word_ids) if word >= 0]
    size = len(inner[0])
    assert min(places) >= size // 4 - 2 and max(places) < size - size // 4 + 2
    assert len(windows.token_ids) < 2.3 * len(
        encode_words([["a"] * 5000], TOKENIZERS["xlmr"], 20000).token_ids
    )


@pytest.mark.parametrize("name", TOKENIZERS)
def test_a_word_of_nothing_is_the_unknown_token(name):
    tokenizer = TOKENIZERS[name]
    assert subwords_of(tokenizer, NOTHING) == []
    windows = encode_words([["the", NOTHING, "cat"], [NOTHING]], tokenizer, 16)
    for number, at in ((0, 2), (1, 1)):
        token_ids, word_ids = window(windows, number)
        assert token_ids[at] == tokenizer.unk_token_id
        assert word_ids[at] == (1 if number == 0 else 3)


def test_a_word_longer_than_the_window_is_cut():
    windows = encode_words([["a", "x" * 30, "b"]], TOKENIZERS["bert"], 10)
    assert windows.lengths.max() == 10
    assert (windows.word_ids >= 0).sum() == 3


def test_no_sentences_and_no_words():
    for number in (0, 2):
        windows = encode_words([[]] * number, TOKENIZERS["bert"], 8)
        assert windows.offsets.tolist() == [0]
        assert (windows.num_words, windows.num_sentences) == (0, number)


def test_tokenizers_that_cannot_be_used():
    with pytest.raises(InputError, match="enlarge"):
        encode_words([["a"]], TOKENIZERS["bert"], 2)
    with pytest.raises(InputError, match="fast tokenizer"):
        encode_words([["a"]], object(), 8)
    bare = Tokenizer(models.WordLevel({"a": 0, "[UNK]": 1}, unk_token="[UNK]"))
    bare.normalizer = normalizers.Replace("b", "")
    wrapped = PreTrainedTokenizerFast(tokenizer_object=bare)
    assert encode_words([["a"]], wrapped, 8).token_ids.tolist() == [0]
    with pytest.raises(InputError, match="neither a subword for 'b'"):
        encode_words([["a", "b"]], wrapped, 8)
    joined = Tokenizer(models.BPE({"a": 0}, []))
    joined.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    with pytest.raises(InputError, match="add_prefix_space=True"):
        encode_words([["a"]], PreTrainedTokenizerFast(tokenizer_object=joined), 8)


@pytest.mark.parametrize("tokenizer", TOKENIZERS.values(), ids=TOKENIZERS)
@pytest.mark.parametrize("name", ["pos/fi/dev.conllu", "ner/en/dev.conll"])
def test_real_text(name, tokenizer):
    sentences = [list(sentence.words) for sentence in read_sentences(corpus(name))]
    windows = encode_words(sentences, tokenizer, 10_000)
    expected = tokenizer(sentences, is_split_into_words=True)["input_ids"]
    assert [window(windows, number)[0] for number in range(len(sentences))] == expected
    short = encode_words(sentences, tokenizer, 24)
    assert len(short.lengths) > len(sentences) and short.lengths.max() == 24
    assert (short.word_ids >= 0).sum() == windows.num_words == sum(map(len, sentences))


@pytest.mark.parametrize("kept", [0, 1 << 18])
def test_words_met_before_are_cut_as_at_first(monkeypatch, kept):
    monkeypatch.setattr(subwords, "KEPT_WORDS", kept)
    tokenizer = TOKENIZERS["bert"]
    texts = [[["the", "cat"], ["x" * 30]], [["cat", "sat", "the"]], [[]], [["the", "cats"], ["a"]]]
    encoder = SubwordEncoder(tokenizer, 10)
    for text in texts:
        found, expected = encoder.encode(text), encode_words(text, tokenizer, 10)
        for ours, alone in zip(found, expected, strict=True):
            np.testing.assert_array_equal(ours, alone)
